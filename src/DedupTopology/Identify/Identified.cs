using Dedup.Contracts.Identity;

namespace Dedup.Topology.Identify;

/// <summary>What the recipe makes of a record.</summary>
public struct Identified
{
    /// <summary>Keyed hash over scope and ID; meaningful when <see cref="Reason"/> is None.</summary>
    public EventKey Key;

    /// <summary>64-bit hash of the payload or of chosen paths; 0 when the pipeline compares none, never 0 when it does.</summary>
    public ulong Fingerprint;

    /// <summary>
    /// Unkeyed 64-bit hash of scope and ID, the same in every partition and instance; 0 unless
    /// <see cref="IdScratch.WantPercentHash"/> asks for it.
    /// </summary>
    public ulong PercentHash;

    /// <summary>
    /// 0, or the bucket width of a content ID in ms: then the rule of <see cref="ContentBucket"/> takes the place of the
    /// window.
    /// </summary>
    public long BucketMs;

    /// <summary>32-bit hash of tenant and type (see <see cref="Scopes.ScopeTag"/>), 0 without either.</summary>
    public uint ScopeTag;

    /// <summary>Index of the window class in the pipeline's table.</summary>
    public ushort Class;

    /// <summary>Why there is no ID, else None.</summary>
    public Reason Reason;
}

/// <summary>The time rule of bucketed content.</summary>
public static class ContentBucket
{
    /// <summary>
    /// Whether a record is the same event as a remembered first of the same content: it lies in the same bucket or in a
    /// neighbouring one. Only firsts are remembered, so a suppressed duplicate extends nothing: there are no chains.
    /// </summary>
    /// <param name="timestampMs">Timestamp of the record.</param>
    /// <param name="seenMs">Timestamp of the remembered first.</param>
    /// <param name="bucketMs">Width of a bucket, at least 1.</param>
    public static bool IsSame(long timestampMs, long seenMs, long bucketMs) =>
        Math.Abs(Of(timestampMs, bucketMs) - Of(seenMs, bucketMs)) <= 1;

    /// <summary>The number of the bucket that a time lies in.</summary>
    public static long Of(long timeMs, long bucketMs)
    {
        long quotient = timeMs / bucketMs;
        return timeMs % bucketMs < 0 ? quotient - 1 : quotient;
    }
}
