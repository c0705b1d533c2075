namespace Dedup.Kafka.Lanes;

/// <summary>What a lane needs to know beside the pipeline. Immutable.</summary>
public sealed record LaneOptions
{
    /// <summary>Longest time that a transaction stays open while records come, in ms. A ceiling: drained input commits at once.</summary>
    public int CommitIntervalMs { get; init; } = 100;

    /// <summary>
    /// Most records in a transaction: about what a lane judges in the default interval at full speed. What a task has grown to
    /// hold it stays with it.
    /// </summary>
    public int MaxRecords { get; init; } = 32_768;

    /// <summary>Most bytes of keys and values in a transaction.</summary>
    public long MaxBytes { get; init; } = 64L << 20;

    /// <summary>
    /// Most records in one poll. Bounds a step; larger ones amortise the calls, smaller ones stay in the cache.
    /// </summary>
    public int MaxPollRecords { get; init; } = 1024;

    /// <summary>Longest wait for one answer of the broker inside a transaction, in ms; below the transaction time-out.</summary>
    public int BrokerTimeoutMs { get; init; } = 10_000;

    /// <summary>Longest wait for a look-up while taking over, in ms: other partitions of the lane wait meanwhile.</summary>
    public int LookupTimeoutMs { get; init; } = 100;

    /// <summary>How long a pending transaction of somebody else may hold up a take-over before it is fenced, in ms.</summary>
    public int FenceAfterMs { get; init; } = 300;

    /// <summary>How long empty polls must last before the input counts as drained where its end is not known, in ms.</summary>
    public int DrainLingerMs { get; init; } = 5;

    /// <summary>Wait of a poll when nothing is open, in ms.</summary>
    public int IdlePollMs { get; init; } = 100;

    /// <summary>Most bytes of a changelog chunk; below the topic's max.message.bytes.</summary>
    public int MaxChunkBytes { get; init; } = 512 << 10;

    /// <summary>Most tombstones of expired chunks in one transaction and partition, so that expiry is spread.</summary>
    public int MaxTombstones { get; init; } = 2_000;

    /// <summary>The same call is made this often before a retriable outcome counts as unknown.</summary>
    public int MaxRetries { get; init; } = 20;

    /// <summary>Time between two looks at the membership and, after a join, whether all partitions have a member, in ms.</summary>
    public int CoverageAskMs { get; init; } = 500;

    /// <summary>
    /// How long partitions may be without a member in a stable group before the lane joins again, in ms: longer than a
    /// cooperative rebalance takes from its first half to its second, a heartbeat and a commit.
    /// </summary>
    public int CoveragePatienceMs { get; init; } = 4_000;

    /// <summary>How often records that were judged are deleted from the repartition topic, in ms.</summary>
    public int PurgeIntervalMs { get; init; } = 30_000;

    /// <summary>Stores that a lane may find damaged in use, and replace, before its disk is to blame.</summary>
    public int MaxReplacedStores { get; init; } = 16;

    /// <summary>
    /// How long a store may be locked by somebody else, in ms, before the lane fails: longer than another lane of this process
    /// can be inside calls to the broker before it hears that it has lost the partition (<see cref="BrokerTimeoutMs"/> times
    /// <see cref="MaxRetries"/>, and a seal).
    /// </summary>
    public int StoreLockPatienceMs { get; init; } = 300_000;

    /// <summary>How often committed offset and marker are compared before their difference counts as real.</summary>
    public int MaxVerifyRounds { get; init; } = 3;
}

/// <summary>What this state belongs to: a marker or store made elsewhere does not match.</summary>
/// <param name="ClusterId">Id of the cluster.</param>
/// <param name="InputTopicId">Id of the input topic.</param>
/// <param name="PartitionCount">Partitions of the input topic.</param>
/// <param name="RecipeVersion">Hash of recipe and partitioning.</param>
public sealed record StateIdentity(
    string ClusterId,
    string InputTopicId,
    int PartitionCount,
    ulong RecipeVersion
);

/// <summary>Everything that a lane talks to.</summary>
/// <param name="Source">Records.</param>
/// <param name="Sink">Transactions.</param>
/// <param name="Changelog">Restore.</param>
/// <param name="Fencer">Take-over.</param>
/// <param name="Stores">Stores.</param>
/// <param name="Time">Clocks.</param>
/// <param name="NewHashKey">Makes the random key of a new state; not for anything else.</param>
/// <param name="Observer">Hears what happens.</param>
/// <param name="CrashPoints">Hears named points.</param>
public sealed record LanePorts(
    Topology.Ports.IRecordSource Source,
    Topology.Ports.ITransactionalSink Sink,
    Topology.Ports.IChangelogReader Changelog,
    Topology.Ports.IFencer Fencer,
    Topology.Ports.IStoreFactory Stores,
    TimeProvider Time,
    Func<(ulong, ulong)> NewHashKey,
    ILaneObserver Observer,
    Topology.Proof.ICrashPoints CrashPoints
)
{
    /// <summary>Deletes judged records from the topic that is read; null where that is not ours to do.</summary>
    public Topology.Ports.ILogPurger? Purger { get; init; }
}
