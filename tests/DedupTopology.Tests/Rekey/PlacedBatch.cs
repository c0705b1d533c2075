using System.Text;
using Dedup.Topology.Records;

namespace DedupTopology.Tests.Rekey;

/// <summary>Records of any partition and offset in memory.</summary>
internal sealed class PlacedBatch : RecordBatch
{
    private readonly List<(int Partition, long Offset, byte[]? Key, long Ms)> _records = [];

    public override int Count => _records.Count;

    public PlacedBatch Add(int partition, long offset, string? key, long ms) =>
        Add(partition, offset, key is null ? null : Encoding.UTF8.GetBytes(key), ms);

    public PlacedBatch Add(int partition, long offset, byte[]? key, long ms)
    {
        _records.Add((partition, offset, key, ms));
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
            _records[index].Ms,
            _records[index].Partition,
            _records[index].Offset
        );

    public override int PartitionOf(int index) => _records[index].Partition;

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
