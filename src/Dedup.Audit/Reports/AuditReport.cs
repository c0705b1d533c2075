namespace Dedup.Audit.Reports;

/// <summary>
/// Where the audited input records belong, by the definition. In = First + Late + Conflicts + Unjudged + Spared + Duplicates +
/// Quarantined + Dropped + Undecided; Late and Conflicts count the forwarded ones only, quarantined ones are in Quarantined,
/// suppressed ones in Duplicates, dropped ones in Dropped.
/// </summary>
public sealed record AuditCounts
{
    /// <summary>Input records audited.</summary>
    public long In { get; init; }

    /// <summary>First occurrences.</summary>
    public long First { get; init; }

    /// <summary>Late records that belong on clean.</summary>
    public long Late { get; init; }

    /// <summary>Conflicts that belong on clean.</summary>
    public long Conflicts { get; init; }

    /// <summary>Records that belong on clean since the mode is off.</summary>
    public long Unjudged { get; init; }

    /// <summary>Records that belong on clean only since the mode forwards what would go elsewhere.</summary>
    public long Spared { get; init; }

    /// <summary>Duplicates.</summary>
    public long Duplicates { get; init; }

    /// <summary>Records that belong in quarantine, or are there with a reason that holds.</summary>
    public long Quarantined { get; init; }

    /// <summary>Of those: not checked, since no quarantine topic was named.</summary>
    public long QuarantinedUnchecked { get; init; }

    /// <summary>Late records that the policy drops.</summary>
    public long Dropped { get; init; }

    /// <summary>Records that cannot be judged from outside.</summary>
    public long Undecided { get; init; }

    /// <summary>Clean records read.</summary>
    public long Clean { get; init; }

    /// <summary>Clean records whose input record lies behind the audited end: committed while the audit ran.</summary>
    public long CleanAhead { get; init; }

    /// <summary>Records of the quarantine topic that name this input and lie within the audited range.</summary>
    public long InQuarantineTopic { get; init; }

    /// <summary>Records of the duplicates topic that name this input and lie within the audited range.</summary>
    public long InDuplicatesTopic { get; init; }
}

/// <summary>What could not be told, by reason.</summary>
/// <param name="Reason">Why.</param>
/// <param name="Count">How often.</param>
public readonly record struct UnknownCount(UnknownReason Reason, long Count);

/// <summary>The findings of one kind.</summary>
/// <param name="Kind">The kind.</param>
/// <param name="Count">How many there are.</param>
/// <param name="Shown">The first of them, at most <see cref="FindingLog.ShownOfEach"/>.</param>
public sealed record FindingGroup(FindingKind Kind, long Count, IReadOnlyList<Finding> Shown);

/// <summary>What the audit found.</summary>
public sealed record AuditReport
{
    /// <summary>Counts over all partitions.</summary>
    public required AuditCounts Counts { get; init; }

    /// <summary>What is wrong: one group for each kind that occurs.</summary>
    public required IReadOnlyList<FindingGroup> Findings { get; init; }

    /// <summary>What could not be told.</summary>
    public required IReadOnlyList<UnknownCount> Unknown { get; init; }

    /// <summary>Remarks on how the audit was made: waits that ran out, settings that could not be read.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>How long it took, without waiting for the pipeline.</summary>
    public TimeSpan Duration { get; init; }

    /// <summary>Records read from all topics.</summary>
    public long RecordsRead { get; init; }

    /// <summary>Records read per second.</summary>
    public double RecordsPerSecond =>
        Duration > TimeSpan.Zero ? RecordsRead / Duration.TotalSeconds : 0;

    /// <summary>Bytes that went through the temporary file.</summary>
    public long SpilledBytes { get; init; }

    /// <summary>Whether nothing is wrong. What is unknown does not make a topic unsound.</summary>
    public bool IsSound => Findings.Count == 0;

    /// <summary>Number of things that cannot be told.</summary>
    public long UnknownTotal => Unknown.Sum(static u => u.Count);

    /// <summary>Number of findings of a kind.</summary>
    public long CountOf(FindingKind kind) =>
        Findings.FirstOrDefault(g => g.Kind == kind)?.Count ?? 0;
}
