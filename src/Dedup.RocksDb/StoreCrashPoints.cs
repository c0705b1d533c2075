namespace Dedup.RocksDb;

/// <summary>Named points of the store, at which a test can end the process; the others are in Dedup.Topology.Proof.</summary>
public static class StoreCrashPoints
{
    /// <summary>A recent table was cut off, nothing of it is written. On the lane's thread; the others are on the worker's.</summary>
    public const string SealCut = "seal-cut";

    /// <summary>All SST files of a seal are written, none is in RocksDB.</summary>
    public const string SealSstWritten = "seal-sst-written";

    /// <summary>One SST file is in, others may not be.</summary>
    public const string SealBetweenIngests = "seal-between-ingests";

    /// <summary>All SST files are in, the floor is the old one.</summary>
    public const string SealBeforeFloor = "seal-before-floor";

    /// <summary>The floor is written.</summary>
    public const string SealAfterFloor = "seal-after-floor";

    /// <summary>A bucket has expired, its column family is there.</summary>
    public const string BucketBeforeDrop = "bucket-before-drop";

    /// <summary>The column family of an expired bucket is gone.</summary>
    public const string BucketAfterDrop = "bucket-after-drop";

    /// <summary>All points of this list.</summary>
    public static readonly string[] All =
    [
        SealCut,
        SealSstWritten,
        SealBetweenIngests,
        SealBeforeFloor,
        SealAfterFloor,
        BucketBeforeDrop,
        BucketAfterDrop,
    ];
}
