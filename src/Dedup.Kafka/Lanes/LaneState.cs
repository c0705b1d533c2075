namespace Dedup.Kafka.Lanes;

/// <summary>States of a lane.</summary>
/// <remarks>
/// <code>
///                 ┌────────────┐
///                 ▼            │
/// Starting ──▶ Running ──▶ Aborting
///    │          │  ▲          │
///    │          ▼  │          │
///    │       Rebuilding ◀─────┘
///    │          │
///    └──▶ Stopping ──▶ Stopped      (Stopping from every state but the last two)
///             any  ──▶ Failed       (said loudly; the process exits non-zero)
/// </code>
/// </remarks>
public enum LaneState : byte
{
    /// <summary>The producer is being initialised; the group has not been joined.</summary>
    Starting,

    /// <summary>Polling, judging, committing.</summary>
    Running,

    /// <summary>The open transaction is being aborted and the consumer rewound.</summary>
    Aborting,

    /// <summary>The producer is uncertain or fenced; a new one is being initialised and the tasks catch up from the changelog.</summary>
    Rebuilding,

    /// <summary>Committing what is open, closing stores, leaving.</summary>
    Stopping,

    /// <summary>Done.</summary>
    Stopped,

    /// <summary>It cannot go on; the reason is in <see cref="Lane.Failure"/>.</summary>
    Failed,
}

/// <summary>The table of allowed transitions.</summary>
public static class LaneTransitions
{
    /// <summary>Whether a lane may go from one state to the other.</summary>
    public static bool IsAllowed(LaneState from, LaneState to) =>
        (from, to) switch
        {
            (LaneState.Stopped, _) or (LaneState.Failed, _) => false,
            (_, LaneState.Failed) => true,
            (LaneState.Stopping, LaneState.Stopped) => true,
            (LaneState.Stopping, _) => false,
            (_, LaneState.Stopping) => true,
            (LaneState.Starting, LaneState.Running) => true,
            (LaneState.Running, LaneState.Aborting or LaneState.Rebuilding) => true,
            (LaneState.Aborting, LaneState.Running or LaneState.Rebuilding) => true,
            (LaneState.Rebuilding, LaneState.Running) => true,
            _ => false,
        };
}
