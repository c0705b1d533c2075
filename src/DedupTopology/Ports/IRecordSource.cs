using Dedup.Topology.Records;

namespace Dedup.Topology.Ports;

/// <summary>Who this lane is in the consumer group, taken fresh for every commit.</summary>
/// <remarks>Adapters derive from it to carry what the broker needs.</remarks>
public abstract class GroupMembership
{
    /// <summary>Generation of the group; negative when the member has been thrown out.</summary>
    public abstract int Generation { get; }

    /// <summary>
    /// Member id; empty when the member has been thrown out. The group gives a new one to who comes back, and a client may keep
    /// its partitions over that without a word: what was assigned under another id may be somebody else's.
    /// </summary>
    public abstract string MemberId { get; }

    /// <summary>Whether offsets may be sent with it.</summary>
    public bool IsMember => Generation >= 0 && MemberId.Length > 0;
}

/// <summary>First and end offset of a log.</summary>
/// <param name="Low">First offset that still exists.</param>
/// <param name="High">High watermark: the offset after the last record, committed or not.</param>
/// <param name="LastStable">Last stable offset: no transaction is open below it. Equals High when none is open.</param>
public readonly record struct LogBounds(long Low, long High, long LastStable);

/// <summary>How a look-up at the broker ended.</summary>
public enum LookupStatus : byte
{
    /// <summary>The value is there.</summary>
    Found,

    /// <summary>There is no value (no committed offset).</summary>
    None,

    /// <summary>Not known yet: a pending transaction holds it up, or the time ran out. Ask again.</summary>
    Pending,

    /// <summary>The broker refuses for good; the detail says why.</summary>
    Failed,
}

/// <summary>Answer to a question for one offset.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="Offset">The offset when found.</param>
/// <param name="Detail">What went wrong otherwise.</param>
public readonly record struct OffsetLookup(LookupStatus Status, long Offset, string? Detail);

/// <summary>Answer to a question for a log's bounds.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="Bounds">The bounds when found.</param>
/// <param name="Detail">What went wrong otherwise.</param>
public readonly record struct BoundsLookup(LookupStatus Status, LogBounds Bounds, string? Detail);

/// <summary>What went wrong while polling.</summary>
public enum SourceFault : byte
{
    /// <summary>The client goes on trying by itself (broker away, connection lost).</summary>
    Transient,

    /// <summary>The position is not in the log: records were deleted unread or offsets were reset.</summary>
    OffsetOutOfRange,

    /// <summary>The client cannot go to the offset that it was told to. What it brings of the partition is not what was asked for.</summary>
    CannotSeek,

    /// <summary>Membership was lost for good (another process uses the same group.instance.id, or processing took too long).</summary>
    Fenced,

    /// <summary>The client cannot go on (authorisation, unknown topic, internal).</summary>
    Fatal,
}

/// <summary>Whether every partition of the input belongs to a member of the group.</summary>
public enum GroupCoverage : byte
{
    /// <summary>Not known now: the coordinator has not answered yet, or the group is rebalancing. Ask again.</summary>
    Unknown,

    /// <summary>Each partition has a member, or will have one without any help.</summary>
    Complete,

    /// <summary>The group is stable, and some partition has no member.</summary>
    Incomplete,
}

/// <summary>
/// Hears what happens inside <see cref="IRecordSource.Poll"/>, on the lane's thread. What it throws comes out of that call
/// once the rebalance is done: the partitions are given up nevertheless.
/// </summary>
public interface IAssignmentListener
{
    /// <summary>Partitions were added to this member. They are paused until the lane resumes them.</summary>
    void OnAssigned(ReadOnlySpan<int> partitions);

    /// <summary>Partitions are being taken away; offsets can still be committed for them during the call.</summary>
    void OnRevoked(ReadOnlySpan<int> partitions);

    /// <summary>Partitions were lost: somebody else may own them already. Nothing may be committed for them.</summary>
    void OnLost(ReadOnlySpan<int> partitions);

    /// <summary>An error came up.</summary>
    /// <param name="fault">Its kind.</param>
    /// <param name="partition">The partition concerned, -1 for none.</param>
    /// <param name="detail">The client's words.</param>
    void OnFault(SourceFault fault, int partition, string detail);
}

/// <summary>
/// Where records come from: one member of the consumer group, on the input topic of one pipeline. Used by one thread.
/// </summary>
public interface IRecordSource : IDisposable
{
    /// <summary>Joins the group. Events reach the listener from within <see cref="Poll"/> and <see cref="Close"/> only.</summary>
    void Subscribe(IAssignmentListener listener);

    /// <summary>
    /// Polls at most <paramref name="maxRecords"/> records, waiting at most <paramref name="timeoutMs"/>; the batch may be
    /// empty, and must be released before the next poll. Serves rebalances.
    /// </summary>
    RecordBatch Poll(int maxRecords, int timeoutMs);

    /// <summary>
    /// Next record of the partition to be polled is the one at <paramref name="offset"/>; none from before the seek comes after
    /// it. Where that cannot be done the listener hears <see cref="SourceFault.CannotSeek"/>: always after
    /// <see cref="SourceFault.OffsetOutOfRange"/>, until the partition has been assigned once more.
    /// </summary>
    void Seek(int partition, long offset);

    /// <summary>No further record of these partitions is polled until they are resumed.</summary>
    void Pause(ReadOnlySpan<int> partitions);

    /// <summary>Undoes a pause.</summary>
    void Resume(ReadOnlySpan<int> partitions);

    /// <summary>High watermark as the last fetch told it, without asking the broker; -1 when unknown.</summary>
    long KnownEnd(int partition);

    /// <summary>
    /// The group's committed offset, stable: it waits for pending transactional commits, at most <paramref name="timeoutMs"/>.
    /// </summary>
    OffsetLookup Committed(int partition, int timeoutMs);

    /// <summary>Bounds of the input log.</summary>
    BoundsLookup Bounds(int partition, int timeoutMs);

    /// <summary>First offset whose record is at or after <paramref name="timestampMs"/>; the log's end when there is none.</summary>
    OffsetLookup OffsetAt(int partition, long timestampMs, int timeoutMs);

    /// <summary>
    /// Whether each of the input's <paramref name="partitions"/> has a member. Never waits: it asks the coordinator in the
    /// background, and a later call has the answer, to a question put since this member joined.
    /// </summary>
    GroupCoverage Coverage(int partitions);

    /// <summary>
    /// Leaves the group, a static member too, and joins it again, which makes the group share out all partitions anew.
    /// Revocations reach the listener from within a later <see cref="Poll"/>: in the middle of a rebalance that comes first.
    /// </summary>
    void Rejoin();

    /// <summary>Membership as it is now.</summary>
    GroupMembership Membership { get; }

    /// <summary>Leaves (a dynamic member) or goes quietly (a static one); revocations reach the listener.</summary>
    void Close();
}
