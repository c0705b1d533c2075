using System.Runtime.CompilerServices;
using Dedup.Contracts.Identity;
using Dedup.RocksDb.Filter;
using Dedup.RocksDb.Native;
using Dedup.RocksDb.Recent;
using Dedup.RocksDb.Seal;
using Dedup.Topology.Ports;

namespace Dedup.RocksDb;

/// <summary>Answers questions over all tiers of a store. Owned by the lane. Hot path: no allocation.</summary>
/// <remarks>
/// A group of questions is walked twice: first every cache line that an answer may need is fetched, then the questions are
/// asked. At 100 M IDs each of these lines is a miss of about 100 ns, and in this way they overlap.
/// </remarks>
internal sealed class Finder(Storage storage)
{
    // Enough to fill the processor's line buffers (12 to 16) several times over, few enough to stay in the first-level cache.
    private const int Group = 64;
    private const int FirstBuckets = 32;

    private BlockedFilter?[] _filters = new BlockedFilter?[FirstBuckets];
    private FamilyHandle?[] _families = new FamilyHandle?[FirstBuckets];
    private Candidate[] _candidates = new Candidate[FirstBuckets];
    private int _candidateCount;

    /// <summary>Answers; the tables and filters stay as they are meanwhile, but for bits that a seal adds.</summary>
    public void Find(
        ReadOnlySpan<StoreProbe> probes,
        Span<StoreHit> hits,
        RecentTable recent,
        RecentTable? cut,
        List<BucketState> buckets
    )
    {
        TakeView(buckets);
        for (int start = 0; start < probes.Length; start += Group)
        {
            ReadOnlySpan<StoreProbe> group = probes.Slice(
                start,
                Math.Min(Group, probes.Length - start)
            );
            FetchLines(group, recent, cut, buckets.Count);
            for (int i = 0; i < group.Length; i++)
            {
                hits[start + i] = Answer(group[i], recent, cut, buckets);
            }
        }
    }

    // What the worker may exchange is read once: within a call a bucket has one filter and one column family.
    private void TakeView(List<BucketState> buckets)
    {
        if (_filters.Length < buckets.Count)
        {
            Array.Resize(ref _filters, buckets.Count * 2);
            Array.Resize(ref _families, buckets.Count * 2);
        }

        for (int i = 0; i < buckets.Count; i++)
        {
            // The family first: when it is there its filter is there too, or there is none and lookups go through.
            _families[i] = buckets[i].Family;
            _filters[i] = buckets[i].Filter;
        }
    }

    private void FetchLines(
        ReadOnlySpan<StoreProbe> group,
        RecentTable recent,
        RecentTable? cut,
        int buckets
    )
    {
        ReadOnlySpan<BlockedFilter?> filters = _filters.AsSpan(0, buckets);
        foreach (ref readonly StoreProbe probe in group)
        {
            recent.PrefetchFor(probe.Key);
            cut?.PrefetchFor(probe.Key);
            foreach (BlockedFilter? filter in filters)
            {
                filter?.PrefetchFor(probe.Key.High);
            }
        }
    }

    private StoreHit Answer(
        in StoreProbe probe,
        RecentTable recent,
        RecentTable? cut,
        List<BucketState> buckets
    )
    {
        _candidateCount = 0;
        Collect(recent, probe.Key);
        if (cut is not null)
        {
            Collect(cut, probe.Key);
        }

        for (int i = 0; i < buckets.Count; i++)
        {
            if (_families[i] is not { } family)
            {
                continue;
            }

            BlockedFilter? filter = _filters[i];
            if (
                (filter is null || filter.MayContain(probe.Key.High))
                && !IsKnown(buckets[i])
                && storage.TryGet(family, probe.Key, out SeenEntry entry)
            )
            {
                Offer(buckets[i], entry);
            }
        }

        return _candidateCount == 0 ? default : Latest(probe);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Collect(RecentTable table, in EventKey key)
    {
        uint at = table.Start(key);
        for (int row = table.Next(key, ref at); row >= 0; row = table.Next(key, ref at))
        {
            ref RecentRow found = ref table[row];
            BucketState bucket = table.BucketOf(found);
            if (!bucket.IsDropped)
            {
                Offer(bucket, found.Entry);
            }
        }
    }

    // An ID stands once in a bucket, and its time there only grows: what a table says is never older than RocksDB. (In a
    // replay after a crash RocksDB may be ahead of the tables; the replay ends with both the same, and nothing is judged before.)
    private bool IsKnown(BucketState bucket)
    {
        for (int i = 0; i < _candidateCount; i++)
        {
            if (ReferenceEquals(_candidates[i].Bucket, bucket))
            {
                return true;
            }
        }

        return false;
    }

    // Of what the two tables say of a bucket the greatest time counts.
    private void Offer(BucketState bucket, in SeenEntry entry)
    {
        for (int i = 0; i < _candidateCount; i++)
        {
            if (ReferenceEquals(_candidates[i].Bucket, bucket))
            {
                if (entry.SeenMs > _candidates[i].Entry.SeenMs)
                {
                    _candidates[i] = new Candidate(bucket, entry);
                }

                return;
            }
        }

        if (_candidateCount == _candidates.Length)
        {
            Array.Resize(ref _candidates, _candidates.Length * 2);
        }

        _candidates[_candidateCount++] = new Candidate(bucket, entry);
    }

    // The greatest time within the window: whether an entry still counts grows with its time (IFirstSeenStore.Find).
    private StoreHit Latest(in StoreProbe probe)
    {
        int best = -1;
        for (int i = 0; i < _candidateCount; i++)
        {
            if (
                Distance(_candidates[i].Entry.SeenMs, probe.TimestampMs) <= (ulong)probe.WindowMs
                && (best < 0 || IsLater(_candidates[i], _candidates[best]))
            )
            {
                best = i;
            }
        }

        return best < 0
            ? default
            : new StoreHit(_candidates[best].Entry, _candidates[best].Bucket.Id.Class, true);
    }

    // Of two at the same time the answer must not depend on where they lie.
    private static bool IsLater(in Candidate a, in Candidate b) =>
        a.Entry.SeenMs != b.Entry.SeenMs
            ? a.Entry.SeenMs > b.Entry.SeenMs
            : a.Bucket.Id < b.Bucket.Id;

    // Unsigned, so that no pair of times, however hostile, overflows.
    private static ulong Distance(long a, long b) =>
        a > b ? (ulong)a - (ulong)b : (ulong)b - (ulong)a;

    private readonly record struct Candidate(BucketState Bucket, SeenEntry Entry);
}
