using System.Text;
using Dedup.Topology.Records;

namespace DedupTopology.Tests.Judge;

/// <summary>Records of one partition in memory.</summary>
internal sealed class MemoryBatch : RecordBatch
{
    private readonly List<(byte[]? Key, long TimestampMs, long Offset)> _records = [];

    public override int Count => _records.Count;

    public MemoryBatch Add(string? key, long timestampMs)
    {
        _records.Add(
            (key is null ? null : Encoding.UTF8.GetBytes(key), timestampMs, _records.Count)
        );
        return this;
    }

    public override void Get(int index, out RecordView record) =>
        record = new RecordView(
            this,
            index,
            _records[index].Key,
            _records[index].Key is null,
            "v"u8,
            valueIsNull: false,
            _records[index].TimestampMs,
            0,
            _records[index].Offset
        );

    public override int PartitionOf(int index) => 0;

    public override long OffsetOf(int index) => _records[index].Offset;

    public override int HeaderCount(int index) => 0;

    public override void GetHeader(
        int index,
        int header,
        out ReadOnlySpan<byte> name,
        out ReadOnlySpan<byte> value,
        out bool isNull
    ) => throw new ArgumentOutOfRangeException(nameof(header));

    public override void Release() { }
}
