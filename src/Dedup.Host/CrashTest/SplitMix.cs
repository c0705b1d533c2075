namespace Dedup.Host.CrashTest;

/// <summary>SplitMix64: good enough for a uniform choice, and the same sequence for the same seed on every machine.</summary>
internal static class SplitMix
{
    /// <summary>2^64 / golden ratio, odd: spreads neighbouring numbers.</summary>
    public const ulong Spread = 0x9E37_79B9_7F4A_7C15;

    /// <summary>The next state, and the number that goes with it.</summary>
    public static ulong Next(ulong state, out ulong number)
    {
        ulong next = state + Spread;
        ulong z = (next ^ (next >> 30)) * 0xBF58_476D_1CE4_E5B9;
        z = (z ^ (z >> 27)) * 0x94D0_49BB_1331_11EB;
        number = z ^ (z >> 31);
        return next;
    }
}
