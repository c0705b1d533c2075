namespace Dedup.Topology.Tenants;

/// <summary>
/// What is left of a rate, and when it was. A bucket that has not been asked yet is full; its clock never goes back.
/// </summary>
/// <param name="Level">New IDs times the ms of the rate's unit; negative after <see cref="Owe"/>.</param>
/// <param name="ClockMs">When that was left; -1 before it was asked for the first time.</param>
internal readonly record struct RateBucket(long Level, long ClockMs)
{
    public static readonly RateBucket Unasked = new(0, -1);

    /// <summary>The bucket as it is at a time.</summary>
    public RateBucket At(in RateLimit rate, long timeMs)
    {
        if (ClockMs < 0)
        {
            return new RateBucket(rate.Full, timeMs);
        }

        // After a change of the rate it may have been fuller than it can be.
        long level = Math.Min(Level, rate.Full);
        if (timeMs <= ClockMs)
        {
            return this with { Level = level };
        }

        // Two units fill it whatever it owes; and no product overflows.
        long elapsed = Math.Min(timeMs - ClockMs, 2 * rate.PerMs);
        return new RateBucket(Math.Min(rate.Full, level + (elapsed * rate.Count)), timeMs);
    }

    /// <summary>Whether one new ID is allowed.</summary>
    public bool HasOne(in RateLimit rate) => Level >= rate.PerMs;

    /// <summary>One new ID less.</summary>
    public RateBucket Take(in RateLimit rate) => this with { Level = Level - rate.PerMs };

    /// <summary>One less, whether there is one or not, but never more than a full bucket behind.</summary>
    public RateBucket Owe(in RateLimit rate) =>
        this with
        {
            Level = Math.Max(-rate.Full, Level - rate.PerMs),
        };

    /// <summary>How long until so many are there, in ms.</summary>
    public long WaitFor(in RateLimit rate, long count) =>
        Math.Max(0, ((count * rate.PerMs) - Level + rate.Count - 1) / rate.Count);
}
