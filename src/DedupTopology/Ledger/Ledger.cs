using System.Collections.Immutable;
using Dedup.Contracts.Identity;

namespace Dedup.Topology.Ledger;

/// <summary>Where a record ended. Each consumed record ends in exactly one of these.</summary>
public enum Destination : byte
{
    /// <summary>The clean topic.</summary>
    Clean = 0,

    /// <summary>The duplicates topic, or dropped and counted as a duplicate.</summary>
    Duplicate = 1,

    /// <summary>The quarantine topic.</summary>
    Quarantine = 2,

    /// <summary>Dropped because it was late and the pipeline says so.</summary>
    LateDropped = 3,

    /// <summary>The repartition topic: counted by the first hop of partitioning: by-id, and judged by the second.</summary>
    Repartition = 4,
}

/// <summary>
/// The counts of one partition: the one home of every count. Those of the open transaction are apart until it commits.
/// </summary>
public sealed class PartitionLedger
{
    /// <summary>How many verdicts there are.</summary>
    internal const int Verdicts = 6;

    private const int Destinations = 5;
    private const int FirstVerdict = 1 + Destinations;
    private const int FirstSpared = FirstVerdict + Verdicts;
    private const int FirstReason = FirstSpared + Verdicts;
    private const string UncheckedName = "schema-unchecked";
    private static readonly string[] Names = MakeNames();
    private static readonly int UncheckedIndex = Array.IndexOf(Names, UncheckedName);

    private readonly long[] _committed = new long[Names.Length];
    private readonly long[] _open = new long[Names.Length];

    /// <summary>Records by event type, where the scope has one.</summary>
    public TypeLedger Types { get; } = new();

    /// <summary>Counts a record. Hot path: no allocation.</summary>
    /// <param name="verdict">What the judge says of it.</param>
    /// <param name="destination">Where it goes.</param>
    /// <param name="reason">Why; counted where it goes to quarantine for it.</param>
    /// <param name="isSpared">Whether only the mode sends it to clean.</param>
    public void Count(
        Verdict verdict,
        Destination destination,
        Reason reason,
        bool isSpared = false
    )
    {
        _open[0]++;
        _open[1 + (int)destination]++;
        _open[FirstVerdict + (int)verdict]++;
        if (isSpared)
        {
            _open[FirstSpared + (int)verdict]++;
        }
        else if (reason != Reason.None)
        {
            _open[FirstReason + (int)reason]++;
        }
    }

    /// <summary>Counts a record whose payload was to be validated and went on unchecked.</summary>
    public void CountUnchecked() => _open[UncheckedIndex]++;

    /// <summary>Records whose payload was to be validated and went on unchecked, committed.</summary>
    public long Unchecked => _committed[UncheckedIndex];

    /// <summary>Counts a record that is handed on unjudged. Hot path: no allocation.</summary>
    public void Count(Destination destination)
    {
        _open[0]++;
        _open[1 + (int)destination]++;
    }

    /// <summary>Records consumed, committed.</summary>
    public long Consumed => _committed[0];

    /// <summary>Records that ended there, committed.</summary>
    public long Of(Destination destination) => _committed[1 + (int)destination];

    /// <summary>Records with that verdict, committed.</summary>
    public long Of(Verdict verdict) => _committed[FirstVerdict + (int)verdict];

    /// <summary>Records with that verdict that went to clean only since they were not on the enforced side, committed.</summary>
    public long OfShadow(Verdict verdict) => _committed[FirstSpared + (int)verdict];

    /// <summary>Records quarantined for that reason, committed.</summary>
    public long Of(Reason reason) => _committed[FirstReason + (int)reason];

    /// <summary>The transaction committed.</summary>
    public void Commit()
    {
        for (int i = 0; i < _open.Length; i++)
        {
            _committed[i] += _open[i];
            _open[i] = 0;
        }

        Types.Commit();
    }

    /// <summary>The transaction was aborted.</summary>
    public void Abort()
    {
        Array.Clear(_open);
        Types.Abort();
    }

    /// <summary>Takes the counts over from a marker; names that this version does not know are ignored.</summary>
    public void Load(ImmutableArray<KeyValuePair<string, long>> counts)
    {
        Array.Clear(_committed);
        Array.Clear(_open);
        foreach (KeyValuePair<string, long> count in counts)
        {
            int index = Array.IndexOf(Names, count.Key);
            if (index >= 0)
            {
                _committed[index] = count.Value;
            }
        }

        Types.Load(counts);
    }

    /// <summary>The counts as they will be when the open transaction commits, without zeros.</summary>
    public ImmutableArray<KeyValuePair<string, long>> Pending()
    {
        ImmutableArray<KeyValuePair<string, long>>.Builder counts = ImmutableArray.CreateBuilder<
            KeyValuePair<string, long>
        >(8);
        for (int i = 0; i < Names.Length; i++)
        {
            long value = _committed[i] + _open[i];
            if (value != 0)
            {
                counts.Add(new KeyValuePair<string, long>(Names[i], value));
            }
        }

        Types.AddPending(counts);
        return counts.ToImmutable();
    }

    private static string[] MakeNames()
    {
        List<string> names =
        [
            "consumed",
            "to.clean",
            "to.duplicate",
            "to.quarantine",
            "to.late-dropped",
            "to.repartition",
        ];
        foreach (string kind in new[] { "verdict.", "shadow." })
        {
            for (int i = 0; i < Verdicts; i++)
            {
                names.Add(kind + VerdictText.Of((Verdict)i));
            }
        }

        for (int i = 0; i < ReasonText.Count; i++)
        {
            names.Add("reason." + ReasonText.Of((Reason)i));
        }

        names.Add(UncheckedName);
        return [.. names];
    }
}
