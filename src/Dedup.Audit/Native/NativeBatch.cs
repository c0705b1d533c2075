using System.Runtime.InteropServices;
using Dedup.Topology.Records;
using static Dedup.Audit.Native.LibRdKafka;

namespace Dedup.Audit.Native;

/// <summary>Messages of librdkafka as a batch of records. Reused; the spans live until <see cref="Release"/>.</summary>
internal sealed unsafe class NativeBatch : RecordBatch
{
    private readonly nint[] _messages;
    private int _count;
    private int _headersOf = -1;
    private nint _headers;

    public NativeBatch(int capacity) => _messages = new nint[capacity];

    public override int Count => _count;

    /// <summary>Room for messages; those kept are announced by <see cref="Keep"/>.</summary>
    public Span<nint> Slots => _messages;

    /// <summary>The first so many slots are the batch.</summary>
    public void Keep(int count)
    {
        _count = count;
        _headersOf = -1;
    }

    public override void Get(int index, out RecordView record)
    {
        Message* m = (Message*)_messages[index];
        int type;
        record = new RecordView(
            this,
            index,
            new ReadOnlySpan<byte>(m->Key, (int)m->KeyLength),
            m->Key is null,
            new ReadOnlySpan<byte>(m->Payload, (int)m->Length),
            m->Payload is null,
            rd_kafka_message_timestamp(m, &type),
            m->Partition,
            m->Offset
        );
    }

    public override int PartitionOf(int index) => ((Message*)_messages[index])->Partition;

    public override long OffsetOf(int index) => ((Message*)_messages[index])->Offset;

    public override int HeaderCount(int index)
    {
        nint headers = HeadersOf(index);
        return headers == 0 ? 0 : (int)rd_kafka_header_cnt(headers);
    }

    public override void GetHeader(
        int index,
        int header,
        out ReadOnlySpan<byte> name,
        out ReadOnlySpan<byte> value,
        out bool isNull
    )
    {
        byte* namePointer;
        byte* valuePointer;
        nuint size;
        int error = rd_kafka_header_get_all(
            HeadersOf(index),
            (nuint)header,
            &namePointer,
            &valuePointer,
            &size
        );
        if (error != NoError)
        {
            throw new AuditException($"rd_kafka_header_get_all: {Text(error)}");
        }

        name = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(namePointer);
        isNull = valuePointer is null;
        value = new ReadOnlySpan<byte>(valuePointer, isNull ? 0 : (int)size);
    }

    public override void Release()
    {
        for (int i = 0; i < _count; i++)
        {
            rd_kafka_message_destroy((Message*)_messages[i]);
        }

        _count = 0;
        _headersOf = -1;
    }

    private nint HeadersOf(int index)
    {
        if (_headersOf != index)
        {
            nint headers = 0;
            // Parsed at the first call; "no entry" leaves 0.
            _ = rd_kafka_message_headers((Message*)_messages[index], &headers);
            _headers = headers;
            _headersOf = index;
        }

        return _headers;
    }
}
