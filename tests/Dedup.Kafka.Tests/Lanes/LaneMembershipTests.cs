using Dedup.Kafka.Lanes;
using Dedup.Kafka.Tasks;
using Shouldly;

namespace Dedup.Kafka.Tests.Lanes;

/// <summary>
/// A static member that slept beyond its session, whom the group has let in again under another member id, and whose client
/// has kept its partitions without a word. DEDUP_SEED=1467650934 of ProcessFaultTests: 1,005 events went out twice.
/// </summary>
public sealed class LaneMembershipTests
{
    [Fact]
    public void A_store_is_sealed_when_its_partition_is_given_back_under_the_name_that_it_was_assigned_under()
    {
        using LaneUnderTest test = WithActivePartition();

        test.Source.Revoke(0);
        test.Steps(2);

        test.Sink.OffsetsOf.ShouldBe(["m", "m"]);
        test.Stores.Sealed.ShouldBe([0]);
        test.Source.Rejoins.ShouldBe(0);
    }

    [Fact]
    public void Given_back_under_another_name_a_partition_is_neither_committed_nor_its_store_sealed()
    {
        using LaneUnderTest test = WithActivePartition();

        test.Source.MemberId = "n";
        test.Source.Revoke(0);
        test.Steps(2);

        test.Sink.OffsetsOf.ShouldBe(["m"]);
        test.Stores.Open.ShouldBeEmpty();
        test.Stores.Sealed.ShouldBeEmpty();
        test.Lane.State.ShouldBe(LaneState.Running, test.Lane.Failure);
    }

    [Fact]
    public void Assigned_something_under_another_name_a_lane_gives_up_all_that_it_held_and_joins_once_more()
    {
        using LaneUnderTest test = WithActivePartition();

        test.Source.MemberId = "n";
        test.Source.Assign(1);
        test.Steps(3);

        test.Sink.OffsetsOf.ShouldBe(["m"]);
        test.Lane.Tasks.ShouldBeEmpty();
        test.Stores.Sealed.ShouldBeEmpty();
        test.Source.Rejoins.ShouldBe(1);

        test.Source.Assign(0);
        test.Steps(20);
        test.Lane.Tasks.ShouldHaveSingleItem().Value.State.ShouldBe(TaskState.Active);
        test.Source.Rejoins.ShouldBe(1);
    }

    private static LaneUnderTest WithActivePartition()
    {
        var test = new LaneUnderTest();
        test.Source.CommittedOffset = static () => 2;
        test.Stores.Headers[0] = new(LaneUnderTest.MarkerAt(2) with { Writer = "before" }, 7);
        test.Changelog.End = 9;
        test.Changelog.IsRead = true;
        test.Source.Assign(0);
        test.Steps(20);
        test.Lane.Tasks.ShouldHaveSingleItem().Value.State.ShouldBe(TaskState.Active);
        test.Sink.OffsetsOf.ShouldBe(["m"]);
        return test;
    }
}
