using Dedup.Contracts.Identity;

namespace Dedup.Topology.Judge;

/// <summary>
/// Keys beside an ID's own, under which more than one entry of an ID can be remembered though they lie in one bucket, where
/// a key stands once.
/// </summary>
/// <remarks>
/// A key is 128 random bits to whoever does not know the state's hash key, and so is every one of these: two of different IDs
/// meet as rarely as two IDs do. Hot path: no allocation.
/// </remarks>
internal static class KeyVariants
{
    // Any odd constants do: SplitMix64's step and its two multipliers.
    private const ulong Step = 0x9E37_79B9_7F4A_7C15;
    private const ulong First = 0xBF58_476D_1CE4_E5B9;
    private const ulong Second = 0x94D0_49BB_1331_11EB;

    /// <summary>Where the last occurrence is remembered of an ID whose window counts from it.</summary>
    public static EventKey LastOccurrence(in EventKey key) => Mix(key, First, Second);

    /// <summary>Where a first occurrence in that time bucket is remembered of an ID that is content.</summary>
    /// <param name="key">The ID's key.</param>
    /// <param name="timeBucket">Time divided by the width of a bucket, rounded down.</param>
    public static EventKey InTimeBucket(in EventKey key, long timeBucket)
    {
        ulong n = ((ulong)timeBucket + 1) * Step;
        return Mix(key, Scramble(n), Scramble(n + Step));
    }

    private static EventKey Mix(in EventKey key, ulong high, ulong low) =>
        new(key.High ^ high, key.Low ^ low);

    private static ulong Scramble(ulong z)
    {
        z = (z ^ (z >> 30)) * First;
        z = (z ^ (z >> 27)) * Second;
        return z ^ (z >> 31);
    }
}
