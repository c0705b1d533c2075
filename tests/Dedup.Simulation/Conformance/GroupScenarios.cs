using Dedup.Topology.Pipelines;
using Dedup.Topology.Ports;
using Shouldly;

namespace Dedup.Simulation.Conformance;

/// <summary>Members, generations, rebalances.</summary>
public abstract class GroupScenarios : ConformanceSuite
{
    [Fact]
    public void A_member_has_a_generation_and_an_id_once_it_has_partitions()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline(3);

        Member member = Join(cluster, spec, partitions: 3);

        member.Source.Membership.IsMember.ShouldBeTrue();
        member.Owned.ShouldBe([0, 1, 2]);
        member.Source.Close();
    }

    [Fact]
    public void A_source_that_has_not_joined_is_no_member()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline();
        using IRecordSource source = cluster.Source(spec);

        source.Membership.IsMember.ShouldBeFalse();
    }

    [Fact]
    public void Two_members_share_the_partitions_and_keep_what_does_not_move()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline(4);
        Member first = Join(cluster, spec, partitions: 4);
        int fewest = 4;
        first.OnRevoke = () => fewest = Math.Min(fewest, first.Owned.Count);

        var second = new Member(cluster, cluster.Source(spec));
        second.PollUntil(() =>
        {
            _ = first.Poll();
            fewest = Math.Min(fewest, first.Owned.Count);
            return first.Owned.Count == 2 && second.Owned.Count == 2;
        });

        // Cooperative: the first never gave up more than it had to, and nobody owned a partition with somebody else.
        fewest.ShouldBe(2);
        first.Owned.Overlaps(second.Owned).ShouldBeFalse();
        first.Source.Close();
        second.Source.Close();
    }

    [Fact]
    public void What_a_leaving_member_had_goes_to_the_others()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline(2);
        Member first = Join(cluster, spec, partitions: 2);
        var second = new Member(cluster, cluster.Source(spec));
        second.PollUntil(() =>
        {
            _ = first.Poll();
            return second.Owned.Count == 1;
        });

        first.Source.Close();

        second.PollUntil(() => second.Owned.Count == 2);
        first.Owned.ShouldBeEmpty();
        second.Source.Close();
    }

    [Fact]
    public void Offsets_can_be_committed_inside_a_revocation()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline(2);
        using ITransactionalSink sink = Ready(cluster, spec);
        Member first = Join(cluster, spec, partitions: 2);
        var results = new List<TxResult>();
        first.OnRevoke = () =>
        {
            results.Add(sink.Begin());
            results.Add(SendOffset(sink, first, 12));
            results.Add(sink.Commit(WaitMs));
            first.OnRevoke = null;
        };

        var second = new Member(cluster, cluster.Source(spec));
        second.PollUntil(() =>
        {
            _ = first.Poll();
            return second.Owned.Count == 1;
        });

        results.ShouldBe([TxResult.Ok, TxResult.Ok, TxResult.Ok]);
        CommittedOffset(cluster, second).Offset.ShouldBe(12);
        first.Source.Close();
        second.Source.Close();
    }

    /// <summary>
    /// A store may fail while it is closed inside a revocation. Its lane has to hear of it, and the group must not wait: a
    /// member that never gives its partition up is thrown out, and whoever gets the rest finds it still in use.
    /// </summary>
    [Fact]
    public void What_is_thrown_inside_a_revocation_comes_out_of_the_poll_and_the_partition_moves_on()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline(2);
        Member first = Join(cluster, spec, partitions: 2);
        first.OnRevoke = () =>
        {
            first.OnRevoke = null;
            throw new StoreFailedException("the disk is full");
        };
        var second = new Member(cluster, cluster.Source(spec));
        var thrown = new List<string>();

        second.PollUntil(() =>
        {
            try
            {
                _ = first.Poll();
            }
            catch (StoreFailedException e)
            {
                thrown.Add(e.Message);
            }

            return thrown.Count > 0 && second.Owned.Count == 1;
        });

        thrown.ShouldBe(["the disk is full"]);
        first.Source.Close();
        second.Source.Close();
    }

    [Fact]
    public void A_static_member_that_comes_back_has_its_partitions_again_and_the_others_notice_nothing()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline(2);
        Member first = Join(cluster, spec, partitions: 2, instanceId: "one");
        var second = new Member(cluster, cluster.Source(spec, "two"));
        second.PollUntil(() =>
        {
            _ = first.Poll();
            return second.Owned.Count == 1 && first.Owned.Count == 1;
        });
        second.PollFor(500);
        first.PollFor(500);
        int had = first.Owned.Single();
        int generation = second.Source.Membership.Generation;

        first.Source.Close();
        var again = new Member(cluster, cluster.Source(spec, "one"));
        again.PollUntil(() =>
        {
            _ = second.Poll();
            return again.Owned.Count == 1;
        });

        again.Owned.Single().ShouldBe(had);
        second.Owned.Count.ShouldBe(1);
        second.Source.Membership.Generation.ShouldBe(generation);
        again.Source.Close();
        second.Source.Close();
    }

    [Fact]
    public void A_second_static_member_of_the_same_id_throws_the_first_out()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline();
        using ITransactionalSink sink = Ready(cluster, spec);
        Member first = Join(cluster, spec, instanceId: "one");
        GroupMembership old = first.Source.Membership;

        var second = new Member(cluster, cluster.Source(spec, "one"));
        second.PollUntil(() =>
        {
            _ = first.Poll();
            return second.Owned.Count == 1 && first.Faults.Contains(SourceFault.Fenced);
        });

        sink.Begin().ShouldBe(TxResult.Ok);
        Send(sink, "1");
        sink.SendOffsets([new PartitionOffset(0, 9)], old, WaitMs)
            .Outcome.ShouldBe(TxOutcome.Abortable);
        sink.Abort(WaitMs).ShouldBe(TxResult.Ok);
        second.Source.Close();
    }

    /// <summary>
    /// The first is asked to give one of two partitions up and is replaced before it joins again: its successor gets what the
    /// first was to keep, and nobody the other one, until somebody leaves and joins.
    /// </summary>
    [Fact]
    public void A_partition_left_to_nobody_is_seen_and_comes_back_with_a_rejoin()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline(2);
        Member first = Join(cluster, spec, partitions: 2, instanceId: "one");
        Covered(first).ShouldBe(GroupCoverage.Complete);
        Member? heir = null;
        first.OnRevoke = () =>
        {
            first.OnRevoke = null;
            heir = new Member(cluster, cluster.Source(spec, "one"));
            heir.PollUntil(() => heir.Owned.Count == 1);
        };
        var second = new Member(cluster, cluster.Source(spec, "two"));
        second.PollUntil(() =>
        {
            _ = first.Poll();
            return heir is not null;
        });

        for (int i = 0; i < 3; i++)
        {
            heir!.PollFor(1_000);
            second.PollFor(1_000);
            Covered(heir).ShouldBe(GroupCoverage.Incomplete);
        }

        heir!.Owned.Count.ShouldBe(1);
        second.Owned.ShouldBeEmpty();
        int kept = heir.Owned.Single();
        var revoked = new List<int>();
        heir.OnRevoke = () => revoked.AddRange(heir.Owned);

        heir.Source.Rejoin();

        heir.PollUntil(() =>
        {
            _ = second.Poll();
            return heir.Owned.Count == 1 && second.Owned.Count == 1;
        });
        revoked.ShouldBe([kept]);
        heir.Owned.Overlaps(second.Owned).ShouldBeFalse();
        Covered(heir).ShouldBe(GroupCoverage.Complete);
        heir.Lost.ShouldBeEmpty();
        heir.Source.Close();
        second.Source.Close();
    }

    private static GroupCoverage Covered(Member member)
    {
        GroupCoverage coverage = GroupCoverage.Unknown;
        member.PollUntil(() => (coverage = member.Source.Coverage(2)) != GroupCoverage.Unknown);
        return coverage;
    }

    /// <summary>
    /// The first stays inside its revocation and so does not join: all others wait with their joins, the one that is replaced
    /// among them. Without an answer it would wait for ever, since nobody would ever complete its join.
    /// </summary>
    [Fact]
    public void A_static_member_that_is_replaced_while_it_waits_to_join_is_fenced()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline(2);
        Member first = Join(cluster, spec, partitions: 2);
        Member? replaced = null;
        Member? heir = null;
        first.OnRevoke = () =>
        {
            first.OnRevoke = null;
            replaced = new Member(cluster, cluster.Source(spec, "one"));
            replaced.PollFor(2_000);
            heir = new Member(cluster, cluster.Source(spec, "one"));
            heir.PollUntil(() =>
            {
                _ = replaced.Poll();
                return replaced.Faults.Contains(SourceFault.Fenced);
            });
        };
        var second = new Member(cluster, cluster.Source(spec));

        second.PollUntil(() =>
        {
            _ = first.Poll();
            _ = heir?.Poll();
            return heir is not null
                && first.Owned.Count + second.Owned.Count + heir.Owned.Count == 2
                && heir.Source.Membership.IsMember;
        });

        replaced!.Owned.ShouldBeEmpty();
        heir!.Faults.ShouldBeEmpty();
        first.Source.Close();
        second.Source.Close();
        heir.Source.Close();
    }

    /// <summary>
    /// librdkafka puts an unsubscription in the middle of a rebalance off, and a subscription that follows at once undoes it: what
    /// the member keeps would never be assigned to it again, and a lane that has given it up would never read it.
    /// </summary>
    [Theory]
    [InlineData(null)]
    [InlineData("one")]
    public void A_rejoin_in_the_middle_of_a_rebalance_gives_back_what_was_kept_and_brings_it_again(
        string? instanceId
    )
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline(2);
        Member first = Join(cluster, spec, partitions: 2, instanceId: instanceId);
        bool isRevoked = false;
        first.OnRevoke = () => isRevoked = true;
        var second = new Member(cluster, cluster.Source(spec));
        second.PollUntil(() =>
        {
            _ = first.Poll();
            return isRevoked;
        });
        isRevoked = false;
        first.Owned.Count.ShouldBe(1);

        first.Source.Rejoin();

        second.PollUntil(() =>
        {
            _ = first.Poll();
            return isRevoked && first.Owned.Count == 1 && second.Owned.Count == 1;
        });
        first.Owned.Overlaps(second.Owned).ShouldBeFalse();
        first.Source.Close();
        second.Source.Close();
    }

    [Fact]
    public void Added_partitions_are_assigned_by_and_by()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline(1);
        Member member = Join(cluster, spec);

        cluster.Grow(spec, 2);

        member.PollUntil(() => member.Owned.Count == 2);
        cluster.Produce(spec.Input, 1, Record("new"));
        member.PollUntil(() => member.Records.Count == 1);
        member.Source.Close();
    }
}
