using Dedup.Kafka.Lanes;
using Dedup.Kafka.Tasks;
using Dedup.Topology.Ports;
using Shouldly;

namespace Dedup.Kafka.Tests.Lanes;

/// <summary>Restores that something comes between: what was sealed on the way, and who went on meanwhile.</summary>
public sealed class LaneRestoreTests
{
    /// <summary>Seeds 132117 and 134390 of the simulation: the marker stood below the new floor, and was never read again.</summary>
    [Fact]
    public void A_seal_that_ends_while_its_restore_begins_anew_gives_its_marker_to_it()
    {
        using var test = new LaneUnderTest();
        test.Source.CommittedOffset = static () => 2;
        test.Changelog.End = 9;
        test.Source.Assign(0, 1);
        test.Steps(3);
        test.Changelog.Opened.ShouldContain((0, 0));

        test.Stores.Damaged.Add(1);
        test.Steps(1);
        test.Lane.State.ShouldBe(LaneState.Rebuilding);
        test.Stores.Headers[0] = new StoreHeader(LaneUnderTest.MarkerAt(2), 7);
        test.Steps(3);

        test.Changelog.Opened.ShouldContain((0, 7));
        test.Source.Lose(1);
        test.Changelog.IsRead = true;
        test.Steps(20);
        test.Lane.State.ShouldBe(LaneState.Running, test.Lane.Failure);
        test.Lane.Tasks.ShouldHaveSingleItem().Value.State.ShouldBe(TaskState.Active);
    }

    /// <summary>Seed 127054: a lane that had not heard of its successor yet called what that one committed moved back.</summary>
    [Fact]
    public void A_state_beyond_the_committed_offset_is_no_disagreement_while_somebody_else_goes_on()
    {
        using var test = new LaneUnderTest();
        // The successor commits, marker and offset, between any two questions of this lane.
        test.Changelog.ToWrite = 20;
        test.Source.CommittedOffset = () => test.Changelog.Written;
        test.Source.Assign(0);

        test.Steps(100);

        test.Lane.State.ShouldBe(LaneState.Running, test.Lane.Failure);
        test.Lane.Tasks.ShouldHaveSingleItem().Value.State.ShouldBe(TaskState.Active);
    }

    [Fact]
    public void Offsets_that_were_moved_back_are_refused()
    {
        using var test = new LaneUnderTest();
        test.Source.CommittedOffset = static () => 9;
        test.Stores.Headers[0] = new StoreHeader(LaneUnderTest.MarkerAt(10), 7);
        test.Changelog.End = 9;
        test.Changelog.IsRead = true;
        test.Source.Assign(0);

        test.Steps(100);

        test.Lane.State.ShouldBe(LaneState.Failed);
        test.Lane.Failure.ShouldNotBeNull().ShouldContain("stands at 9, the state at 10");
    }
}
