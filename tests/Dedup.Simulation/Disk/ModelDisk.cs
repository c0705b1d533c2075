using Dedup.Contracts.Changelog;
using Dedup.Contracts.Identity;
using Dedup.Topology.Ports;

namespace Dedup.Simulation.Disk;

/// <summary>What of one partition's store is on disk: what survives kill -9.</summary>
public sealed class StoreFiles
{
    /// <summary>Sealed entries by bucket. Of two entries of one ID in a bucket the later one counts.</summary>
    public SortedDictionary<BucketId, Dictionary<EventKey, SeenEntry>> Buckets { get; } = [];

    /// <summary>Header, written with sync after all buckets of a seal.</summary>
    public StoreHeader? Header { get; set; }

    /// <summary>Whether RocksDB would say Corruption.</summary>
    public bool IsCorrupt { get; set; }

    /// <summary>The store that has it open; it holds the LOCK file.</summary>
    public ModelStore? Holder { get; set; }

    /// <summary>Puts an entry into a bucket.</summary>
    public static void Put(
        SortedDictionary<BucketId, Dictionary<EventKey, SeenEntry>> buckets,
        BucketId bucket,
        EventKey key,
        SeenEntry entry
    )
    {
        if (!buckets.TryGetValue(bucket, out Dictionary<EventKey, SeenEntry>? entries))
        {
            buckets[bucket] = entries = [];
        }

        if (!entries.TryGetValue(key, out SeenEntry known) || entry.SeenMs > known.SeenMs)
        {
            entries[key] = entry;
        }
    }
}

/// <summary>The state directory of an instance: it stays when the process dies, and is gone when the machine is.</summary>
public sealed class ModelDisk
{
    /// <summary>Stores by partition.</summary>
    public SortedDictionary<int, StoreFiles> Stores { get; } = [];

    /// <summary>Stores that were set aside.</summary>
    public int SetAside { get; set; }

    /// <summary>Another machine: nothing is left.</summary>
    public void Lose() => Stores.Clear();

    /// <summary>The process is gone, and its locks with it.</summary>
    public void ReleaseLocks()
    {
        foreach (StoreFiles files in Stores.Values)
        {
            files.Holder = null;
        }
    }
}
