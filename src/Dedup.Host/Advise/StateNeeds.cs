using Dedup.RocksDb;
using Dedup.Topology.Windows;

namespace Dedup.Host.Advise;

/// <summary>What a window costs at a measured rate. The figures for an ID are the store's own; tests hold them to it.</summary>
/// <param name="RecordsPerSecond">Records per second of record time in the sample.</param>
/// <param name="FirstShare">Share of the records that are firsts, and thus are remembered.</param>
/// <param name="WindowMs">Window in ms; grace is the same, as is the default.</param>
public sealed record StateNeeds(double RecordsPerSecond, double FirstShare, long WindowMs)
{
    /// <summary>An ID in RocksDB, measured: key 16 bytes, value about 11, the rest is RocksDB's: sequence number, index, filter.</summary>
    public const double DiskBytesPerId = 38;

    /// <summary>An ID in a chunk of the changelog, before replication (see ChunkWriter).</summary>
    public const double ChangelogBytesPerId = 19;

    /// <summary>Filters for an ID: 1.6 bytes of our own and 1 of the files (see StoreBudget).</summary>
    public const double FilterBytesPerId = 2.6;

    /// <summary>Of state.memory the stores have three quarters, and of these filters have 66 % (see Composition and StoreBudget).</summary>
    public const double FilterShare = 0.75 * 0.66;

    /// <summary>Window and grace: how long an ID counts.</summary>
    public long RetentionMs => 2 * WindowMs;

    /// <summary>
    /// How long IDs are kept: buckets go as a whole, so the oldest one is kept up to a bucket's width longer than its IDs count.
    /// </summary>
    public long KeptMs => RetentionMs + (RetentionMs / WindowClass.BucketsPerRetention);

    /// <summary>IDs that are held.</summary>
    public double Ids => RecordsPerSecond * FirstShare * KeptMs / 1000;

    /// <summary>Bytes on this disk; twice as many while files are merged.</summary>
    public double DiskBytes => Ids * DiskBytesPerId;

    /// <summary>Bytes of the changelog topic on the brokers, for each replica.</summary>
    public double ChangelogBytes => Ids * ChangelogBytesPerId;

    /// <summary>The setting state.memory with which all filters fit, in bytes.</summary>
    public double MemoryBytes =>
        Math.Max(StoreBudget.MinBytes, Ids * FilterBytesPerId / FilterShare);
}
