using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Dedup.Contracts.Changelog;
using Dedup.Topology.Ports;
using Dedup.Topology.Proof;

namespace Dedup.Kafka.Tasks;

/// <summary>Buckets of which no entry can count any more, and what becomes of them.</summary>
internal static class ExpiredBuckets
{
    /// <summary>Drops those of a store.</summary>
    /// <param name="store">The store.</param>
    /// <param name="clocks">What tells.</param>
    /// <param name="isExpired">Whether a bucket has expired by it.</param>
    /// <param name="early">The bug of dropping a bucket one bucket's width too early.</param>
    public static void Drop<TClocks>(
        IFirstSeenStore store,
        TClocks clocks,
        Func<TClocks, BucketId, bool> isExpired,
        PlantedBug early
    )
    {
        ImmutableArray<BucketId> held = store.Buckets;
        if (held.IsDefaultOrEmpty)
        {
            return;
        }

        int ahead = Planted.Is(early) ? 1 : 0;
        List<BucketId>? expired = null;
        foreach (BucketId bucket in held)
        {
            if (isExpired(clocks, new BucketId(bucket.Class, bucket.Index - ahead)))
            {
                (expired ??= []).Add(bucket);
            }
        }

        if (expired is not null)
        {
            store.DropBuckets(CollectionsMarshal.AsSpan(expired));
        }
    }
}
