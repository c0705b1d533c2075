using System.Numerics;

namespace Dedup.Simulation.Chance;

/// <summary>
/// xoshiro256** (Blackman and Vigna 2018), seeded by splitmix64. Our own, since System.Random may change between runtimes
/// and a seed must mean the same run on every machine.
/// </summary>
public sealed class Rng
{
    private ulong _s0;
    private ulong _s1;
    private ulong _s2;
    private ulong _s3;

    /// <summary>Starts a stream.</summary>
    public Rng(ulong seed)
    {
        _s0 = SplitMix(ref seed);
        _s1 = SplitMix(ref seed);
        _s2 = SplitMix(ref seed);
        _s3 = SplitMix(ref seed);
    }

    /// <summary>One step of splitmix64: also used to mix numbers into a hash.</summary>
    public static ulong SplitMix(ref ulong state)
    {
        ulong z = state += 0x9E3779B97F4A7C15UL;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }

    /// <summary>A stream of its own for a purpose, so that drawing more for one purpose does not shift the others.</summary>
    public static Rng For(ulong seed, ulong purpose)
    {
        ulong state = seed ^ (purpose * 0xD1342543DE82EF95UL);
        return new Rng(SplitMix(ref state));
    }

    /// <summary>64 bits.</summary>
    public ulong Next()
    {
        ulong result = BitOperations.RotateLeft(_s1 * 5, 7) * 9;
        ulong t = _s1 << 17;
        _s2 ^= _s0;
        _s3 ^= _s1;
        _s1 ^= _s2;
        _s0 ^= _s3;
        _s2 ^= t;
        _s3 = BitOperations.RotateLeft(_s3, 45);
        return result;
    }

    /// <summary>A number from 0 to <paramref name="bound"/> - 1; 0 for a bound below 2. The bias of the multiplication is far below what a simulation notices.</summary>
    public int Below(int bound) => bound < 2 ? 0 : (int)(((Next() >> 32) * (ulong)bound) >> 32);

    /// <summary>A number from <paramref name="low"/> to <paramref name="high"/>, both included.</summary>
    public int Between(int low, int high) => low + Below(high - low + 1);

    /// <summary>A number from <paramref name="low"/> to <paramref name="high"/>, both included.</summary>
    public long Between(long low, long high) =>
        high <= low ? low : low + (long)Math.BigMul(Next(), (ulong)(high - low + 1), out _);

    /// <summary>True once in <paramref name="n"/> times; never for n below 1.</summary>
    public bool OneIn(int n) => n >= 1 && Below(n) == 0;

    /// <summary>True in <paramref name="percent"/> of 100 times.</summary>
    public bool Percent(int percent) => Below(100) < percent;

    /// <summary>A number up to <paramref name="high"/> whose magnitude, not value, is uniform: mostly small, now and then large.</summary>
    public int Skewed(int high)
    {
        int bits = Below(BitOperations.Log2((uint)Math.Max(1, high)) + 2);
        return Math.Min(high, Below(1 << Math.Min(30, bits)));
    }

    /// <summary>Shuffles in place (Fisher and Yates).</summary>
    public void Shuffle<T>(IList<T> items)
    {
        for (int i = items.Count - 1; i > 0; i--)
        {
            int j = Below(i + 1);
            (items[i], items[j]) = (items[j], items[i]);
        }
    }

    /// <summary>One of the items.</summary>
    public T Pick<T>(IReadOnlyList<T> items) => items[Below(items.Count)];
}
