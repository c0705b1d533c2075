using Dedup.Contracts.Changelog;
using Dedup.Contracts.Identity;
using Dedup.Topology.Ports;

namespace Dedup.RocksDb.Tests;

/// <summary>What a store must answer: in a bucket an ID stands once, with its greatest time; the nearest one within the window answers.</summary>
internal sealed class StoreModel
{
    private readonly Dictionary<(EventKey Key, BucketId Bucket), SeenEntry> _entries = [];

    public int Count => _entries.Count;

    public IEnumerable<BucketId> Buckets =>
        _entries.Keys.Select(static k => k.Bucket).Distinct().Order();

    public StoreModel Copy()
    {
        var copy = new StoreModel();
        foreach (KeyValuePair<(EventKey, BucketId), SeenEntry> e in _entries)
        {
            copy._entries.Add(e.Key, e.Value);
        }

        return copy;
    }

    public void Add(in NewEntry entry)
    {
        if (
            !_entries.TryGetValue((entry.Key, entry.Bucket), out SeenEntry old)
            || entry.Entry.SeenMs > old.SeenMs
        )
        {
            _entries[(entry.Key, entry.Bucket)] = entry.Entry;
        }
    }

    public void Drop(BucketId bucket)
    {
        foreach ((EventKey, BucketId) key in _entries.Keys.Where(k => k.Bucket == bucket).ToArray())
        {
            _ = _entries.Remove(key);
        }
    }

    public StoreHit Find(in StoreProbe probe)
    {
        EventKey key = probe.Key;
        long time = probe.TimestampMs;
        long window = probe.WindowMs;
        KeyValuePair<(EventKey Key, BucketId Bucket), SeenEntry>? best = _entries
            .Where(e => e.Key.Key == key && Math.Abs((decimal)e.Value.SeenMs - time) <= window)
            .OrderBy(e => Math.Abs((decimal)e.Value.SeenMs - time))
            .ThenBy(e => e.Value.SeenMs)
            .ThenBy(e => e.Key.Bucket)
            .Select(e => (KeyValuePair<(EventKey, BucketId), SeenEntry>?)e)
            .FirstOrDefault();
        return best is { } b ? new StoreHit(b.Value, b.Key.Bucket.Class, true) : default;
    }
}
