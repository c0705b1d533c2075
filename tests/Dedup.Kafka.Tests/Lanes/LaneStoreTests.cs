using Dedup.Kafka.Lanes;
using Shouldly;

namespace Dedup.Kafka.Tests.Lanes;

/// <summary>What a lane does with stores that cannot be closed or opened: nothing stays locked unsaid.</summary>
public sealed class LaneStoreTests
{
    [Fact]
    public void A_store_that_fails_to_close_in_a_revocation_fails_the_lane_and_keeps_no_other_one_open()
    {
        using var test = new LaneUnderTest();
        test.Source.Assign(0, 1, 2);
        test.Steps(3);
        test.Stores.Open.ShouldBe([0, 1, 2], ignoreOrder: true);
        test.Stores.FailToClose.UnionWith([0, 1]);

        test.Source.Revoke(0, 1, 2);
        test.Steps(1);

        test.Stores.Open.ShouldBeEmpty();
        test.Lane.Tasks.ShouldBeEmpty();
        test.Lane.State.ShouldBe(LaneState.Failed);
        test.Lane.IsStoreFailure.ShouldBeTrue();
        test.Lane.Failure.ShouldBe("partition 0: the disk is full");
    }

    [Fact]
    public void A_store_that_fails_to_close_when_partitions_are_lost_fails_the_lane_and_keeps_no_other_one_open()
    {
        using var test = new LaneUnderTest();
        test.Source.Assign(0, 1, 2);
        test.Steps(3);
        test.Stores.FailToClose.Add(1);

        test.Source.Lose(0, 1, 2);
        test.Steps(1);

        test.Stores.Open.ShouldBeEmpty();
        test.Lane.State.ShouldBe(LaneState.Failed);
        test.Lane.Failure.ShouldBe("partition 1: the disk is full");
    }

    [Fact]
    public void A_lock_is_waited_for_while_it_may_be_a_close_that_takes_long()
    {
        using var test = new LaneUnderTest();
        test.Stores.AreLocked = true;
        test.Source.Assign(0);
        test.Pass(TimeSpan.FromSeconds(290));
        test.Lane.State.ShouldBe(LaneState.Running);

        test.Stores.AreLocked = false;
        test.Pass(TimeSpan.FromSeconds(1));

        test.Stores.Open.ShouldBe([0]);
        test.Lane.State.ShouldBe(LaneState.Running);
    }

    [Fact]
    public void A_lock_that_is_never_let_go_fails_the_lane()
    {
        using var test = new LaneUnderTest();
        test.Stores.AreLocked = true;
        test.Source.Assign(0);

        test.Pass(TimeSpan.FromSeconds(302));

        test.Lane.State.ShouldBe(LaneState.Failed);
        test.Lane.IsStoreFailure.ShouldBeTrue();
        test.Lane.Failure.ShouldNotBeNull().ShouldContain("LOCK is held");
        test.Lane.Failure.ShouldContain("restart this process");
    }

    [Fact]
    public void The_time_for_which_a_process_was_stopped_is_not_time_that_a_lock_was_waited_for()
    {
        using var test = new LaneUnderTest();
        test.Stores.AreLocked = true;
        test.Source.Assign(0);
        test.Pass(TimeSpan.FromSeconds(1));

        test.Pass(TimeSpan.FromHours(1), steps: false);
        test.Pass(TimeSpan.FromSeconds(100));

        test.Lane.State.ShouldBe(LaneState.Running);
    }
}
