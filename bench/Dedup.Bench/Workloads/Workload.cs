namespace Dedup.Bench.Workloads;

/// <summary>
/// A sequence of events of which one in ten repeats one of the last million IDs, uniformly. The same numbers give the same
/// sequence, so that nobody has to remember it.
/// </summary>
internal sealed class Workload
{
    /// <summary>Bytes of a record, key and value together.</summary>
    public const int RecordBytes = 200;

    /// <summary>Share of records that repeat an ID.</summary>
    public const double DuplicateShare = 0.1;

    /// <summary>How many IDs back a repetition may reach.</summary>
    public const int Reach = 1_000_000;

    // Any number; fixed, so that two runs work on the same events.
    private const ulong Seed = 20_240_607;
    private readonly double _duplicateShare;
    private ulong _state = Seed;

    /// <summary>Begins the sequence.</summary>
    public Workload(double duplicateShare = DuplicateShare) => _duplicateShare = duplicateShare;

    /// <summary>IDs given so far; they are the numbers below it.</summary>
    public long Ids { get; private set; }

    /// <summary>Number of the next event's ID; a new one is equal to <see cref="Ids"/> before the call.</summary>
    public long Next()
    {
        ulong random = Random();
        // The upper 53 bits as a number from 0 to 1.
        if (Ids > 0 && (random >> 11) * (1.0 / (1UL << 53)) < _duplicateShare)
        {
            long reach = Math.Min(Ids, Reach);
            return Ids - 1 - (long)(Random() % (ulong)reach);
        }

        return Ids++;
    }

    /// <summary>SplitMix64: a few cycles, and good enough for a uniform choice.</summary>
    private ulong Random()
    {
        ulong z = _state += 0x9E37_79B9_7F4A_7C15;
        z = (z ^ (z >> 30)) * 0xBF58_476D_1CE4_E5B9;
        z = (z ^ (z >> 27)) * 0x94D0_49BB_1331_11EB;
        return z ^ (z >> 31);
    }
}
