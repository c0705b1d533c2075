using System.Text;
using Dedup.Contracts.Rekey;
using Dedup.Topology.Judge;
using Dedup.Topology.Pipelines;
using Dedup.Topology.Records;
using Dedup.Topology.Rekey;
using DedupTopology.Tests.Judge;
using Shouldly;

namespace DedupTopology.Tests.Rekey;

/// <summary>What the second hop sees of a record is what the first one read, and of a foreign one what lies there.</summary>
public sealed class OriginalBatchTests
{
    private static readonly RekeyEnvelope Envelope = new(3, 77, 4_711, 5_000, KeyIsNull: false);

    [Fact]
    public void An_original_has_the_place_the_time_and_the_key_that_it_had_on_the_input()
    {
        OriginalBatch batch = Looking(
            Between(8, [Rekeyed("own"), Encoding.UTF8.GetBytes("foreign")])
        );
        batch.IsForeign(0).ShouldBeFalse();
        (batch.PartitionOf(0), batch.OffsetOf(0), batch.TimestampOf(0)).ShouldBe((3, 77L, 4_711L));
        (batch.LogPartitionOf(0), batch.LogOffsetOf(0), batch.WrittenMsOf(0)).ShouldBe(
            (8, 100L, 9_000L)
        );
        batch.SizeOf(0).ShouldBe("own".Length + "v".Length);
        batch.Get(0, out RecordView record);
        (record.Partition, record.Offset, record.TimestampMs, record.KeyIsNull).ShouldBe(
            (3, 77L, 4_711L, false)
        );
        Encoding.UTF8.GetString(record.Key).ShouldBe("own");
        Encoding.UTF8.GetString(record.Value).ShouldBe("v");
    }

    [Fact]
    public void A_foreign_record_is_what_lies_there()
    {
        OriginalBatch batch = Looking(
            Between(8, [Rekeyed("own"), Encoding.UTF8.GetBytes("foreign")])
        );
        batch.IsForeign(1).ShouldBeTrue();
        (batch.PartitionOf(1), batch.OffsetOf(1), batch.TimestampOf(1)).ShouldBe((8, 101L, 9_001L));
        batch.SizeOf(1).ShouldBe("foreign".Length + "v".Length);
        batch.Get(1, out RecordView record);
        (record.Partition, record.Offset, record.TimestampMs).ShouldBe((8, 101L, 9_001L));
        Encoding.UTF8.GetString(record.Key).ShouldBe("foreign");
    }

    [Fact]
    public void A_batch_of_any_size_is_looked_at()
    {
        var batch = new OriginalBatch();
        foreach (int count in new[] { 1024, 1025, 5_000, 2 })
        {
            PlacedBatch inner = Between(1, [.. Enumerable.Repeat(Rekeyed("k"), count)]);
            batch.Open(inner, 0, count);
            batch.IsForeign(count - 1).ShouldBeFalse();
            batch.OffsetOf(count - 1).ShouldBe(77);
        }
    }

    [Fact]
    public void Without_a_batch_there_is_nothing_to_see() =>
        Should.Throw<InvalidOperationException>(static () => new OriginalBatch().Count);

    [Theory]
    [InlineData(0)]
    [InlineData(512 - RekeyEnvelope.Size)]
    [InlineData(513 - RekeyEnvelope.Size)]
    [InlineData(40_000)]
    public void A_key_of_any_length_travels_behind_its_envelope(int length)
    {
        PipelineSpec spec = TwoHopsTests.Spec.RekeyHop(4);
        var rekeyer = new Rekeyer(spec);
        string key = new('k', length);
        new MemoryBatch().Add(key, 1_000).Get(0, out RecordView record);
        rekeyer.PartitionFor(record, new WindowClocks(spec.Windows), 10_000).ShouldBeInRange(0, 3);
        rekeyer.Key.Length.ShouldBe(RekeyEnvelope.Size + length);
        Encoding.UTF8.GetString(rekeyer.Key[RekeyEnvelope.Size..]).ShouldBe(key);
        RekeyEnvelope.TryRead(rekeyer.Key, out RekeyEnvelope envelope).ShouldBeTrue();
        (envelope.TimestampMs, envelope.ClockMs).ShouldBe((1_000L, 1_000L));
    }

    [Fact]
    public void A_repartition_topic_without_partitions_is_refused() =>
        Should.Throw<ArgumentOutOfRangeException>(static () =>
            new Rekeyer(TwoHopsTests.Spec.RekeyHop(0))
        );

    private static OriginalBatch Looking(PlacedBatch inner)
    {
        var batch = new OriginalBatch();
        batch.Open(inner, 0, inner.Count);
        return batch;
    }

    /// <summary>Records of a repartition topic from offset 100 and the time 9,000 on.</summary>
    private static PlacedBatch Between(int partition, byte[][] keys)
    {
        var batch = new PlacedBatch();
        for (int i = 0; i < keys.Length; i++)
        {
            _ = batch.Add(partition, 100 + i, keys[i], 9_000 + i);
        }

        return batch;
    }

    private static byte[] Rekeyed(string key)
    {
        byte[] bytes = new byte[RekeyEnvelope.Size + key.Length];
        Envelope.Write(bytes);
        _ = Encoding.UTF8.GetBytes(key, bytes.AsSpan(RekeyEnvelope.Size));
        return bytes;
    }
}
