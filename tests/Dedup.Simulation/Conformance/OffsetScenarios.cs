using Dedup.Topology.Pipelines;
using Dedup.Topology.Ports;
using Shouldly;

namespace Dedup.Simulation.Conformance;

/// <summary>Committed offsets, inside transactions and across generations.</summary>
public abstract class OffsetScenarios : ConformanceSuite
{
    [Fact]
    public void A_group_without_offsets_has_none()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline();
        using IRecordSource source = cluster.Source(spec);
        Member member = Join(cluster, spec);

        CommittedOffset(cluster, member).Status.ShouldBe(LookupStatus.None);
        member.Source.Close();
    }

    [Fact]
    public void Offsets_are_committed_with_their_transaction()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline();
        using ITransactionalSink sink = Ready(cluster, spec);
        Member member = Join(cluster, spec);
        sink.Begin().ShouldBe(TxResult.Ok);
        Send(sink, "1");
        SendOffset(sink, member, 17).ShouldBe(TxResult.Ok);

        sink.Commit(WaitMs).ShouldBe(TxResult.Ok);

        CommittedOffset(cluster, member).Offset.ShouldBe(17);
        member.Source.Close();
    }

    [Fact]
    public void Offsets_alone_make_a_transaction()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline();
        using ITransactionalSink sink = Ready(cluster, spec);
        Member member = Join(cluster, spec);
        sink.Begin().ShouldBe(TxResult.Ok);
        SendOffset(sink, member, 5).ShouldBe(TxResult.Ok);

        sink.Commit(WaitMs).ShouldBe(TxResult.Ok);

        CommittedOffset(cluster, member).Offset.ShouldBe(5);
        member.Source.Close();
    }

    [Fact]
    public void Offsets_of_an_aborted_transaction_are_forgotten()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline();
        using ITransactionalSink sink = Ready(cluster, spec);
        Member member = Join(cluster, spec);
        sink.Begin().ShouldBe(TxResult.Ok);
        SendOffset(sink, member, 3).ShouldBe(TxResult.Ok);
        sink.Commit(WaitMs).ShouldBe(TxResult.Ok);
        sink.Begin().ShouldBe(TxResult.Ok);
        SendOffset(sink, member, 99).ShouldBe(TxResult.Ok);

        sink.Abort(WaitMs).ShouldBe(TxResult.Ok);

        CommittedOffset(cluster, member).Offset.ShouldBe(3);
        member.Source.Close();
    }

    [Fact]
    public void The_last_of_several_offsets_in_a_transaction_counts()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline();
        using ITransactionalSink sink = Ready(cluster, spec);
        Member member = Join(cluster, spec);
        sink.Begin().ShouldBe(TxResult.Ok);
        SendOffset(sink, member, 8).ShouldBe(TxResult.Ok);
        SendOffset(sink, member, 6).ShouldBe(TxResult.Ok);

        sink.Commit(WaitMs).ShouldBe(TxResult.Ok);

        CommittedOffset(cluster, member).Offset.ShouldBe(6);
        member.Source.Close();
    }

    [Fact]
    public void A_committed_offset_is_pending_while_a_transaction_holds_another()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline();
        using ITransactionalSink sink = Ready(cluster, spec);
        Member member = Join(cluster, spec);
        sink.Begin().ShouldBe(TxResult.Ok);
        SendOffset(sink, member, 4).ShouldBe(TxResult.Ok);

        member.Source.Committed(0, 500).Status.ShouldBe(LookupStatus.Pending);

        sink.Commit(WaitMs).ShouldBe(TxResult.Ok);
        CommittedOffset(cluster, member).Offset.ShouldBe(4);
        member.Source.Close();
    }

    [Fact]
    public void Fencing_ends_pending_offsets()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline();
        using ITransactionalSink sink = Ready(cluster, spec);
        Member member = Join(cluster, spec);
        sink.Begin().ShouldBe(TxResult.Ok);
        SendOffset(sink, member, 4).ShouldBe(TxResult.Ok);
        member.Source.Committed(0, 500).Status.ShouldBe(LookupStatus.Pending);

        cluster.Fencer(spec).Fence(sink.TransactionalId, WaitMs).ShouldBe(TxResult.Ok);

        CommittedOffset(cluster, member).Status.ShouldBe(LookupStatus.None);
        member.Source.Close();
    }

    [Fact]
    public void A_membership_of_an_earlier_generation_is_refused_as_abortable()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline(2);
        using ITransactionalSink sink = Ready(cluster, spec);
        Member first = Join(cluster, spec, partitions: 2);
        GroupMembership old = first.Source.Membership;
        var second = new Member(cluster, cluster.Source(spec));
        second.PollUntil(() =>
        {
            _ = first.Poll();
            return second.Owned.Count == 1 && first.Source.Membership.Generation > old.Generation;
        });
        sink.Begin().ShouldBe(TxResult.Ok);
        Send(sink, "1");

        sink.SendOffsets([new PartitionOffset(0, 9)], old, WaitMs)
            .Outcome.ShouldBe(TxOutcome.Abortable);

        sink.Abort(WaitMs).ShouldBe(TxResult.Ok);
        sink.Begin().ShouldBe(TxResult.Ok);
        Send(sink, "2");
        SendOffset(sink, first, 9).ShouldBe(TxResult.Ok);
        sink.Commit(WaitMs).ShouldBe(TxResult.Ok);
        CommittedOffset(cluster, first).Offset.ShouldBe(9);
        first.Source.Close();
        second.Source.Close();
    }

    [Fact]
    public void A_membership_that_has_left_is_refused_as_abortable()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline();
        using ITransactionalSink sink = Ready(cluster, spec);
        Member gone = Join(cluster, spec);
        GroupMembership membership = gone.Source.Membership;
        gone.Source.Close();
        sink.Begin().ShouldBe(TxResult.Ok);
        Send(sink, "1");

        sink.SendOffsets([new PartitionOffset(0, 9)], membership, WaitMs)
            .Outcome.ShouldBe(TxOutcome.Abortable);

        sink.Abort(WaitMs).ShouldBe(TxResult.Ok);
    }

    [Fact]
    public void After_offsets_were_refused_every_call_says_so_until_the_abort()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline();
        using ITransactionalSink sink = Ready(cluster, spec);
        Member gone = Join(cluster, spec);
        GroupMembership membership = gone.Source.Membership;
        gone.Source.Close();
        sink.Begin().ShouldBe(TxResult.Ok);
        _ = sink.SendOffsets([new PartitionOffset(0, 9)], membership, WaitMs);

        SendRaw(sink, "1").Outcome.ShouldBe(TxOutcome.Abortable);
        sink.Commit(WaitMs).Outcome.ShouldBe(TxOutcome.Abortable);

        sink.Abort(WaitMs).ShouldBe(TxResult.Ok);
        sink.Begin().ShouldBe(TxResult.Ok);
        Send(sink, "2");
        sink.Commit(WaitMs).ShouldBe(TxResult.Ok);
    }

    [Fact]
    public void Offsets_of_a_fenced_producer_are_not_taken()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline();
        using ITransactionalSink first = Ready(cluster, spec);
        Member member = Join(cluster, spec);
        first.Begin().ShouldBe(TxResult.Ok);
        using ITransactionalSink second = Ready(cluster, spec);

        TxResult result = SendOffset(first, member, 9);
        if (result.IsOk)
        {
            result = first.Commit(WaitMs);
        }

        ShouldBeFenced(result);
        CommittedOffset(cluster, member).Status.ShouldBe(LookupStatus.None);
        member.Source.Close();
    }
}
