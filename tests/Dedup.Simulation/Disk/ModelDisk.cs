using Dedup.Contracts.Changelog;
using Dedup.Contracts.Identity;
using Dedup.Simulation.Chance;
using Dedup.Simulation.Clients;
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

/// <summary>A state directory in memory.</summary>
public sealed class ModelDisk : IStateDisk
{
    /// <summary>
    /// Where one clock counts: eight buckets of a class and the one being filled, by the last marker, and as many by each one that
    /// compaction has taken out of a replay; the chunks of what had expired by those have tombstones, which it takes as well.
    /// </summary>
    public const int OfOneClock = 32;

    /// <summary>
    /// How many buckets of a class may lie on disk. Each is a column family, and making one costs RocksDB time for each that
    /// there is. By-id keeps what an input partition that is far behind may still need, which has no bound.
    /// </summary>
    public required int MostBuckets { get; init; }

    /// <summary>Stores by partition.</summary>
    public SortedDictionary<int, StoreFiles> Stores { get; } = [];

    /// <summary>Stores that were set aside.</summary>
    public int SetAside { get; set; }

    IStoreFactory IStateDisk.Stores(ClientEnvironment env, int capacity, Rng chance) =>
        new ModelStoreFactory(env, this, capacity, chance);

    /// <inheritdoc/>
    public void Lose() => Stores.Clear();

    /// <inheritdoc/>
    public void OnDeath()
    {
        foreach (StoreFiles files in Stores.Values)
        {
            files.Holder = null;
        }
    }

    /// <inheritdoc/>
    public void MakeForeign()
    {
        foreach (StoreFiles files in Stores.Values)
        {
            if (files.Header is { } header)
            {
                files.Header = header with { Marker = header.Marker with { RecipeVersion = 1 } };
                files.Buckets.Clear();
            }
        }
    }

    /// <inheritdoc/>
    public IEnumerable<IStoreEvidence> Evidence() =>
        Stores
            .Where(static store => !store.Value.IsCorrupt)
            .Select(static store => new ModelEvidence(store.Key, store.Value));

    /// <inheritdoc/>
    public void Dispose() { }
}

/// <summary>All that lies in a store of the model.</summary>
internal sealed class ModelEvidence(int partition, StoreFiles files) : IStoreEvidence
{
    public int Partition => partition;

    public StoreHeader? Header => files.Header;

    public bool Holds(BucketId bucket, EventKey key, SeenEntry entry) =>
        files.Buckets.TryGetValue(bucket, out Dictionary<EventKey, SeenEntry>? entries)
        && entries.TryGetValue(key, out SeenEntry found)
        && found.SeenMs >= entry.SeenMs;

    public IEnumerable<(EventKey Key, SeenEntry Entry)> Entries(
        IReadOnlyList<(EventKey Key, SeenEntry Entry)> sent
    ) =>
        files.Buckets.Values.SelectMany(static bucket =>
            bucket.Select(static pair => (pair.Key, pair.Value))
        );
}
