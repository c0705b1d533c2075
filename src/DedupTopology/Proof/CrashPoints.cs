namespace Dedup.Topology.Proof;

/// <summary>Hears when the product passes a named point, so that a test can end the process there. The product's own does nothing.</summary>
public interface ICrashPoints
{
    /// <summary>Whether points passed once for each record are reported too.</summary>
    bool WantsRecords { get; }

    /// <summary>The point was reached. May not return.</summary>
    void Reached(string point);
}

/// <summary>The named points, in the order of a transaction's life. Those of the store are named in Dedup.RocksDb.</summary>
public static class CrashPoints
{
    /// <summary>A transaction has begun.</summary>
    public const string AfterBegin = "after-begin";

    /// <summary>A record was handed to the producer.</summary>
    public const string AfterProduce = "after-produce";

    /// <summary>All records of the transaction are sent, nothing of the changelog is.</summary>
    public const string BeforeChangelog = "before-changelog";

    /// <summary>Markers and chunks of all partitions are sent, the offsets are not.</summary>
    public const string AfterChangelog = "after-changelog";

    /// <summary>Offsets are in the transaction.</summary>
    public const string AfterOffsets = "after-offsets";

    /// <summary>The broker has answered the commit; the store does not know yet.</summary>
    public const string AfterCommit = "after-commit";

    /// <summary>The store knows.</summary>
    public const string AfterStore = "after-store";

    /// <summary>An abort is about to be asked for.</summary>
    public const string BeforeAbort = "before-abort";

    /// <summary>The abort is done, the consumer has not been rewound.</summary>
    public const string AfterAbort = "after-abort";

    /// <summary>A restore begins to read the changelog.</summary>
    public const string RestoreStarted = "restore-started";

    /// <summary>A batch of the changelog was applied.</summary>
    public const string RestoreApplied = "restore-applied";

    /// <summary>A restore is complete, the partition is not active yet.</summary>
    public const string RestoreDone = "restore-done";

    /// <summary>Partitions are being taken away; what is open is not committed yet.</summary>
    public const string RevokeBegun = "revoke-begun";

    /// <summary>Partitions are being taken away; all is committed, the stores are not closed.</summary>
    public const string RevokeCommitted = "revoke-committed";

    /// <summary>Tombstones of an expired bucket are in the transaction.</summary>
    public const string AfterTombstones = "after-tombstones";

    /// <summary>All points of this list.</summary>
    public static readonly string[] All =
    [
        AfterBegin,
        AfterProduce,
        BeforeChangelog,
        AfterChangelog,
        AfterOffsets,
        AfterCommit,
        AfterStore,
        BeforeAbort,
        AfterAbort,
        RestoreStarted,
        RestoreApplied,
        RestoreDone,
        RevokeBegun,
        RevokeCommitted,
        AfterTombstones,
    ];
}

/// <summary>Passes every point in silence.</summary>
public sealed class NoCrashPoints : ICrashPoints
{
    /// <summary>The one instance.</summary>
    public static readonly NoCrashPoints Instance = new();

    /// <inheritdoc/>
    public bool WantsRecords => false;

    /// <inheritdoc/>
    public void Reached(string point) { }
}
