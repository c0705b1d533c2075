using System.Globalization;
using Dedup.Host.CrashTest;

namespace Dedup.Acceptance.Faults;

/// <summary>The choices of a test with random faults: all of them follow from one number.</summary>
/// <remarks>What the operating system makes of them it does not decide: the same seed is the same plan, not the same run.</remarks>
internal sealed class FaultSeed
{
    private ulong _state;

    /// <summary>Takes DEDUP_SEED, or else a number of its own, and says which.</summary>
    public FaultSeed(ITestOutputHelper output)
    {
        Number = ulong.TryParse(
            Environment.GetEnvironmentVariable("DEDUP_SEED"),
            NumberStyles.None,
            CultureInfo.InvariantCulture,
            out ulong given
        )
            ? given
            : (ulong)Random.Shared.Next();
        _state = Number;
        output.WriteLine(
            $"seed {Number}: DEDUP_SEED={Number} makes the same plan again{(IsLong ? ", with DEDUP_LONG" : "")}"
        );
    }

    /// <summary>Whether DEDUP_LONG asks for more rounds.</summary>
    public static bool IsLong { get; } =
        Environment.GetEnvironmentVariable("DEDUP_LONG") is { Length: > 0 };

    /// <summary>The seed.</summary>
    public ulong Number { get; }

    /// <summary>From <paramref name="from"/> to below <paramref name="to"/>.</summary>
    public int Between(int from, int to) => from + (int)(Next() % (ulong)(to - from));

    /// <summary>One of them.</summary>
    public T One<T>(IReadOnlyList<T> of) => of[Between(0, of.Count)];

    /// <summary>The same in another order.</summary>
    public T[] Shuffled<T>(IEnumerable<T> of)
    {
        T[] all = [.. of];
        for (int i = all.Length - 1; i > 0; i--)
        {
            int j = Between(0, i + 1);
            (all[i], all[j]) = (all[j], all[i]);
        }

        return all;
    }

    /// <summary>64 random bits.</summary>
    public ulong Next()
    {
        _state = SplitMix.Next(_state, out ulong number);
        return number;
    }
}
