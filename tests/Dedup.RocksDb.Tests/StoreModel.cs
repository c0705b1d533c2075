using Dedup.Contracts.Changelog;
using Dedup.Contracts.Identity;
using Dedup.Topology.Ports;

namespace Dedup.RocksDb.Tests;

/// <summary>What a store must answer: in a bucket an ID stands once, with its greatest time; of those within the window the one with the greatest time answers.</summary>
internal sealed class StoreModel
{
    private readonly Dictionary<EventKey, Dictionary<BucketId, SeenEntry>> _entries = [];

    public int Count => _entries.Values.Sum(static e => e.Count);

    public IEnumerable<BucketId> Buckets =>
        _entries.Values.SelectMany(static e => e.Keys).Distinct().Order();

    public void Add(in NewEntry entry)
    {
        if (!_entries.TryGetValue(entry.Key, out Dictionary<BucketId, SeenEntry>? of))
        {
            _entries[entry.Key] = of = [];
        }

        if (!of.TryGetValue(entry.Bucket, out SeenEntry old) || entry.Entry.SeenMs > old.SeenMs)
        {
            of[entry.Bucket] = entry.Entry;
        }
    }

    public void Drop(BucketId bucket)
    {
        foreach (Dictionary<BucketId, SeenEntry> of in _entries.Values)
        {
            _ = of.Remove(bucket);
        }
    }

    /// <summary>The time of an ID in a bucket; what a refresh may only raise.</summary>
    public long? TimeOf(EventKey key, BucketId bucket) =>
        _entries.TryGetValue(key, out Dictionary<BucketId, SeenEntry>? of)
        && of.TryGetValue(bucket, out SeenEntry e)
            ? e.SeenMs
            : null;

    public StoreHit Find(StoreProbe probe)
    {
        if (!_entries.TryGetValue(probe.Key, out Dictionary<BucketId, SeenEntry>? of))
        {
            return default;
        }

        return of.Where(e =>
                Math.Abs((decimal)e.Value.SeenMs - probe.TimestampMs) <= probe.WindowMs
            )
            .OrderByDescending(e => e.Value.SeenMs)
            .ThenBy(e => e.Key)
            .Select(e => new StoreHit(e.Value, e.Key.Class, true))
            .FirstOrDefault();
    }
}
