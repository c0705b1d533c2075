using System.Runtime.Intrinsics.X86;
using Dedup.Topology.Records;

namespace Dedup.Kafka.Native;

/// <summary>Records in librdkafka's own memory, as they came from the fetch response: no managed object is made for a record.</summary>
internal sealed unsafe class NativeRecordBatch : RecordBatch
{
    private readonly NativeMessage*[] _messages;
    private readonly long[] _timestamps;
    private int _count;

    public NativeRecordBatch(int capacity)
    {
        _messages = new NativeMessage*[capacity];
        _timestamps = new long[capacity];
    }

    public override int Count => _count;

    public int Capacity => _messages.Length;

    public override int PartitionOf(int index) => _messages[index]->Partition;

    public override long OffsetOf(int index) => _messages[index]->Offset;

    public override long TimestampOf(int index) => _timestamps[index];

    public override int SizeOf(int index) =>
        (int)_messages[index]->KeyLength + (int)_messages[index]->PayloadLength;

    public override void Get(int index, out RecordView record)
    {
        NativeMessage* message = _messages[index];
        record = new RecordView(
            this,
            index,
            new ReadOnlySpan<byte>(message->Key, (int)message->KeyLength),
            message->Key is null,
            new ReadOnlySpan<byte>(message->Payload, (int)message->PayloadLength),
            message->Payload is null,
            _timestamps[index],
            message->Partition,
            message->Offset
        );
    }

    public override int HeaderCount(int index)
    {
        nint headers;
        return LibRdKafka.MessageHeaders(_messages[index], &headers) == 0
            ? (int)LibRdKafka.HeaderCount(headers)
            : 0;
    }

    public override void GetHeader(
        int index,
        int header,
        out ReadOnlySpan<byte> name,
        out ReadOnlySpan<byte> value,
        out bool isNull
    )
    {
        nint headers;
        byte* nativeName;
        byte* nativeValue;
        nuint size;
        if (
            LibRdKafka.MessageHeaders(_messages[index], &headers) != 0
            || LibRdKafka.HeaderGetAll(headers, (nuint)header, &nativeName, &nativeValue, &size)
                != 0
        )
        {
            throw new ArgumentOutOfRangeException(nameof(header));
        }

        name = NativeText.Span(nativeName);
        value = new ReadOnlySpan<byte>(nativeValue, (int)size);
        isNull = nativeValue is null;
    }

    public override bool TryGetHeader(
        int index,
        ReadOnlySpan<byte> name,
        out ReadOnlySpan<byte> value
    )
    {
        value = default;
        nint headers;
        if (LibRdKafka.MessageHeaders(_messages[index], &headers) != 0)
        {
            return false;
        }

        for (int i = (int)LibRdKafka.HeaderCount(headers) - 1; i >= 0; i--)
        {
            byte* nativeName;
            byte* nativeValue;
            nuint size;
            if (
                LibRdKafka.HeaderGetAll(headers, (nuint)i, &nativeName, &nativeValue, &size) == 0
                && nativeValue is not null
                && NativeText.Span(nativeName).SequenceEqual(name)
            )
            {
                value = new ReadOnlySpan<byte>(nativeValue, (int)size);
                return true;
            }
        }

        return false;
    }

    public override void Release()
    {
        for (int i = 0; i < _count; i++)
        {
            LibRdKafka.MessageDestroy(_messages[i]);
        }

        _count = 0;
    }

    internal NativeMessage* Message(int index) => _messages[index];

    internal void Add(NativeMessage* message)
    {
        int type;
        _messages[_count] = message;
        if (Sse.IsSupported)
        {
            // Another core wrote it, and the judge reads it next, record after record: a hint, also where the key is null.
            Sse.Prefetch1(message->Key);
        }

        _timestamps[_count] = LibRdKafka.MessageTimestamp(message, &type);
        _count++;
    }
}
