using System.Text;
using Confluent.Kafka;
using Dedup.Topology.Records;

namespace Dedup.Kafka.Transport;

/// <summary>Records as Confluent.Kafka gives them: an object each. The slower way, for when the native handle cannot be reached.</summary>
internal sealed class ManagedRecordBatch : RecordBatch
{
    private readonly List<ConsumeResult<byte[]?, byte[]?>> _records = [];

    public override int Count => _records.Count;

    public override int PartitionOf(int index) => _records[index].Partition.Value;

    public override long OffsetOf(int index) => _records[index].Offset.Value;

    public override void Get(int index, out RecordView record)
    {
        ConsumeResult<byte[]?, byte[]?> result = _records[index];
        Timestamp timestamp = result.Message.Timestamp;
        record = new RecordView(
            this,
            index,
            result.Message.Key,
            result.Message.Key is null,
            result.Message.Value,
            result.Message.Value is null,
            timestamp.Type == TimestampType.NotAvailable ? -1 : timestamp.UnixTimestampMs,
            result.Partition.Value,
            result.Offset.Value
        );
    }

    public override int HeaderCount(int index) => _records[index].Message.Headers?.Count ?? 0;

    public override void GetHeader(
        int index,
        int header,
        out ReadOnlySpan<byte> name,
        out ReadOnlySpan<byte> value,
        out bool isNull
    )
    {
        IHeader source = _records[index].Message.Headers[header];
        byte[]? bytes = source.GetValueBytes();
        name = Encoding.UTF8.GetBytes(source.Key);
        value = bytes;
        isNull = bytes is null;
    }

    public override void Release() => _records.Clear();

    internal void Add(ConsumeResult<byte[]?, byte[]?> record) => _records.Add(record);

    internal Message<byte[]?, byte[]?> Message(int index) => _records[index].Message;
}
