using Dedup.Kafka.Tasks;

namespace Dedup.Kafka.Lanes;

/// <summary>What a lane tells of itself, on the lane's thread, never for each record.</summary>
public interface ILaneObserver
{
    /// <summary>The lane changed its state.</summary>
    void LaneChanged(LaneState from, LaneState to, string why);

    /// <summary>A task changed its state.</summary>
    void TaskChanged(int partition, TaskState from, TaskState to);

    /// <summary>A transaction was committed.</summary>
    void Committed(int records, long openMs, long commitMs);

    /// <summary>Something is wrong, and the lane goes on.</summary>
    void Trouble(string what);

    /// <summary>A restore goes on.</summary>
    /// <param name="partition">The partition.</param>
    /// <param name="position">Changelog offset reached.</param>
    /// <param name="target">Changelog offset to be reached.</param>
    /// <param name="ids">IDs applied so far.</param>
    void Restoring(int partition, long position, long target, long ids);

    /// <summary>A partition waits for a tenant's rate; it goes on by itself.</summary>
    /// <param name="partition">The partition.</param>
    /// <param name="tenant">The tenant, empty for records without one.</param>
    /// <param name="waitMs">How long, in ms.</param>
    void Throttled(int partition, string tenant, long waitMs);
}

/// <summary>Hears nothing.</summary>
public sealed class SilentObserver : ILaneObserver
{
    /// <summary>The one instance.</summary>
    public static readonly SilentObserver Instance = new();

    /// <inheritdoc/>
    public void LaneChanged(LaneState from, LaneState to, string why) { }

    /// <inheritdoc/>
    public void TaskChanged(int partition, TaskState from, TaskState to) { }

    /// <inheritdoc/>
    public void Committed(int records, long openMs, long commitMs) { }

    /// <inheritdoc/>
    public void Trouble(string what) { }

    /// <inheritdoc/>
    public void Restoring(int partition, long position, long target, long ids) { }

    /// <inheritdoc/>
    public void Throttled(int partition, string tenant, long waitMs) { }
}
