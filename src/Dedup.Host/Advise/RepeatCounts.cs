using System.Collections.Immutable;

namespace Dedup.Host.Advise;

/// <summary>What one candidate found in the sample.</summary>
public sealed class RepeatCounts
{
    /// <summary>Upper bounds of the histogram in ms; the last class has none.</summary>
    public static readonly ImmutableArray<long> Bounds =
    [
        1_000,
        10_000,
        60_000,
        600_000,
        3_600_000,
        6 * 3_600_000L,
        24 * 3_600_000L,
        7 * 24 * 3_600_000L,
    ];

    /// <summary>Records of the sample.</summary>
    public required long Records { get; init; }

    /// <summary>Records that have an ID.</summary>
    public required long WithId { get; init; }

    /// <summary>Different IDs.</summary>
    public long Distinct { get; internal set; }

    /// <summary>Records whose ID an earlier one has.</summary>
    public long Repeats => WithId - Distinct;

    /// <summary>Repeats whose payload is not that of the first with the ID.</summary>
    public long Conflicts { get; internal set; }

    /// <summary>Repeats that are the first of their ID in their partition: by-input would not find them.</summary>
    public long Elsewhere { get; internal set; }

    /// <summary>Most records with one ID.</summary>
    public long Largest { get; internal set; }

    /// <summary>How many repeats lie how far from the first of their ID; one class more than <see cref="Bounds"/>.</summary>
    public ImmutableArray<long> Histogram { get; private set; } = [.. new long[Bounds.Length + 1]];

    /// <summary>Half of the repeats lie no farther, in ms.</summary>
    public long MedianMs { get; private set; }

    /// <summary>99 % of the repeats lie no farther, in ms.</summary>
    public long P99Ms { get; private set; }

    /// <summary>The farthest repeat, in ms.</summary>
    public long FarthestMs { get; private set; }

    /// <summary>Share of records with an ID.</summary>
    public double Coverage => Records == 0 ? 0 : (double)WithId / Records;

    /// <summary>Share of repeats with another payload; 0 without repeats.</summary>
    public double ConflictShare => Repeats == 0 ? 0 : (double)Conflicts / Repeats;

    /// <summary>Takes distances in, sorted.</summary>
    internal void SetDistances(ReadOnlySpan<long> sorted)
    {
        if (sorted.IsEmpty)
        {
            return;
        }

        long[] histogram = new long[Bounds.Length + 1];
        foreach (long distance in sorted)
        {
            int at = 0;
            while (at < Bounds.Length && distance >= Bounds[at])
            {
                at++;
            }

            histogram[at]++;
        }

        Histogram = [.. histogram];
        MedianMs = sorted[(sorted.Length - 1) / 2];
        P99Ms = sorted[(int)((sorted.Length - 1) * 0.99)];
        FarthestMs = sorted[^1];
    }
}
