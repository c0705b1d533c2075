namespace Dedup.Audit.Reports;

/// <summary>Counts findings and unknowns, and keeps the first findings of each kind. Used by several threads.</summary>
public sealed class FindingLog
{
    /// <summary>How many findings of each kind are kept: enough to see a pattern, few enough to read.</summary>
    public const int ShownOfEach = 20;

    private static readonly int Kinds = Enum.GetValues<FindingKind>().Length;
    private readonly Lock _lock = new();
    private readonly long[] _counts = new long[Kinds];
    private readonly List<Finding>[] _shown =
    [
        .. Enumerable.Range(0, Kinds).Select(static _ => new List<Finding>()),
    ];
    private readonly long[] _unknown = new long[Enum.GetValues<UnknownReason>().Length];

    /// <summary>Findings so far.</summary>
    public long Total
    {
        get
        {
            lock (_lock)
            {
                return _counts.Sum();
            }
        }
    }

    internal void Add(Finding finding)
    {
        lock (_lock)
        {
            _counts[(int)finding.Kind]++;
            List<Finding> shown = _shown[(int)finding.Kind];
            if (shown.Count < ShownOfEach)
            {
                shown.Add(finding);
            }
        }
    }

    internal void AddUnknown(UnknownReason reason)
    {
        lock (_lock)
        {
            _unknown[(int)reason]++;
        }
    }

    internal IReadOnlyList<FindingGroup> Groups(Func<Finding, Finding> picture)
    {
        var groups = new List<FindingGroup>();
        for (int kind = 0; kind < Kinds; kind++)
        {
            if (_counts[kind] > 0)
            {
                Finding[] shown =
                [
                    .. _shown[kind]
                        .OrderBy(static f => f.Partition)
                        .ThenBy(static f => f.CleanOffset ?? f.InputOffset ?? f.SideOffset)
                        .Select(picture),
                ];
                groups.Add(new FindingGroup((FindingKind)kind, _counts[kind], shown));
            }
        }

        return groups;
    }

    internal IReadOnlyList<UnknownCount> Unknown =>
        [
            .. _unknown
                .Select(static (count, reason) => new UnknownCount((UnknownReason)reason, count))
                .Where(static u => u.Count > 0),
        ];
}
