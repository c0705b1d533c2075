namespace Dedup.Kafka.Tasks;

/// <summary>States of a partition task.</summary>
/// <remarks>
/// <code>
/// Assigned ──▶ Restoring ⇄ Active ──▶ Revoking ──▶ Closed
///     └────────────┴──────────────────────▲
///                  any ──▶ Lost
/// </code>
/// Restoring is a state of the task, not of the lane: the lane goes on committing for its other partitions. Active goes back
/// to Restoring when the producer was made anew and the task has to catch up.
/// </remarks>
public enum TaskState : byte
{
    /// <summary>The partition was given to this lane; its store is not open yet.</summary>
    Assigned,

    /// <summary>The store is being brought up to the committed offset.</summary>
    Restoring,

    /// <summary>Records are judged.</summary>
    Active,

    /// <summary>The partition is being given away.</summary>
    Revoking,

    /// <summary>Given away; the store is closed.</summary>
    Closed,

    /// <summary>Somebody else may own it already; nothing more may be written for it.</summary>
    Lost,
}

/// <summary>The table of allowed transitions.</summary>
public static class TaskTransitions
{
    /// <summary>Whether a task may go from one state to the other.</summary>
    public static bool IsAllowed(TaskState from, TaskState to) =>
        (from, to) switch
        {
            (TaskState.Closed, _) or (TaskState.Lost, _) => false,
            (_, TaskState.Lost) => true,
            (TaskState.Assigned, TaskState.Restoring) => true,
            (TaskState.Restoring, TaskState.Active) => true,
            (TaskState.Active, TaskState.Restoring) => true,
            (TaskState.Assigned or TaskState.Restoring or TaskState.Active, TaskState.Revoking) =>
                true,
            (TaskState.Revoking, TaskState.Closed) => true,
            _ => false,
        };
}
