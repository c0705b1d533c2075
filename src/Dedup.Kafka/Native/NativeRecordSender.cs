using System.Runtime.InteropServices;
using Confluent.Kafka;
using Dedup.Kafka.Transport;
using Dedup.Topology.Ports;
using Dedup.Topology.Records;

namespace Dedup.Kafka.Native;

/// <summary>
/// Sends straight from the memory that a record was fetched into; headers are handed over without being read. Delivery
/// reports are off: in a transaction a lost record shows at the commit.
/// </summary>
internal sealed unsafe class NativeRecordSender : IRecordSender
{
    /// <summary>Longest single wait for room in the send buffer, in ms; the sender asks again until the limit.</summary>
    private const int FullPollMs = 10;

    private readonly Handle _handle;
    private readonly nint _client;
    private readonly string[] _topicNames;
    private readonly ProduceArguments _arguments = new();
    private readonly TopicHandle?[] _topics;
    private readonly int _fullTimeoutMs;

    /// <summary>Names of headers with their bytes. Few, and always the same instances.</summary>
    private readonly List<(string Name, byte[] Bytes)> _names = [];

    public NativeRecordSender(Handle handle, string[] topicNames, int fullTimeoutMs)
    {
        // The client outlives this sender, which is disposed of first.
        _handle = handle;
        _client = NativeHandles.Of(handle).DangerousGetHandle();
        _topicNames = topicNames;
        _topics = new TopicHandle?[topicNames.Length];
        _fullTimeoutMs = fullTimeoutMs;
    }

    public TxResult Forward(
        SinkTopic topic,
        int partition,
        RecordBatch batch,
        int index,
        long timestampMs,
        AddedHeaders? added
    )
    {
        NativeMessage* message = MessageOf(batch, index);
        return Produce(
            topic,
            partition,
            message->Key,
            message->KeyLength,
            message->Payload,
            message->PayloadLength,
            timestampMs,
            DetachHeaders(message, added)
        );
    }

    public TxResult ForwardAs(
        SinkTopic topic,
        int partition,
        RecordBatch batch,
        int index,
        ReadOnlySpan<byte> key,
        bool keyIsNull,
        long timestampMs,
        AddedHeaders? added
    )
    {
        NativeMessage* message = MessageOf(batch, index);
        byte empty = 0;
        fixed (byte* keyBytes = key)
        {
            // An empty span has no address, but an empty key is not a null key.
            return Produce(
                topic,
                partition,
                keyIsNull ? null
                    : key.IsEmpty ? &empty
                    : keyBytes,
                (nuint)key.Length,
                message->Payload,
                message->PayloadLength,
                timestampMs,
                DetachHeaders(message, added)
            );
        }
    }

    public TxResult Send(
        SinkTopic topic,
        int partition,
        ReadOnlySpan<byte> key,
        ReadOnlySpan<byte> value,
        bool isTombstone,
        long timestampMs,
        AddedHeaders? added
    )
    {
        nint headers = added is { Count: > 0 } ? Append(0, added) : 0;
        byte empty = 0;
        fixed (byte* keyBytes = key)
        fixed (byte* valueBytes = value)
        {
            // An empty span has no address, but an empty key is not a null key.
            return Produce(
                topic,
                partition,
                key.IsEmpty ? &empty : keyBytes,
                (nuint)key.Length,
                isTombstone ? null
                    : value.IsEmpty ? &empty
                    : valueBytes,
                isTombstone ? 0 : (nuint)value.Length,
                timestampMs,
                headers
            );
        }
    }

    public void Dispose()
    {
        for (int i = 0; i < _topics.Length; i++)
        {
            _topics[i]?.Dispose();
            _topics[i] = null;
        }

        _arguments.Dispose();
        GC.KeepAlive(_handle);
    }

    private TxResult Produce(
        SinkTopic topic,
        int partition,
        byte* key,
        nuint keyLength,
        byte* value,
        nuint valueLength,
        long timestampMs,
        nint headers
    )
    {
        NativeVu* arguments = _arguments.Pointer;
        arguments[0].Pointer = TopicOf(topic);
        arguments[1].Int = partition;
        arguments[3].Pointer = (nint)value;
        arguments[3].Size = valueLength;
        arguments[4].Pointer = (nint)key;
        arguments[4].Size = keyLength;
        arguments[5].Long = timestampMs;
        arguments[6].Pointer = headers;
        nuint count = headers == 0 ? 6u : 7u;
        nint error = LibRdKafka.ProduceVa(_client, arguments, count);
        return error == 0 ? TxResult.Ok : AfterError(arguments, count, error, headers);
    }

    /// <summary>A full send buffer is waited out; with any other error the headers are still ours to destroy.</summary>
    private TxResult AfterError(NativeVu* arguments, nuint count, nint error, nint headers)
    {
        long begun = Environment.TickCount64;
        while (true)
        {
            var code = (ErrorCode)LibRdKafka.ErrorCode(error);
            string text = NativeText.Read(LibRdKafka.ErrorText(error));
            LibRdKafka.ErrorDestroy(error);
            if (
                (int)code != LibRdKafka.QueueFull
                || Environment.TickCount64 - begun > _fullTimeoutMs
            )
            {
                if (headers != 0)
                {
                    LibRdKafka.HeadersDestroy(headers);
                }

                return ErrorLadder.FromProduce(code, text);
            }

            _ = LibRdKafka.Poll(_client, FullPollMs);
            error = LibRdKafka.ProduceVa(_client, arguments, count);
            if (error == 0)
            {
                return TxResult.Ok;
            }
        }
    }

    private static NativeMessage* MessageOf(RecordBatch batch, int index) =>
        batch is NativeRecordBatch native
            ? native.Message(index)
            : throw new InvalidOperationException(
                "The native sender forwards native batches only."
            );

    private nint DetachHeaders(NativeMessage* message, AddedHeaders? added)
    {
        nint headers = 0;
        if (LibRdKafka.MessageDetachHeaders(message, &headers) != 0)
        {
            headers = 0;
        }

        return added is { Count: > 0 } ? Append(headers, added) : headers;
    }

    private nint TopicOf(SinkTopic topic)
    {
        ref TopicHandle? handle = ref _topics[(int)topic];
        if (handle is null)
        {
            string name = _topicNames[(int)topic];
            handle = new TopicHandle(LibRdKafka.TopicNew(_client, name, 0));
            if (handle.IsInvalid)
            {
                throw new InvalidOperationException($"rd_kafka_topic_new failed for '{name}'.");
            }
        }

        return handle.DangerousGetHandle();
    }

    private nint Append(nint headers, AddedHeaders added)
    {
        if (headers == 0)
        {
            headers = LibRdKafka.HeadersNew((nuint)added.Count);
        }

        for (int i = 0; i < added.Count; i++)
        {
            byte[] bytes = BytesOf(added.Name(i));
            ReadOnlySpan<byte> value = added.Value(i);
            byte empty = 0;
            fixed (byte* nameBytes = bytes)
            fixed (byte* valueBytes = value)
            {
                _ = LibRdKafka.HeaderAdd(
                    headers,
                    nameBytes,
                    bytes.Length - 1,
                    value.IsEmpty ? &empty : valueBytes,
                    value.Length
                );
            }
        }

        return headers;
    }

    private byte[] BytesOf(string name)
    {
        foreach (
            ref readonly (string Name, byte[] Bytes) known in CollectionsMarshal.AsSpan(_names)
        )
        {
            if (ReferenceEquals(known.Name, name))
            {
                return known.Bytes;
            }
        }

        foreach ((string known, byte[] its) in _names)
        {
            if (known == name)
            {
                return its;
            }
        }

        byte[] bytes = NativeText.Terminated(name);
        _names.Add((name, bytes));
        return bytes;
    }
}
