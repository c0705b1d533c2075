using Dedup.Kafka.Lanes;
using Dedup.Kafka.Tasks;
using Shouldly;

namespace Dedup.Kafka.Tests.Lanes;

/// <summary>The tables equal the diagrams above the enums.</summary>
public sealed class TransitionTests
{
    private static readonly HashSet<(LaneState, LaneState)> LaneDiagram =
    [
        (LaneState.Starting, LaneState.Running),
        (LaneState.Running, LaneState.Aborting),
        (LaneState.Running, LaneState.Rebuilding),
        (LaneState.Aborting, LaneState.Running),
        (LaneState.Aborting, LaneState.Rebuilding),
        (LaneState.Rebuilding, LaneState.Running),
        (LaneState.Starting, LaneState.Stopping),
        (LaneState.Running, LaneState.Stopping),
        (LaneState.Aborting, LaneState.Stopping),
        (LaneState.Rebuilding, LaneState.Stopping),
        (LaneState.Stopping, LaneState.Stopped),
        (LaneState.Starting, LaneState.Failed),
        (LaneState.Running, LaneState.Failed),
        (LaneState.Aborting, LaneState.Failed),
        (LaneState.Rebuilding, LaneState.Failed),
        (LaneState.Stopping, LaneState.Failed),
    ];

    private static readonly HashSet<(TaskState, TaskState)> TaskDiagram =
    [
        (TaskState.Assigned, TaskState.Restoring),
        (TaskState.Restoring, TaskState.Active),
        (TaskState.Active, TaskState.Restoring),
        (TaskState.Assigned, TaskState.Revoking),
        (TaskState.Restoring, TaskState.Revoking),
        (TaskState.Active, TaskState.Revoking),
        (TaskState.Revoking, TaskState.Closed),
        (TaskState.Assigned, TaskState.Lost),
        (TaskState.Restoring, TaskState.Lost),
        (TaskState.Active, TaskState.Lost),
        (TaskState.Revoking, TaskState.Lost),
    ];

    [Fact]
    public void A_lane_moves_only_along_its_diagram()
    {
        foreach (LaneState from in Enum.GetValues<LaneState>())
        {
            foreach (LaneState to in Enum.GetValues<LaneState>())
            {
                LaneTransitions
                    .IsAllowed(from, to)
                    .ShouldBe(LaneDiagram.Contains((from, to)), $"{from} → {to}");
            }
        }
    }

    [Fact]
    public void A_task_moves_only_along_its_diagram()
    {
        foreach (TaskState from in Enum.GetValues<TaskState>())
        {
            foreach (TaskState to in Enum.GetValues<TaskState>())
            {
                TaskTransitions
                    .IsAllowed(from, to)
                    .ShouldBe(TaskDiagram.Contains((from, to)), $"{from} → {to}");
            }
        }
    }
}
