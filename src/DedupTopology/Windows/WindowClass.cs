using Dedup.Contracts.Changelog;
using Dedup.Topology.Proof;

namespace Dedup.Topology.Windows;

/// <summary>
/// One window and grace, and the arithmetic on them. The only place where expiry and lateness are calculated.
/// </summary>
/// <remarks>
/// With clock C, window W, grace G: an entry first seen at S counts while C ≤ S + W + G. A record at T is a duplicate of it
/// when |T − S| ≤ W. A record with an unknown ID is late when T &lt; C − G. So a record that is not late can never miss an
/// entry that it duplicates: T ≥ C − G and T ≤ S + W give C ≤ S + W + G.
/// </remarks>
public sealed record WindowClass
{
    /// <summary>
    /// Live expiries span W + G; cut into 7, they touch at most 8 buckets, which bounds the filters asked per record.
    /// </summary>
    public const int BucketsPerRetention = 7;

    /// <summary>
    /// Most live buckets over all classes of a pipeline: each is a column family with files and a filter of its own, and a
    /// filter asked for each record.
    /// </summary>
    public const int MaxLiveBuckets = 32;

    /// <summary>
    /// Most classes: three live buckets for each, which is the fewest that a grace of one window allows (see
    /// <see cref="SlicesFor"/>).
    /// </summary>
    public const int MaxClasses = MaxLiveBuckets / 3;

    /// <summary>
    /// Grace is at most this many windows, so that a bucket is never wider than a window: two entries of one ID lie more than
    /// a window apart, thus in different buckets, and a bucket needs only one entry for an ID.
    /// </summary>
    public const int MaxGraceWindows = BucketsPerRetention - 1;

    /// <summary>Longest window: 10 years, far below where sums of three could overflow.</summary>
    public const long MaxWindowMs = 10L * 366 * 24 * 3600 * 1000;

    /// <summary>Makes a class.</summary>
    /// <param name="id">Number in bucket ids.</param>
    /// <param name="name">Type pattern, empty for the default.</param>
    /// <param name="windowMs">Window in ms, 1 to <see cref="MaxWindowMs"/>.</param>
    /// <param name="graceMs">Grace in ms, 0 to <paramref name="slices"/> - 1 windows.</param>
    /// <param name="slices">Buckets that window and grace are cut into; see <see cref="SlicesFor"/>.</param>
    public WindowClass(
        ushort id,
        string name,
        long windowMs,
        long graceMs,
        int slices = BucketsPerRetention
    )
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(slices, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(slices, BucketsPerRetention);
        ArgumentOutOfRangeException.ThrowIfLessThan(windowMs, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(windowMs, MaxWindowMs);
        ArgumentOutOfRangeException.ThrowIfNegative(graceMs);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(graceMs, windowMs * (slices - 1));
        Id = id;
        Name = name;
        WindowMs = windowMs;
        GraceMs = graceMs;
        BucketWidthMs = Math.Max(1, (windowMs + graceMs + slices - 1) / slices);
    }

    private WindowClass(in MarkerClass made)
    {
        Id = made.Id;
        Name = made.Name;
        WindowMs = made.WindowMs;
        GraceMs = made.GraceMs;
        // A marker passes its checksum before it gets here; a width of zero would still end in a division by it.
        BucketWidthMs = Math.Max(1, made.BucketWidthMs);
    }

    /// <summary>The class that buckets in a state were made with, whatever this version would make of its window.</summary>
    public static WindowClass Of(in MarkerClass made) => new(made);

    /// <summary>
    /// How many buckets each of that many classes is cut into, so that all of them have at most <see cref="MaxLiveBuckets"/>
    /// live: 7 for up to 4 classes, 2 for 10. Fewer are wider: an expired ID is held up to one bucket longer.
    /// </summary>
    public static int SlicesFor(int classes) =>
        Math.Min(BucketsPerRetention, (MaxLiveBuckets / classes) - 1);

    /// <summary>Number in bucket ids.</summary>
    public ushort Id { get; init; }

    /// <summary>Type pattern, empty for the default.</summary>
    public string Name { get; }

    /// <summary>How far from the first occurrence a record is the same event, in ms.</summary>
    public long WindowMs { get; }

    /// <summary>How far behind the clock a record may arrive and still be judged completely, in ms.</summary>
    public long GraceMs { get; }

    /// <summary>Width of a bucket in ms of expiry.</summary>
    public long BucketWidthMs { get; }

    /// <summary>Window + grace: how long an entry counts, in ms of the clock.</summary>
    public long RetentionMs => WindowMs + GraceMs;

    /// <summary>The last clock at which an entry first seen then still counts.</summary>
    public long ExpiryOf(long seenMs) => seenMs + RetentionMs;

    /// <summary>Whether an entry first seen then counts at that clock.</summary>
    public bool IsLive(long seenMs, long clockMs) => clockMs <= ExpiryOf(seenMs);

    /// <summary>The bucket of an entry first seen then.</summary>
    public BucketId BucketOf(long seenMs) => new(Id, FloorDivide(ExpiryOf(seenMs), BucketWidthMs));

    /// <summary>Whether no entry of a bucket of this class can count at that clock.</summary>
    public bool IsExpired(BucketId bucket, long clockMs) =>
        clockMs >= (bucket.Index + 1) * BucketWidthMs;

    /// <summary>Whether a record with an unknown ID is late.</summary>
    public bool IsLate(long timestampMs, long clockMs) =>
        timestampMs < clockMs - GraceMs + (Planted.Is(PlantedBug.LateOneEarly) ? 1 : 0);

    /// <summary>Whether two times are within the window of one another.</summary>
    public static bool IsWithin(long aMs, long bMs, long windowMs) =>
        Math.Abs(aMs - bMs) <= windowMs - (Planted.Is(PlantedBug.WindowOneShort) ? 1 : 0);

    private static long FloorDivide(long a, long b)
    {
        long q = a / b;
        return a % b < 0 ? q - 1 : q;
    }
}
