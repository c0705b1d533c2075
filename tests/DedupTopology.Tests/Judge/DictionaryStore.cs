using System.Collections.Immutable;
using Dedup.Contracts.Changelog;
using Dedup.Topology.Ports;
using Dedup.Topology.Windows;

namespace DedupTopology.Tests.Judge;

/// <summary>A store that keeps everything in a list: what the port promises, and nothing more.</summary>
internal sealed class DictionaryStore : IFirstSeenStore
{
    private readonly List<NewEntry> _entries = [];

    public StoreHeader? Header => null;

    public long Count => _entries.Count;

    public long MemoryBytes => 0;

    public bool WantsSeal => false;

    public bool IsFull => false;

    public ImmutableArray<BucketId> Buckets =>
        [.. _entries.Select(static e => e.Bucket).Distinct()];

    public void Find(ReadOnlySpan<StoreProbe> probes, Span<StoreHit> hits)
    {
        for (int i = 0; i < probes.Length; i++)
        {
            StoreProbe probe = probes[i];
            NewEntry? best = null;
            foreach (NewEntry e in _entries)
            {
                if (
                    e.Key == probe.Key
                    && WindowClass.IsWithin(e.Entry.SeenMs, probe.TimestampMs, probe.WindowMs)
                    && (best is null || IsLater(e, best.Value))
                )
                {
                    best = e;
                }
            }

            hits[i] = best is { } hit ? new StoreHit(hit.Entry, hit.Bucket.Class, true) : default;
        }
    }

    private static bool IsLater(in NewEntry a, in NewEntry b) =>
        a.Entry.SeenMs != b.Entry.SeenMs ? a.Entry.SeenMs > b.Entry.SeenMs : a.Bucket < b.Bucket;

    // In a bucket an ID stands once, with its greatest time.
    public void Add(ReadOnlySpan<NewEntry> entries)
    {
        foreach (NewEntry entry in entries)
        {
            int at = _entries.FindIndex(e => e.Key == entry.Key && e.Bucket == entry.Bucket);
            if (at < 0)
            {
                _entries.Add(entry);
            }
            else if (entry.Entry.SeenMs > _entries[at].Entry.SeenMs)
            {
                _entries[at] = entry;
            }
        }
    }

    public void BeginSeal(StoreHeader header) { }

    public void Step() { }

    public void WaitForSeal() { }

    public void DropBuckets(ReadOnlySpan<BucketId> buckets)
    {
        foreach (BucketId bucket in buckets)
        {
            _ = _entries.RemoveAll(e => e.Bucket == bucket);
        }
    }

    public void Close(StoreHeader? header) { }

    public void Dispose() { }
}
