using System.Text;
using Dedup.Contracts.Identity;
using Dedup.Topology.Pipelines;
using Dedup.Topology.Ports;
using Shouldly;

namespace Dedup.Simulation.Conformance;

/// <summary>Begin, send, commit, abort, refuse.</summary>
public abstract class TransactionScenarios : ConformanceSuite
{
    [Fact]
    public void Committed_records_are_seen_in_order_and_a_control_record_follows()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline();
        using ITransactionalSink sink = Ready(cluster, spec);
        sink.Begin().ShouldBe(TxResult.Ok);
        Send(sink, "1");
        Send(sink, "2");
        Send(sink, "3");

        sink.Commit(WaitMs).ShouldBe(TxResult.Ok);

        Eventually(cluster, () => cluster.Bounds(spec.Clean, 0).LastStable == 4);
        Committed(cluster, spec.Clean).ShouldBe(["1", "2", "3"]);
        cluster.Bounds(spec.Clean, 0).ShouldBe(new LogBounds(0, 4, 4));
    }

    [Fact]
    public void Aborted_records_take_offsets_and_are_not_seen_by_committed_readers()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline();
        using ITransactionalSink sink = Ready(cluster, spec);
        sink.Begin().ShouldBe(TxResult.Ok);
        for (int i = 0; i < 5; i++)
        {
            Send(sink, $"{i}");
        }

        // Until something has reached the broker there is nothing to abort there.
        Eventually(cluster, () => cluster.Bounds(spec.Clean, 0).High > 0);

        sink.Abort(WaitMs).ShouldBe(TxResult.Ok);

        Eventually(
            cluster,
            () => cluster.Bounds(spec.Clean, 0) is { High: > 1 } b && b.LastStable == b.High
        );
        Committed(cluster, spec.Clean).ShouldBeEmpty();
        cluster.Read(spec.Clean, 0, committedOnly: false).ShouldNotBeEmpty();
    }

    [Fact]
    public void An_open_transaction_holds_the_last_stable_offset_at_its_first_record()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline();
        using ITransactionalSink sink = Ready(cluster, spec);
        cluster.Produce(spec.Clean, 0, Record("before"));
        sink.Begin().ShouldBe(TxResult.Ok);
        for (int i = 0; i < 5; i++)
        {
            Send(sink, $"{i}");
        }

        Eventually(cluster, () => cluster.Bounds(spec.Clean, 0).High > 1);

        cluster.Produce(spec.Clean, 0, Record("after"));

        cluster.Bounds(spec.Clean, 0).LastStable.ShouldBe(1);
        Committed(cluster, spec.Clean).ShouldBe(["before"]);
        sink.Commit(WaitMs).ShouldBe(TxResult.Ok);
        Eventually(cluster, () => Committed(cluster, spec.Clean).Length == 7);
    }

    [Fact]
    public void A_transaction_without_records_leaves_no_trace()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline();
        using ITransactionalSink sink = Ready(cluster, spec);
        sink.Begin().ShouldBe(TxResult.Ok);

        sink.Commit(WaitMs).ShouldBe(TxResult.Ok);

        sink.Begin().ShouldBe(TxResult.Ok);
        sink.Abort(WaitMs).ShouldBe(TxResult.Ok);
        cluster.Bounds(spec.Clean, 0).ShouldBe(new LogBounds(0, 0, 0));
    }

    [Fact]
    public void Two_transactions_one_after_the_other_have_a_control_record_each()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline();
        using ITransactionalSink sink = Ready(cluster, spec);
        for (int i = 0; i < 2; i++)
        {
            sink.Begin().ShouldBe(TxResult.Ok);
            Send(sink, $"{i}");
            sink.Commit(WaitMs).ShouldBe(TxResult.Ok);
        }

        Eventually(cluster, () => cluster.Bounds(spec.Clean, 0).LastStable == 4);

        cluster
            .Read(spec.Clean, 0, committedOnly: true)
            .Select(static r => r.Offset)
            .ShouldBe([0, 2]);
    }

    [Fact]
    public void After_an_abort_the_same_producer_commits()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline();
        using ITransactionalSink sink = Ready(cluster, spec);
        sink.Begin().ShouldBe(TxResult.Ok);
        Send(sink, "aborted");
        sink.Abort(WaitMs).ShouldBe(TxResult.Ok);
        sink.Begin().ShouldBe(TxResult.Ok);
        Send(sink, "committed");

        sink.Commit(WaitMs).ShouldBe(TxResult.Ok);

        Eventually(cluster, () => Committed(cluster, spec.Clean).Length > 0);
        Committed(cluster, spec.Clean).ShouldBe(["committed"]);
    }

    [Fact]
    public void A_transaction_reaches_all_its_topics()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline();
        using ITransactionalSink sink = Ready(cluster, spec);
        sink.Begin().ShouldBe(TxResult.Ok);
        foreach (SinkTopic topic in Enum.GetValues<SinkTopic>())
        {
            Send(sink, $"{topic}", topic);
        }

        sink.Commit(WaitMs).ShouldBe(TxResult.Ok);

        foreach (
            string topic in (string[])
                [spec.Clean, spec.Duplicates!, spec.Quarantine, spec.Changelog, spec.Repartition]
        )
        {
            Eventually(cluster, () => Committed(cluster, topic).Length == 1);
        }
    }

    [Fact]
    public void Two_producers_on_one_partition_do_not_disturb_one_another()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline();
        using ITransactionalSink first = Ready(cluster, spec, "a");
        using ITransactionalSink second = Ready(cluster, spec, "b");
        first.Begin().ShouldBe(TxResult.Ok);
        second.Begin().ShouldBe(TxResult.Ok);
        for (int i = 0; i < 4; i++)
        {
            Send(first, $"a{i}");
        }

        Eventually(cluster, () => cluster.Bounds(spec.Clean, 0).High > 0);
        Send(second, "b");

        second.Commit(WaitMs).ShouldBe(TxResult.Ok);

        // The older one is still open: nothing behind its first record is stable, committed or not.
        Committed(cluster, spec.Clean).ShouldBeEmpty();
        first.Abort(WaitMs).ShouldBe(TxResult.Ok);
        Eventually(cluster, () => Committed(cluster, spec.Clean).Length == 1);
        Committed(cluster, spec.Clean).ShouldBe(["b"]);
    }

    [Fact]
    public void A_second_producer_of_the_same_id_fences_the_first()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline();
        using ITransactionalSink first = Ready(cluster, spec);
        first.Begin().ShouldBe(TxResult.Ok);
        Send(first, "first");
        using ITransactionalSink second = Ready(cluster, spec);

        ShouldBeFenced(first.Commit(WaitMs));

        second.Begin().ShouldBe(TxResult.Ok);
        Send(second, "second");
        second.Commit(WaitMs).ShouldBe(TxResult.Ok);
        Eventually(cluster, () => Committed(cluster, spec.Clean).Length > 0);
        Committed(cluster, spec.Clean).ShouldBe(["second"]);
    }

    [Fact]
    public void Initialising_ends_what_a_predecessor_left_open()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline();
        using ITransactionalSink first = Ready(cluster, spec);
        first.Begin().ShouldBe(TxResult.Ok);
        for (int i = 0; i < 5; i++)
        {
            Send(first, $"{i}");
        }

        Eventually(cluster, () => cluster.Bounds(spec.Clean, 0).High > 0);

        using ITransactionalSink second = Ready(cluster, spec);

        Eventually(cluster, () => cluster.Bounds(spec.Clean, 0) is var b && b.LastStable == b.High);
        Committed(cluster, spec.Clean).ShouldBeEmpty();
    }

    [Fact]
    public void A_fenced_producer_stays_fenced()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline();
        using ITransactionalSink first = Ready(cluster, spec);
        first.Begin().ShouldBe(TxResult.Ok);
        Send(first, "first");
        using ITransactionalSink second = Ready(cluster, spec);
        ShouldBeFenced(first.Commit(WaitMs));

        first.Abort(WaitMs).IsOk.ShouldBeFalse();
        first.Begin().IsOk.ShouldBeFalse();
    }

    [Fact]
    public void A_renewed_producer_takes_the_id_back()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline();
        using ITransactionalSink first = Ready(cluster, spec);
        using ITransactionalSink second = Ready(cluster, spec);
        second.Begin().ShouldBe(TxResult.Ok);
        Send(second, "second");

        first.Renew();
        first.Initialise(WaitMs).ShouldBe(TxResult.Ok);

        ShouldBeFenced(second.Commit(WaitMs));
        first.Begin().ShouldBe(TxResult.Ok);
        Send(first, "first");
        first.Commit(WaitMs).ShouldBe(TxResult.Ok);
        Eventually(cluster, () => Committed(cluster, spec.Clean).Length > 0);
        Committed(cluster, spec.Clean).ShouldBe(["first"]);
    }

    [Fact]
    public void A_transaction_that_outlives_its_time_out_is_aborted_and_its_producer_fenced()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline();
        using ITransactionalSink sink = Ready(cluster, spec, transactionTimeoutMs: 2_000);
        sink.Begin().ShouldBe(TxResult.Ok);
        for (int i = 0; i < 5; i++)
        {
            Send(sink, $"{i}");
        }

        Eventually(cluster, () => cluster.Bounds(spec.Clean, 0).High > 0);

        // The coordinator looks every ten seconds.
        Eventually(
            cluster,
            () => cluster.Bounds(spec.Clean, 0) is var b && b.LastStable == b.High,
            40_000
        );

        sink.Commit(WaitMs).IsOk.ShouldBeFalse();
        Committed(cluster, spec.Clean).ShouldBeEmpty();
    }

    [Fact]
    public void A_record_too_large_for_the_client_is_refused_alone()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline();
        using ITransactionalSink sink = Ready(cluster, spec);
        sink.Begin().ShouldBe(TxResult.Ok);

        TxResult refused = SendRaw(sink, "large", size: 11 << 20);

        refused.Outcome.ShouldBe(TxOutcome.Refused);
        refused.Refusal.ShouldBe(Reason.RefusedTooLarge);
        Send(sink, "small");
        sink.Commit(WaitMs).ShouldBe(TxResult.Ok);
        Eventually(cluster, () => Committed(cluster, spec.Clean).Length > 0);
        Committed(cluster, spec.Clean).ShouldBe(["small"]);
    }

    [Fact]
    public void A_record_too_large_for_the_topic_fails_the_transaction_as_refused_and_the_next_one_as_well()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline(shape: new TopicShape { CleanMaxBytes = 2_000 });
        using ITransactionalSink sink = Ready(cluster, spec);
        sink.Begin().ShouldBe(TxResult.Ok);
        SendRaw(sink, "large", size: 5_000).ShouldBe(TxResult.Ok);

        TxResult refused = sink.Commit(WaitMs);

        refused.Outcome.ShouldBe(TxOutcome.Refused);
        refused.Refusal.ShouldBe(Reason.RefusedTooLarge);
        sink.Abort(WaitMs).ShouldBe(TxResult.Ok);
        ShouldFailOnceMoreAndThenWork(cluster, spec, sink);
    }

    [Fact]
    public void A_send_behind_a_refused_record_says_abortable_with_the_reason()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline(shape: new TopicShape { CleanMaxBytes = 2_000 });
        using ITransactionalSink sink = Ready(cluster, spec);
        sink.Begin().ShouldBe(TxResult.Ok);
        SendRaw(sink, "large", size: 5_000).ShouldBe(TxResult.Ok);
        TxResult later = TxResult.Ok;

        // As soon as the broker's answer is here; until then records are still taken.
        Eventually(
            cluster,
            () =>
            {
                later = SendRaw(sink, "innocent");
                return !later.IsOk;
            }
        );

        later.Outcome.ShouldBe(TxOutcome.Abortable);
        later.Refusal.ShouldBe(Reason.RefusedTooLarge);
        sink.Abort(WaitMs).ShouldBe(TxResult.Ok);
        Committed(cluster, spec.Clean).ShouldBeEmpty();
    }

    [Fact]
    public void A_timestamp_outside_the_bounds_of_the_topic_fails_the_transaction_as_refused_and_the_next_one_as_well()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline(
            shape: new TopicShape { CleanAfterMaxMs = 3_600_000 }
        );
        using ITransactionalSink sink = Ready(cluster, spec);
        sink.Begin().ShouldBe(TxResult.Ok);
        SendRaw(sink, "future", timestampMs: 32_503_680_000_000).ShouldBe(TxResult.Ok);

        TxResult refused = sink.Commit(WaitMs);

        refused.Outcome.ShouldBe(TxOutcome.Refused);
        refused.Refusal.ShouldBe(Reason.RefusedTimestamp);
        sink.Abort(WaitMs).ShouldBe(TxResult.Ok);
        ShouldFailOnceMoreAndThenWork(cluster, spec, sink);
    }

    /// <summary>
    /// The refused record had a sequence number, which the broker never saw: the next batch to that partition is out of
    /// sequence (OUT_OF_ORDER_SEQUENCE_NUMBER), once. The abort after that bumps the epoch and begins to count anew.
    /// </summary>
    private static void ShouldFailOnceMoreAndThenWork(
        IClusterUnderTest cluster,
        PipelineSpec spec,
        ITransactionalSink sink
    )
    {
        var outcomes = new List<TxOutcome>();
        for (int i = 0; i < 2; i++)
        {
            sink.Begin().ShouldBe(TxResult.Ok);
            Send(sink, "small");
            outcomes.Add(sink.Commit(WaitMs).Outcome);
            if (outcomes[^1] != TxOutcome.Ok)
            {
                sink.Abort(WaitMs).ShouldBe(TxResult.Ok);
            }
        }

        outcomes.ShouldBe([TxOutcome.Abortable, TxOutcome.Ok]);
        Eventually(cluster, () => Committed(cluster, spec.Clean).Length > 0);
        Committed(cluster, spec.Clean).ShouldBe(["small"]);
    }

    [Fact]
    public void A_tombstone_and_an_empty_value_stay_distinct()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline();
        using ITransactionalSink sink = Ready(cluster, spec);
        sink.Begin().ShouldBe(TxResult.Ok);
        sink.Send(SinkTopic.Clean, 0, "a"u8, [], isTombstone: true, 1_000, null)
            .ShouldBe(TxResult.Ok);
        sink.Send(SinkTopic.Clean, 0, "b"u8, [], isTombstone: false, 1_000, null)
            .ShouldBe(TxResult.Ok);
        sink.Send(SinkTopic.Clean, 0, [], [], isTombstone: true, 1_000, null).ShouldBe(TxResult.Ok);

        sink.Commit(WaitMs).ShouldBe(TxResult.Ok);

        Eventually(cluster, () => Committed(cluster, spec.Clean).Length == 3);
        IReadOnlyList<PlacedRecord> records = cluster.Read(spec.Clean, 0, committedOnly: true);
        records[0].Record.Value.ShouldBeNull();
        records[1].Record.Value.ShouldBe([]);
        records[2].Record.Key.ShouldBe([]);
    }

    [Fact]
    public void Headers_of_our_own_are_sent_in_order()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline();
        using ITransactionalSink sink = Ready(cluster, spec);
        var added = new AddedHeaders();
        added.Add("first", "1");
        added.Add("second", 2);
        added.Add("first", "again");
        sink.Begin().ShouldBe(TxResult.Ok);
        sink.Send(SinkTopic.Clean, 0, "k"u8, "v"u8, isTombstone: false, 1_000, added)
            .ShouldBe(TxResult.Ok);

        sink.Commit(WaitMs).ShouldBe(TxResult.Ok);

        Eventually(cluster, () => Committed(cluster, spec.Clean).Length == 1);
        cluster
            .Read(spec.Clean, 0, committedOnly: true)[0]
            .Record.Headers.Select(static h =>
                $"{Encoding.UTF8.GetString(h.Name)}={Encoding.UTF8.GetString(h.Value!)}"
            )
            .ShouldBe(["first=1", "second=2", "first=again"]);
    }
}
