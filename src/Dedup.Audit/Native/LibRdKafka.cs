using System.Runtime.InteropServices;

namespace Dedup.Audit.Native;

/// <summary>
/// The few calls of librdkafka that the audit's reader makes (rdkafka.h 2.15). Written apart from the transport of
/// Dedup.Kafka on purpose: a bug there must not be repeated by the auditor.
/// </summary>
internal static unsafe partial class LibRdKafka
{
    public const int Consumer = 1;
    public const int ConfOk = 0;
    public const int NoError = 0;
    public const int PartitionEof = -191;
    public const int AutoOffsetReset = -140;
    public const int OffsetOutOfRange = 1;
    private const string Library = "librdkafka";

    [LibraryImport(Library)]
    public static partial nint rd_kafka_conf_new();

    [LibraryImport(Library)]
    public static partial void rd_kafka_conf_destroy(nint conf);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int rd_kafka_conf_set(
        nint conf,
        string name,
        string value,
        byte* error,
        nuint errorSize
    );

    /// <summary>With null nothing is logged; errors reach the reader as records.</summary>
    [LibraryImport(Library)]
    public static partial void rd_kafka_conf_set_log_cb(nint conf, nint callback);

    [LibraryImport(Library)]
    public static partial nint rd_kafka_new(int type, nint conf, byte* error, nuint errorSize);

    [LibraryImport(Library)]
    public static partial void rd_kafka_destroy(nint client);

    [LibraryImport(Library)]
    public static partial int rd_kafka_poll(RdKafkaHandle client, int timeoutMs);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint rd_kafka_topic_new(RdKafkaHandle client, string name, nint conf);

    [LibraryImport(Library)]
    public static partial void rd_kafka_topic_destroy(nint topic);

    [LibraryImport(Library)]
    public static partial nint rd_kafka_queue_new(RdKafkaHandle client);

    [LibraryImport(Library)]
    public static partial void rd_kafka_queue_destroy(nint queue);

    [LibraryImport(Library)]
    public static partial int rd_kafka_consume_start_queue(
        nint topic,
        int partition,
        long offset,
        nint queue
    );

    [LibraryImport(Library)]
    public static partial int rd_kafka_consume_stop(nint topic, int partition);

    [LibraryImport(Library)]
    public static partial nint rd_kafka_consume_batch_queue(
        nint queue,
        int timeoutMs,
        Message** messages,
        nuint size
    );

    [LibraryImport(Library)]
    public static partial void rd_kafka_message_destroy(Message* message);

    [LibraryImport(Library)]
    [SuppressGCTransition]
    public static partial long rd_kafka_message_timestamp(Message* message, int* type);

    [LibraryImport(Library)]
    public static partial int rd_kafka_message_headers(Message* message, nint* headers);

    [LibraryImport(Library)]
    [SuppressGCTransition]
    public static partial nuint rd_kafka_header_cnt(nint headers);

    [LibraryImport(Library)]
    [SuppressGCTransition]
    public static partial int rd_kafka_header_get_all(
        nint headers,
        nuint index,
        byte** name,
        byte** value,
        nuint* valueSize
    );

    [LibraryImport(Library)]
    public static partial nint rd_kafka_err2str(int error);

    [LibraryImport(Library)]
    public static partial int rd_kafka_last_error();

    /// <summary>librdkafka's words for an error.</summary>
    public static string Text(int error) =>
        Marshal.PtrToStringUTF8(rd_kafka_err2str(error)) ?? $"error {error}";

    /// <summary>rd_kafka_message_t.</summary>
    /// <remarks>
    /// <code>
    /// 0     8       16          24        32    40    48      56       64        72
    /// | err | topic | partition | payload | len | key | keyLen | offset | private |
    /// </code>
    /// </remarks>
    [StructLayout(LayoutKind.Sequential)]
    internal struct Message
    {
        public int Error;
        public nint Topic;
        public int Partition;
        public byte* Payload;
        public nuint Length;
        public byte* Key;
        public nuint KeyLength;
        public long Offset;
        public nint Private;
    }
}

/// <summary>A client.</summary>
internal sealed class RdKafkaHandle : SafeHandle
{
    public RdKafkaHandle(nint handle)
        : base(0, ownsHandle: true) => SetHandle(handle);

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        LibRdKafka.rd_kafka_destroy(handle);
        return true;
    }
}
