using Dedup.Contracts.Identity;
using Dedup.Topology.Identify;
using Dedup.Topology.Ports;
using Dedup.Topology.Proof;
using Dedup.Topology.Windows;

namespace Dedup.Topology.Judge;

/// <content>
/// IDs of which more than one entry may have to be remembered in one bucket, where a key stands once: the entries go under
/// <see cref="KeyVariants"/> of the ID's key, so that what is known of an ID never depends on buckets.
/// </content>
public sealed partial class PartitionJudge
{
    // The record's own time bucket and its two neighbours.
    private const int KeysWithTimeBuckets = 3;

    // First and last occurrence.
    private const int KeysWithRefresh = 2;

    /// <summary>
    /// The questions that one record asks. With time buckets: its own bucket, where it will be remembered, then the
    /// neighbours; a remembered first lies in one of them exactly when it is the same event (ContentBucket.IsSame). With
    /// refresh: the first occurrence, then the last. Unused places repeat the first question.
    /// </summary>
    private void Spread(in StoreProbe probe, in Identified identified, int at)
    {
        Span<StoreProbe> places = _probes.AsSpan(at * _keysPerRecord, _keysPerRecord);
        places.Fill(probe);
        if (identified.BucketMs > 0)
        {
            long own = ContentBucket.Of(probe.TimestampMs, identified.BucketMs);
            places[0] = probe with { Key = KeyVariants.InTimeBucket(identified.Key, own) };
            long before = Planted.Is(PlantedBug.TimeBucketOneSided) ? own : own - 1;
            places[1] = probe with { Key = KeyVariants.InTimeBucket(identified.Key, before) };
            places[2] = probe with { Key = KeyVariants.InTimeBucket(identified.Key, own + 1) };
        }
        else if (_spec.Refresh)
        {
            places[1] = probe with { Key = KeyVariants.LastOccurrence(identified.Key) };
        }
    }

    private bool IsKnownByVariant(int at, long clockMs, IFirstSeenStore store, out SeenEntry seen)
    {
        seen = default;
        bool known = false;
        int first = at * _keysPerRecord;
        for (int i = first; i < first + _keysPerRecord; i++)
        {
            StoreHit hit = _hits[i];
            if (i > first && _spec.Refresh && !Planted.Is(PlantedBug.MovedOnIgnored))
            {
                hit = WithoutMovedOn(_probes[i], hit, store);
            }

            if (
                IsKnown(_probes[i], hit, _identified[at].Class, clockMs, out SeenEntry found)
                && (!known || found.SeenMs > seen.SeenMs)
            )
            {
                seen = found;
                known = true;
            }
        }

        return known;
    }

    /// <summary>
    /// In a bucket only the latest occurrence stands, and the open transaction may have moved it on, out of this record's
    /// window: then the store's answer no longer holds, and what lies before it is asked for. So the answer is that which the
    /// store will give once the transaction has committed.
    /// </summary>
    private StoreHit WithoutMovedOn(in StoreProbe probe, StoreHit hit, IFirstSeenStore store)
    {
        long oldest = probe.TimestampMs - probe.WindowMs;
        while (
            hit.IsFound
            && Overlay.TryGet(
                probe.Key,
                Clocks.BucketOf(hit.Class, hit.Entry.SeenMs),
                out SeenEntry moved
            )
            && moved.SeenMs > hit.Entry.SeenMs
        )
        {
            long latest = hit.Entry.SeenMs - 1;
            if (latest < oldest)
            {
                return default;
            }

            // From the oldest, or one before it where the stretch has no middle, to the latest.
            long half = (latest - oldest + 1) / 2;
            Span<StoreProbe> question = [new StoreProbe(probe.Key, latest - half, half)];
            Span<StoreHit> answer = [default];
            store.Find(question, answer);
            hit = answer[0].IsFound && answer[0].Entry.SeenMs >= oldest ? answer[0] : default;
        }

        return hit;
    }

    /// <summary>
    /// With refresh the window counts from the last occurrence on: it is remembered beside the first, whose place in the
    /// input it keeps. Not beside one that is later: an old record moves nothing.
    /// </summary>
    private void RefreshIfWanted(
        in Identified identified,
        in StoreProbe probe,
        WindowClass window,
        in SeenEntry seen
    )
    {
        if (Planted.Is(PlantedBug.TimeBucketChain) && identified.BucketMs > 0)
        {
            Overlay.MoveOn(
                new NewEntry(
                    probe.Key,
                    seen with
                    {
                        SeenMs = probe.TimestampMs,
                    },
                    window.BucketOf(probe.TimestampMs)
                )
            );
        }

        if (
            _spec.Refresh
            && identified.BucketMs == 0
            && probe.TimestampMs > seen.SeenMs
            && !Planted.Is(PlantedBug.RefreshForgotten)
        )
        {
            Overlay.MoveOn(
                new NewEntry(
                    KeyVariants.LastOccurrence(identified.Key),
                    seen with
                    {
                        SeenMs = probe.TimestampMs,
                    },
                    window.BucketOf(probe.TimestampMs)
                )
            );
        }
    }
}
