using System.Text;
using Dedup.Topology.Records;

namespace DedupTopology.Tests.Judge;

/// <summary>Records of one partition in memory.</summary>
internal sealed class MemoryBatch : RecordBatch
{
    private readonly List<Record> _records = [];

    public override int Count => _records.Count;

    public MemoryBatch Add(
        string? key,
        long timestampMs,
        string value = "v",
        string? type = null,
        string header = "type"
    )
    {
        _records.Add(
            new Record(
                key is null ? null : Encoding.UTF8.GetBytes(key),
                timestampMs,
                Encoding.UTF8.GetBytes(value),
                type is null ? null : Encoding.UTF8.GetBytes(type),
                Encoding.UTF8.GetBytes(header),
                FirstOffset + _records.Count
            )
        );
        return this;
    }

    /// <summary>Offset of the first record.</summary>
    public long FirstOffset { get; init; }

    public override void Get(int index, out RecordView record) =>
        record = new RecordView(
            this,
            index,
            _records[index].Key,
            _records[index].Key is null,
            _records[index].Value,
            valueIsNull: false,
            _records[index].TimestampMs,
            0,
            _records[index].Offset
        );

    public override int PartitionOf(int index) => 0;

    public override long OffsetOf(int index) => _records[index].Offset;

    public override int HeaderCount(int index) => _records[index].Type is null ? 0 : 1;

    public override void GetHeader(
        int index,
        int header,
        out ReadOnlySpan<byte> name,
        out ReadOnlySpan<byte> value,
        out bool isNull
    )
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(header, 0);
        name = _records[index].Header;
        value = _records[index].Type;
        isNull = false;
    }

    public override void Release() { }

    private readonly record struct Record(
        byte[]? Key,
        long TimestampMs,
        byte[] Value,
        byte[]? Type,
        byte[] Header,
        long Offset
    );
}
