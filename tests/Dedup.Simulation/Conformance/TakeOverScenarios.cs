using System.Buffers;
using System.Text;
using Dedup.Contracts.Changelog;
using Dedup.Topology.Pipelines;
using Dedup.Topology.Ports;
using Dedup.Topology.Records;
using Shouldly;

namespace Dedup.Simulation.Conformance;

/// <summary>What a new owner finds and ends: pending transactions, bounds, changelogs.</summary>
public abstract class TakeOverScenarios : ConformanceSuite
{
    private static void SendMarker(ITransactionalSink sink)
    {
        var bytes = new ArrayBufferWriter<byte>();
        MarkerCodec.Write(
            new Marker
            {
                RecipeVersion = 1,
                ClusterId = "c",
                InputTopicId = "t",
                PartitionCount = 1,
                HashKey0 = 1,
                HashKey1 = 2,
                InputOffset = 3,
                Writer = sink.TransactionalId,
                Classes = [],
                Buckets = [],
                Counts = [],
            },
            bytes
        );
        // More than once, since a client may hold single records back for a while.
        for (int i = 0; i < 5; i++)
        {
            sink.Send(
                    SinkTopic.Changelog,
                    0,
                    MarkerCodec.Key,
                    bytes.WrittenSpan,
                    false,
                    1_000,
                    null
                )
                .ShouldBe(TxResult.Ok);
        }
    }

    private static List<string> ReadAll(
        IClusterUnderTest cluster,
        IChangelogReader reader,
        long target,
        int waitMs = WaitMs
    )
    {
        var keys = new List<string>();
        long untilMs = cluster.NowMs + waitMs;
        while (reader.Position(0) < target && cluster.NowMs < untilMs)
        {
            RecordBatch batch = reader.Poll(100, 20);
            for (int i = 0; i < batch.Count; i++)
            {
                keys.Add(Encoding.UTF8.GetString(Member.Copy(batch, i).Key!));
            }

            batch.Release();
            cluster.Pass();
        }

        return keys;
    }

    [Fact]
    public void The_fencer_sees_whether_a_transaction_is_pending()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline();
        IFencer fencer = cluster.Fencer(spec);
        using ITransactionalSink sink = Ready(cluster, spec);
        fencer
            .Pending(SinkTopic.Clean, 0, 2_000)
            .ShouldBe(new PendingLookup(LookupStatus.Found, false, null));
        sink.Begin().ShouldBe(TxResult.Ok);
        for (int i = 0; i < 5; i++)
        {
            Send(sink, $"{i}");
        }

        Eventually(cluster, () => cluster.Bounds(spec.Clean, 0).High > 0);

        fencer.Pending(SinkTopic.Clean, 0, 2_000).IsPending.ShouldBeTrue();

        sink.Commit(WaitMs).ShouldBe(TxResult.Ok);
        Eventually(cluster, () => !fencer.Pending(SinkTopic.Clean, 0, 2_000).IsPending);
    }

    [Fact]
    public void The_fencer_names_the_writer_of_a_pending_marker()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline();
        IFencer fencer = cluster.Fencer(spec);
        using ITransactionalSink sink = Ready(cluster, spec);
        fencer.PendingWriter(0, 2_000).Status.ShouldBe(LookupStatus.None);
        sink.Begin().ShouldBe(TxResult.Ok);
        SendMarker(sink);
        Eventually(cluster, () => cluster.Bounds(spec.Changelog, 0).High > 0);

        fencer
            .PendingWriter(0, 2_000)
            .ShouldBe(new WriterLookup(LookupStatus.Found, sink.TransactionalId));
    }

    [Fact]
    public void Fencing_ends_a_pending_transaction_and_its_producer()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline();
        IFencer fencer = cluster.Fencer(spec);
        using ITransactionalSink sink = Ready(cluster, spec);
        sink.Begin().ShouldBe(TxResult.Ok);
        for (int i = 0; i < 5; i++)
        {
            Send(sink, $"{i}");
        }

        Eventually(cluster, () => cluster.Bounds(spec.Clean, 0).High > 0);

        fencer.Fence(sink.TransactionalId, WaitMs).ShouldBe(TxResult.Ok);

        Eventually(cluster, () => cluster.Bounds(spec.Clean, 0) is var b && b.LastStable == b.High);
        Committed(cluster, spec.Clean).ShouldBeEmpty();
        ShouldBeFenced(sink.Commit(WaitMs));
    }

    [Fact]
    public void Fencing_an_id_that_nobody_uses_does_no_harm()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline();

        cluster.Fencer(spec).Fence($"{spec.Name}-nobody", WaitMs).ShouldBe(TxResult.Ok);
    }

    [Fact]
    public void Fencing_a_commit_that_was_answered_does_not_undo_it()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline();
        using ITransactionalSink sink = Ready(cluster, spec);
        sink.Begin().ShouldBe(TxResult.Ok);
        Send(sink, "kept");
        sink.Commit(WaitMs).ShouldBe(TxResult.Ok);

        cluster.Fencer(spec).Fence(sink.TransactionalId, WaitMs).ShouldBe(TxResult.Ok);

        Eventually(cluster, () => Committed(cluster, spec.Clean).Length == 1);
    }

    [Fact]
    public void Bounds_of_an_empty_log_are_zero()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline();
        using IChangelogReader reader = cluster.Reader(spec);

        reader
            .Bounds(0, WaitMs)
            .ShouldBe(new BoundsLookup(LookupStatus.Found, new LogBounds(0, 0, 0), null));
    }

    [Fact]
    public void Bounds_tell_high_watermark_and_last_stable_offset_apart()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline();
        using IChangelogReader reader = cluster.Reader(spec);
        using ITransactionalSink sink = Ready(cluster, spec);
        sink.Begin().ShouldBe(TxResult.Ok);
        SendMarker(sink);
        Eventually(cluster, () => cluster.Bounds(spec.Changelog, 0).High >= 3);

        LogBounds bounds = reader.Bounds(0, WaitMs).Bounds;

        bounds.LastStable.ShouldBe(0);
        bounds.High.ShouldBeGreaterThanOrEqualTo(3);
    }

    [Fact]
    public void Bounds_of_a_partition_that_is_not_there_yet_are_pending()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline();
        using IChangelogReader reader = cluster.Reader(spec);

        reader.Bounds(7, 1_000).Status.ShouldBe(LookupStatus.Pending);
    }

    [Fact]
    public void A_reader_gets_past_control_records_and_aborted_ones_to_the_high_watermark()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline();
        using IChangelogReader reader = cluster.Reader(spec);
        using ITransactionalSink sink = Ready(cluster, spec);
        sink.Begin().ShouldBe(TxResult.Ok);
        Send(sink, "kept", SinkTopic.Changelog);
        sink.Commit(WaitMs).ShouldBe(TxResult.Ok);
        sink.Begin().ShouldBe(TxResult.Ok);
        SendMarker(sink);
        Eventually(cluster, () => cluster.Bounds(spec.Changelog, 0).High > 2);
        sink.Abort(WaitMs).ShouldBe(TxResult.Ok);
        Eventually(
            cluster,
            () => cluster.Bounds(spec.Changelog, 0) is var b && b.LastStable == b.High
        );
        long high = reader.Bounds(0, WaitMs).Bounds.High;

        reader.Open(0, 0);
        List<string> keys = ReadAll(cluster, reader, high);

        keys.ShouldBe(["kept"]);
        reader.Position(0).ShouldBeGreaterThanOrEqualTo(high);
    }

    [Fact]
    public void A_reader_stops_where_a_transaction_is_open()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline();
        using IChangelogReader reader = cluster.Reader(spec);
        using ITransactionalSink first = Ready(cluster, spec, "a");
        using ITransactionalSink second = Ready(cluster, spec, "b");
        first.Begin().ShouldBe(TxResult.Ok);
        SendMarker(first);
        Eventually(cluster, () => cluster.Bounds(spec.Changelog, 0).High > 0);
        second.Begin().ShouldBe(TxResult.Ok);
        Send(second, "behind", SinkTopic.Changelog);
        second.Commit(WaitMs).ShouldBe(TxResult.Ok);
        long high = reader.Bounds(0, WaitMs).Bounds.High;

        reader.Open(0, 0);

        ReadAll(cluster, reader, high, waitMs: 1_500).ShouldBeEmpty();
        reader.Position(0).ShouldBeLessThan(high);
        first.Abort(WaitMs).ShouldBe(TxResult.Ok);
        ReadAll(cluster, reader, high).ShouldBe(["behind"]);
    }

    [Fact]
    public void A_reader_begins_where_it_is_told_and_can_be_opened_again()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline();
        using IChangelogReader reader = cluster.Reader(spec);
        cluster.Produce(spec.Changelog, 0, Record("0"), Record("1"), Record("2"));

        reader.Open(0, 1);
        ReadAll(cluster, reader, 3).ShouldBe(["1", "2"]);
        reader.Close(0);
        reader.Open(0, 2);
        ReadAll(cluster, reader, 3).ShouldBe(["2"]);
    }

    /// <summary>A lane that rebuilds reads a partition again while it still reads another one: by then nothing may be left of how far it had read before.</summary>
    [Fact]
    public void A_reader_that_opens_a_partition_again_while_it_reads_another_is_where_it_was_opened()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline(partitions: 2);
        using IChangelogReader reader = cluster.Reader(spec);
        cluster.Produce(spec.Changelog, 0, Record("0"), Record("1"), Record("2"));
        reader.Open(1, 0);

        for (int round = 0; round < 6; round++)
        {
            reader.Open(0, round % 2);
            RecordBatch batch = reader.Poll(100, 0);
            reader.Position(0).ShouldBe((round % 2) + batch.Count);
            batch.Release();
            _ = ReadAll(cluster, reader, 3);
            reader.Close(0);
        }
    }
}
