namespace Dedup.Topology.Proof;

/// <summary>Deliberate faults that the simulation must catch: a checker that catches nothing is worth nothing.</summary>
public enum PlantedBug
{
    /// <summary>None.</summary>
    None,

    /// <summary>The store takes the overlay before the commit.</summary>
    StoreBeforeCommit,

    /// <summary>The store never hears of what was committed.</summary>
    StoreNotTold,

    /// <summary>An abort leaves the overlay as it is.</summary>
    OverlayKeptAfterAbort,

    /// <summary>An abort leaves the window clocks as they are.</summary>
    ClockKeptAfterAbort,

    /// <summary>An abort leaves the counts as they are.</summary>
    CountsKeptAfterAbort,

    /// <summary>The consumer goes on where it stands after an abort.</summary>
    NoRewindAfterAbort,

    /// <summary>The rest of a batch is processed after an abort in its middle.</summary>
    BatchGoesOnAfterAbort,

    /// <summary>Records that came with an abort inside the poll are not fetched again (found by the simulator, seed 101).</summary>
    AbortInPollForgotten,

    /// <summary>Offsets are sent though the member has been thrown out.</summary>
    SentWithoutMembership,

    /// <summary>A commit whose outcome is unknown counts as done.</summary>
    UnknownIsSuccess,

    /// <summary>A commit whose outcome is unknown counts as not done: rewind, and no look at what the changelog says.</summary>
    UnknownIsFailure,

    /// <summary>A fenced lane makes a new producer and goes on with the state that it had.</summary>
    FencedWithoutCatchUp,

    /// <summary>Tasks of lost partitions are kept.</summary>
    LostKept,

    /// <summary>A static member that the group has let in again under another member id keeps what it held before.</summary>
    RenamedMemberKept,

    /// <summary>A partition that a stable group leaves to nobody stays so.</summary>
    LeftToNobody,

    /// <summary>A restored partition is not resumed.</summary>
    NotResumed,

    /// <summary>A record that fails a transaction which is still being filled is only aborted, never narrowed down (found by the simulator, seed 21).</summary>
    RefusedIsAbortable,

    /// <summary>A record that would just fit into the clean topic is taken for too large.</summary>
    LimitTooLow,

    /// <summary>Committed offset, marker, and log are not held against each other.</summary>
    DisagreementAccepted,

    /// <summary>A restore ends at the last stable offset instead of the high watermark.</summary>
    RestoreToLastStable,

    /// <summary>A replay drops a bucket one bucket's width before it has expired.</summary>
    ReplayDropsEarly,

    /// <summary>A replay puts buckets on disk that had expired long before it ends.</summary>
    ReplayKeepsPassed,

    /// <summary>A replay begins one behind its floor.</summary>
    ReplayOneLate,

    /// <summary>A restore draws a new hash key.</summary>
    HashKeyChanged,

    /// <summary>A restore does not take the clocks over from the marker.</summary>
    RebuildForgetsClocks,

    /// <summary>A restore does not take the counts over from the marker.</summary>
    RestoreForgetsCounts,

    /// <summary>The floor of a store closed at a revocation lies one behind the end of the changelog.</summary>
    FloorTooHigh,

    /// <summary>The store of a lost partition is sealed with the end of the changelog as its floor.</summary>
    LostSealed,

    /// <summary>A seal in the middle of a replay names an offset two behind the record that it cuts.</summary>
    ReplaySealsTooHigh,

    /// <summary>The marker names the offset behind the one that it stands for.</summary>
    MarkerOneHigh,

    /// <summary>A chunk gets the number of the one before it.</summary>
    SequenceUsedTwice,

    /// <summary>Chunks of a bucket that still counts are tombstoned.</summary>
    ChunkTombstonedEarly,

    /// <summary>Of several chunks of a bucket in one transaction the last one is not sent.</summary>
    LastChunkLost,

    /// <summary>A bucket is dropped from the store one bucket width before it has expired.</summary>
    BucketDroppedEarly,

    /// <summary>Timestamps far in the future are let through to the clock.</summary>
    ClockUnbounded,

    /// <summary>Late records that are forwarded are not remembered.</summary>
    LateForgotten,

    /// <summary>Entries count for ever.</summary>
    ExpiryIgnored,

    /// <summary>Repeats within a transaction are not seen.</summary>
    OverlayNotAsked,

    /// <summary>A record exactly a window away is not a duplicate.</summary>
    WindowOneShort,

    /// <summary>A record exactly grace behind the clock is late.</summary>
    LateOneEarly,

    /// <summary>With refresh, a duplicate is not remembered.</summary>
    RefreshForgotten,

    /// <summary>With refresh, what the store says holds though the open transaction has moved it on.</summary>
    MovedOnIgnored,

    /// <summary>Every record has the default window, whatever its type.</summary>
    TypeIgnored,

    /// <summary>Fingerprints are not compared.</summary>
    ConflictIgnored,

    /// <summary>In shadow, duplicates are suppressed.</summary>
    ShadowSuppresses,

    /// <summary>In percent, the side of an ID is told by its keyed hash: another one in every partition.</summary>
    PercentByKey,

    /// <summary>In percent, the side of an ID depends on how large the share is: a higher one does not keep those that are in.</summary>
    PercentDrawnAnew,

    /// <summary>A lane that enforces everything does not take over the counts of what only the mode had forwarded.</summary>
    SparedCountsForgotten,

    /// <summary>In percent, a record without an ID is on the enforced side.</summary>
    PercentWithoutId,

    /// <summary>With mode off, clocks are moved.</summary>
    OffMovesClock,

    /// <summary>With time buckets, a duplicate is remembered: its neighbours are duplicates too.</summary>
    TimeBucketChain,

    /// <summary>With time buckets, the bucket before the record's own is not asked.</summary>
    TimeBucketOneSided,

    /// <summary>A late record sets the clock back.</summary>
    ClockSetBack,

    /// <summary>Where the payload's time counts, the clock goes by the record's.</summary>
    ClockByRecordTime,

    /// <summary>The added verdict says that every record on clean is a first.</summary>
    VerdictOfPlace,

    /// <summary>A duplicate that arrives late is forwarded.</summary>
    DuplicateForwardedLate,

    /// <summary>An abort leaves what tenants have used as it is.</summary>
    QuotaKeptAfterAbort,

    /// <summary>A restore does not take over what tenants have used.</summary>
    RestoreForgetsUsage,

    /// <summary>IDs of a tenant count against its quota for ever.</summary>
    HeldNeverExpires,

    /// <summary>By-id: what a tenant uses is counted by the input partition that a record came from.</summary>
    QuotaBySource,

    /// <summary>By-id: what is remembered counts by the clock of the record's own input partition.</summary>
    ExpiredByOwnClock,

    /// <summary>A partition that waits for a tenant's rate is never resumed.</summary>
    ThrottledForEver,

    /// <summary>A partition that waited for a tenant's rate goes on behind the record that waited.</summary>
    ThrottledSkipped,

    /// <summary>Transport: offsets are not made part of the transaction.</summary>
    OffsetsNotSent,

    /// <summary>Transport: the offset sent is one too low.</summary>
    OffsetsOneLow,

    /// <summary>Transport: the offset sent is one too high.</summary>
    OffsetsOneHigh,

    /// <summary>Transport: the offset of a partition that was given back is sent once more with later ones.</summary>
    OffsetsOfRevokedSent,

    /// <summary>Transport: group metadata is taken once and used for every commit.</summary>
    StaleMembership,

    /// <summary>Transport: the high watermark is that of the first look, from before the committed offset was read.</summary>
    WatermarkBeforeOffset,

    /// <summary>Transport: a record that clean refuses is passed over.</summary>
    RefusedDropped,

    /// <summary>Transport: two records to clean change places.</summary>
    SwappedRecords,

    /// <summary>Transport: every 61st record to clean is not sent.</summary>
    RecordSkipped,

    /// <summary>Transport: records to clean carry the current time.</summary>
    TimestampReplaced,

    /// <summary>Store: the header is written before the buckets are in.</summary>
    FloorBeforeBuckets,

    /// <summary>Store: the sealed table no longer answers while it is being ingested.</summary>
    SealedForgottenEarly,

    /// <summary>Store: the filter does not know some of the IDs that are in.</summary>
    FilterFalseNegative,

    /// <summary>Store: the first bucket with an entry of the ID answers, whether it is in the window or not.</summary>
    DiskAnswersFirstBucket,

    /// <summary>Transport: the changelog is read uncommitted.</summary>
    RestoreReadsUncommitted,

    /// <summary>Transport: committed offsets are read though a transaction holds newer ones.</summary>
    UnstableOffsetsRead,

    /// <summary>Transport: headers without a value are not sent.</summary>
    NullHeaderDropped,

    /// <summary>Transport: a null value is sent as an empty one.</summary>
    TombstoneAsEmpty,

    /// <summary>Transport: a new producer takes over the epoch of the old one, so that nothing fences a zombie.</summary>
    EpochNotBumped,

    /// <summary>Transport: aborted input records are read.</summary>
    InputReadUncommitted,
}

/// <summary>
/// Test-only switch for one planted bug on this thread. The AppContext switch <c>Dedup.PlantedBugs</c> is read once: without
/// it every check is a constant false that the compiler removes, so that the product pays nothing.
/// </summary>
public static class Planted
{
    private static readonly bool IsEnabled =
        AppContext.TryGetSwitch("Dedup.PlantedBugs", out bool on) && on;

    [ThreadStatic]
    private static PlantedBug current;

    /// <summary>The bug planted on this thread.</summary>
    public static PlantedBug Current
    {
        get => current;
        set => current = value;
    }

    /// <summary>Whether that bug is planted.</summary>
    public static bool Is(PlantedBug bug) => IsEnabled && current == bug;
}
