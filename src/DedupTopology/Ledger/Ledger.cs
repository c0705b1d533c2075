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
}

/// <summary>
/// The counts of one partition: the one home of every count. Those of the open transaction are apart until it commits.
/// </summary>
public sealed class PartitionLedger
{
    private const int Destinations = 4;
    private const int Verdicts = 5;
    private static readonly string[] Names = MakeNames();

    private readonly long[] _committed = new long[Names.Length];
    private readonly long[] _open = new long[Names.Length];

    /// <summary>Counts a record. Hot path: no allocation.</summary>
    public void Count(Verdict verdict, Destination destination, Reason reason)
    {
        _open[0]++;
        _open[1 + (int)destination]++;
        _open[1 + Destinations + (int)verdict]++;
        if (reason != Reason.None)
        {
            _open[1 + Destinations + Verdicts + (int)reason]++;
        }
    }

    /// <summary>Records consumed, committed.</summary>
    public long Consumed => _committed[0];

    /// <summary>Records that ended there, committed.</summary>
    public long Of(Destination destination) => _committed[1 + (int)destination];

    /// <summary>Records with that verdict, committed.</summary>
    public long Of(Verdict verdict) => _committed[1 + Destinations + (int)verdict];

    /// <summary>Records quarantined for that reason, committed.</summary>
    public long Of(Reason reason) => _committed[1 + Destinations + Verdicts + (int)reason];

    /// <summary>The transaction committed.</summary>
    public void Commit()
    {
        for (int i = 0; i < _open.Length; i++)
        {
            _committed[i] += _open[i];
            _open[i] = 0;
        }
    }

    /// <summary>The transaction was aborted.</summary>
    public void Abort() => Array.Clear(_open);

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
        ];
        foreach (Verdict verdict in Enum.GetValues<Verdict>())
        {
            names.Add("verdict." + verdict.ToString().ToLowerInvariant());
        }

        for (int i = 0; i < ReasonText.Count; i++)
        {
            names.Add("reason." + ReasonText.Of((Reason)i));
        }

        return [.. names];
    }
}
