using System.Text;
using Dedup.Simulation.Broker;
using Dedup.Topology.Pipelines;
using Dedup.Topology.Ports;
using Dedup.Topology.Records;
using Shouldly;

namespace Dedup.Simulation.Conformance;

/// <summary>What a source gives: order, headers, nulls, pauses, seeks.</summary>
public abstract class SourceScenarios : ConformanceSuite
{
    private static string[] KeysOf(Member member) =>
        Keys([.. member.Records.Select(static r => r.Placed)]);

    [Fact]
    public void Records_come_in_order_with_their_offsets()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline();
        cluster.Produce(spec.Input, 0, Record("0"), Record("1"), Record("2"));
        Member member = Join(cluster, spec);

        member.PollUntil(() => member.Records.Count == 3);

        KeysOf(member).ShouldBe(["0", "1", "2"]);
        member.Records.Select(static r => r.Placed.Offset).ShouldBe([0, 1, 2]);
        member.Source.Close();
    }

    [Fact]
    public void A_poll_brings_at_most_what_was_asked_for()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline();
        cluster.Produce(
            spec.Input,
            0,
            [.. Enumerable.Range(0, 10).Select(static i => Record($"{i}"))]
        );
        Member member = Join(cluster, spec);
        member.PollUntil(() => member.Records.Count > 0);
        member.Source.Seek(0, 0);
        member.Records.Clear();

        while (member.Records.Count < 10)
        {
            member.Poll(maxRecords: 3).ShouldBeLessThanOrEqualTo(3);
        }

        member.Records.Count.ShouldBe(10);
        member.Source.Close();
    }

    [Fact]
    public void An_assigned_partition_is_paused_until_it_is_resumed()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline();
        cluster.Produce(spec.Input, 0, Record("0"));
        var member = new Member(cluster, cluster.Source(spec)) { IsResuming = false };
        member.PollUntil(() => member.Owned.Count == 1);

        member.PollFor(1_000);
        member.Records.ShouldBeEmpty();

        member.Source.Resume([0]);
        member.PollUntil(() => member.Records.Count == 1);
        member.Source.Close();
    }

    [Fact]
    public void A_paused_partition_gives_nothing_and_the_other_goes_on()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline(2);
        Member member = Join(cluster, spec, partitions: 2);
        member.Source.Pause([0]);
        cluster.Produce(spec.Input, 0, Record("paused"));
        cluster.Produce(spec.Input, 1, Record("active"));

        member.PollUntil(() => member.Records.Count == 1);
        member.PollFor(500);
        KeysOf(member).ShouldBe(["active"]);

        member.Source.Resume([0]);
        member.PollUntil(() => member.Records.Count == 2);
        KeysOf(member).ShouldBe(["active", "paused"]);
        member.Source.Close();
    }

    [Fact]
    public void After_a_seek_back_the_same_records_come_again()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline();
        cluster.Produce(
            spec.Input,
            0,
            [.. Enumerable.Range(0, 20).Select(static i => Record($"{i}"))]
        );
        Member member = Join(cluster, spec);
        member.PollUntil(() => member.Records.Count == 20);
        member.Records.Clear();

        member.Source.Seek(0, 15);

        member.PollUntil(() => member.Records.Count == 5);
        member.PollFor(300);
        member.Records.Select(static r => r.Placed.Offset).ShouldBe([15, 16, 17, 18, 19]);
        member.Source.Close();
    }

    [Fact]
    public void No_record_from_before_a_seek_comes_after_it()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline();
        cluster.Produce(
            spec.Input,
            0,
            [.. Enumerable.Range(0, 200).Select(static i => Record($"{i}"))]
        );
        Member member = Join(cluster, spec);

        // The client has fetched more than was polled.
        for (int round = 0; round < 20; round++)
        {
            member.Records.Clear();
            member.Source.Seek(0, round * 5);
            while (member.Records.Count == 0)
            {
                _ = member.Poll(maxRecords: 7);
            }

            member.Records[0].Placed.Offset.ShouldBe(round * 5);
        }

        member.Source.Close();
    }

    [Fact]
    public void Only_committed_input_is_polled_and_nothing_behind_an_open_transaction()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec upstream = cluster.MakePipeline();
        // The clean topic of one pipeline is the input of the next.
        PipelineSpec spec = upstream with
        {
            Input = upstream.Clean,
        };
        using ITransactionalSink sink = Ready(cluster, upstream);
        sink.Begin().ShouldBe(TxResult.Ok);
        Send(sink, "aborted");
        Send(sink, "aborted");
        Send(sink, "aborted");
        Eventually(cluster, () => cluster.Bounds(spec.Input, 0).High > 0);
        sink.Abort(WaitMs).ShouldBe(TxResult.Ok);
        Member member = Join(cluster, spec);
        sink.Begin().ShouldBe(TxResult.Ok);
        Send(sink, "committed");
        Send(sink, "committed");
        Send(sink, "committed");
        member.PollFor(1_000);
        member.Records.ShouldBeEmpty();

        sink.Commit(WaitMs).ShouldBe(TxResult.Ok);

        member.PollUntil(() => member.Records.Count == 3);
        KeysOf(member).ShouldBe(["committed", "committed", "committed"]);
        member.Source.Close();
    }

    [Fact]
    public void The_known_end_is_the_high_watermark_of_the_last_fetch()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline();
        cluster.Produce(spec.Input, 0, Record("0"), Record("1"));
        Member member = Join(cluster, spec);

        member.PollUntil(() => member.Records.Count == 2);

        member.PollUntil(() => member.Source.KnownEnd(0) == 2);
        member.Source.Close();
    }

    [Fact]
    public void The_offset_at_a_time_is_that_of_the_first_record_at_or_after_it()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline();
        cluster.Produce(
            spec.Input,
            0,
            Record("0", timestampMs: 1_000),
            Record("1", timestampMs: 3_000),
            Record("2", timestampMs: 2_000),
            Record("3", timestampMs: 5_000)
        );
        Member member = Join(cluster, spec);

        member.Source.OffsetAt(0, 500, WaitMs).Offset.ShouldBe(0);
        member.Source.OffsetAt(0, 1_001, WaitMs).Offset.ShouldBe(1);
        member.Source.OffsetAt(0, 4_000, WaitMs).Offset.ShouldBe(3);
        member.Source.OffsetAt(0, 6_000, WaitMs).Offset.ShouldBe(4);
        member.Source.Close();
    }

    [Fact]
    public void A_position_before_the_beginning_of_the_log_is_out_of_range()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline();
        cluster.Produce(spec.Input, 0, Record("0"), Record("1"), Record("2"));
        cluster.DeleteBefore(spec.Input, 0, 2);
        cluster.Bounds(spec.Input, 0).Low.ShouldBe(2);

        Member member = Join(cluster, spec);

        member.PollUntil(() => member.Faults.Contains(SourceFault.OffsetOutOfRange));
        member.Records.ShouldBeEmpty();
        member.Source.Close();
    }

    [Fact]
    public void A_position_behind_the_end_of_the_log_is_out_of_range()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline();
        cluster.Produce(spec.Input, 0, Record("0"));
        var member = new Member(cluster, cluster.Source(spec)) { StartAt = static _ => 50 };

        member.PollUntil(() => member.Faults.Contains(SourceFault.OffsetOutOfRange));

        member.Records.ShouldBeEmpty();
        member.Source.Close();
    }

    [Fact]
    public void After_out_of_range_a_partition_is_read_once_it_has_been_assigned_again()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline();
        cluster.Produce(spec.Input, 0, Record("0"), Record("1"));
        var member = new Member(cluster, cluster.Source(spec)) { StartAt = static _ => 50 };
        member.PollUntil(() => member.Faults.Contains(SourceFault.OffsetOutOfRange));

        member.Source.Seek(0, 1);
        member.Faults.ShouldContain(SourceFault.CannotSeek);
        member.StartAt = static _ => 1;
        member.Source.Rejoin();

        member.PollUntil(() => member.Records.Count == 1);
        KeysOf(member).ShouldBe(["1"]);
        member.Source.Close();
    }

    [Fact]
    public void Forwarded_records_keep_key_value_headers_and_timestamp()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline();
        ModelRecord[] records = HostileRecords();
        cluster.Produce(spec.Input, 0, records);
        using ITransactionalSink sink = Ready(cluster, spec);
        Member member = Join(cluster, spec);
        sink.Begin().ShouldBe(TxResult.Ok);

        member.PollUntil(
            () => member.Records.Count == records.Length,
            each: (batch, i) => Forward(sink, batch, i, null)
        );
        sink.Commit(WaitMs).ShouldBe(TxResult.Ok);

        Eventually(
            cluster,
            () => cluster.Read(spec.Clean, 0, committedOnly: true).Count == records.Length
        );
        IReadOnlyList<PlacedRecord> clean = cluster.Read(spec.Clean, 0, committedOnly: true);
        for (int i = 0; i < records.Length; i++)
        {
            ShouldBeSame(clean[i].Record, records[i], $"record {i}");
        }

        member.Source.Close();
    }

    [Fact]
    public void Added_headers_come_behind_a_records_own_and_another_timestamp_may_be_sent()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline();
        cluster.Produce(
            spec.Input,
            0,
            new ModelRecord
            {
                Key = "k"u8.ToArray(),
                Value = "v"u8.ToArray(),
                Headers = [new ModelHeader("own"u8.ToArray(), "1"u8.ToArray())],
                TimestampMs = 5_000,
            }
        );
        using ITransactionalSink sink = Ready(cluster, spec);
        Member member = Join(cluster, spec);
        var added = new AddedHeaders();
        added.Add("added", "2");
        sink.Begin().ShouldBe(TxResult.Ok);

        member.PollUntil(
            () => member.Records.Count == 1,
            each: (batch, i) => Forward(sink, batch, i, added, 7_000)
        );
        sink.Commit(WaitMs).ShouldBe(TxResult.Ok);

        Eventually(cluster, () => Committed(cluster, spec.Clean).Length == 1);
        ModelRecord record = cluster.Read(spec.Clean, 0, committedOnly: true)[0].Record;
        record.TimestampMs.ShouldBe(7_000);
        record
            .Headers.Select(static h => Encoding.UTF8.GetString(h.Name))
            .ShouldBe(["own", "added"]);
        member.Source.Close();
    }

    private static void Forward(
        ITransactionalSink sink,
        RecordBatch batch,
        int index,
        AddedHeaders? added,
        long? timestampMs = null
    )
    {
        batch.Get(index, out RecordView view);
        sink.Forward(SinkTopic.Clean, 0, batch, index, timestampMs ?? view.TimestampMs, added)
            .ShouldBe(TxResult.Ok);
    }
}
