using System.Buffers.Binary;
using Dedup.Topology.Records;

namespace Dedup.Kafka.Tests.Lanes;

/// <summary>Partitions with a record of its own ID at every offset, without end: a poll brings some of each, whatever was polled before.</summary>
/// <param name="recordsOf">How many of each partition a poll brings.</param>
internal sealed class EndlessLog(params int[] recordsOf)
{
    /// <summary>The next records of all partitions that were sought; positions go on.</summary>
    public RecordBatch Next(SortedDictionary<int, long> positions)
    {
        var records = new List<(int Partition, long Offset)>();
        foreach (int partition in positions.Keys.ToArray())
        {
            for (int i = 0; i < recordsOf[partition]; i++)
            {
                records.Add((partition, positions[partition]++));
            }
        }

        return new Batch(records);
    }

    private sealed class Batch(List<(int Partition, long Offset)> records) : HeaderlessBatch
    {
        // A day after the epoch, when the clock of the test begins: neither missing nor in the future.
        private const long TimestampMs = 86_400_000;

        private readonly byte[] _key = new byte[12];

        public override int Count => records.Count;

        public override void Get(int index, out RecordView record)
        {
            (int partition, long offset) = records[index];
            BinaryPrimitives.WriteInt32BigEndian(_key, partition);
            BinaryPrimitives.WriteInt64BigEndian(_key.AsSpan(4), offset);
            record = new RecordView(
                this,
                index,
                _key,
                false,
                _key,
                false,
                TimestampMs,
                partition,
                offset
            );
        }

        public override int PartitionOf(int index) => records[index].Partition;

        public override long OffsetOf(int index) => records[index].Offset;
    }
}
