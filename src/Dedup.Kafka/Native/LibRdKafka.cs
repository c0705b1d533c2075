using System.Runtime.InteropServices;

namespace Dedup.Kafka.Native;

/// <summary>rd_kafka_message_t of rdkafka.h, 64-bit layout.</summary>
/// <remarks>
/// <code>
/// 0     8      16          24       32    40    48        56       64
/// | err | rkt  | partition | payload| len | key | key_len | offset | private |   72 bytes
/// </code>
/// </remarks>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeMessage
{
    public int Error;
    public nint Topic;
    public int Partition;
    public byte* Payload;
    public nuint PayloadLength;
    public byte* Key;
    public nuint KeyLength;
    public long Offset;
    public nint Private;
}

/// <summary>rd_kafka_vu_t of rdkafka.h: a type and a union padded to 64 bytes.</summary>
[StructLayout(LayoutKind.Explicit, Size = 72)]
internal unsafe struct NativeVu
{
    [FieldOffset(0)]
    public int Type;

    [FieldOffset(8)]
    public nint Pointer;

    [FieldOffset(16)]
    public nuint Size;

    [FieldOffset(8)]
    public int Int;

    [FieldOffset(8)]
    public long Long;
}

/// <summary>The functions of librdkafka that are called past Confluent.Kafka: those made for each record, and two for which it has no way.</summary>
/// <remarks>
/// SuppressGCTransition stands only on calls that neither lock nor block nor call back: the two accessors.
/// Source: rdkafka.h of librdkafka 2.15.1; all functions exist since 1.6.
/// </remarks>
internal static unsafe partial class LibRdKafka
{
    public const int VtypeRkt = 2;
    public const int VtypePartition = 3;
    public const int VtypeValue = 4;
    public const int VtypeKey = 5;
    public const int VtypeMessageFlags = 7;
    public const int VtypeTimestamp = 8;
    public const int VtypeHeaders = 10;

    /// <summary>RD_KAFKA_MSG_F_COPY: the library copies key and value.</summary>
    public const int FlagCopy = 0x2;

    /// <summary>RD_KAFKA_RESP_ERR__PARTITION_EOF.</summary>
    public const int PartitionEof = -191;

    /// <summary>RD_KAFKA_RESP_ERR__QUEUE_FULL.</summary>
    public const int QueueFull = -184;

    private const string Library = "librdkafka";

    [LibraryImport(Library, EntryPoint = "rd_kafka_version")]
    public static partial int Version();

    [LibraryImport(Library, EntryPoint = "rd_kafka_queue_get_consumer")]
    public static partial nint QueueGetConsumer(nint client);

    [LibraryImport(Library, EntryPoint = "rd_kafka_queue_destroy")]
    public static partial void QueueDestroy(nint queue);

    [LibraryImport(Library, EntryPoint = "rd_kafka_consume_batch_queue")]
    public static partial nint ConsumeBatchQueue(
        nint queue,
        int timeoutMs,
        NativeMessage** messages,
        nuint size
    );

    [LibraryImport(Library, EntryPoint = "rd_kafka_message_timestamp")]
    [SuppressGCTransition]
    public static partial long MessageTimestamp(NativeMessage* message, int* type);

    [LibraryImport(Library, EntryPoint = "rd_kafka_message_headers")]
    public static partial int MessageHeaders(NativeMessage* message, nint* headers);

    [LibraryImport(Library, EntryPoint = "rd_kafka_message_detach_headers")]
    public static partial int MessageDetachHeaders(NativeMessage* message, nint* headers);

    [LibraryImport(Library, EntryPoint = "rd_kafka_message_errstr")]
    public static partial byte* MessageErrorText(NativeMessage* message);

    [LibraryImport(Library, EntryPoint = "rd_kafka_message_destroy")]
    public static partial void MessageDestroy(NativeMessage* message);

    [LibraryImport(Library, EntryPoint = "rd_kafka_header_cnt")]
    public static partial nuint HeaderCount(nint headers);

    [LibraryImport(Library, EntryPoint = "rd_kafka_header_get_all")]
    public static partial int HeaderGetAll(
        nint headers,
        nuint index,
        byte** name,
        byte** value,
        nuint* size
    );

    [LibraryImport(Library, EntryPoint = "rd_kafka_headers_new")]
    public static partial nint HeadersNew(nuint initialCount);

    [LibraryImport(Library, EntryPoint = "rd_kafka_header_add")]
    public static partial int HeaderAdd(
        nint headers,
        byte* name,
        nint nameSize,
        byte* value,
        nint valueSize
    );

    [LibraryImport(Library, EntryPoint = "rd_kafka_headers_destroy")]
    public static partial void HeadersDestroy(nint headers);

    [LibraryImport(
        Library,
        EntryPoint = "rd_kafka_topic_new",
        StringMarshalling = StringMarshalling.Utf8
    )]
    public static partial nint TopicNew(nint client, string name, nint configuration);

    [LibraryImport(Library, EntryPoint = "rd_kafka_topic_destroy")]
    public static partial void TopicDestroy(nint topic);

    [LibraryImport(Library, EntryPoint = "rd_kafka_produceva")]
    public static partial nint ProduceVa(nint client, NativeVu* arguments, nuint count);

    [LibraryImport(Library, EntryPoint = "rd_kafka_error_code")]
    public static partial int ErrorCode(nint error);

    [LibraryImport(Library, EntryPoint = "rd_kafka_error_string")]
    public static partial byte* ErrorText(nint error);

    [LibraryImport(Library, EntryPoint = "rd_kafka_error_destroy")]
    public static partial void ErrorDestroy(nint error);

    [LibraryImport(Library, EntryPoint = "rd_kafka_poll")]
    public static partial int Poll(nint client, int timeoutMs);

    [LibraryImport(Library, EntryPoint = "rd_kafka_consumer_group_metadata")]
    public static partial nint GroupMetadata(nint client);

    [LibraryImport(Library, EntryPoint = "rd_kafka_consumer_group_metadata_destroy")]
    public static partial void GroupMetadataDestroy(nint metadata);

    [LibraryImport(Library, EntryPoint = "rd_kafka_consumer_group_metadata_generation_id")]
    public static partial int GroupMetadataGeneration(nint metadata);

    [LibraryImport(Library, EntryPoint = "rd_kafka_consumer_group_metadata_member_id")]
    public static partial byte* GroupMetadataMember(nint metadata);
}
