namespace Dedup.Audit.Ledger;

/// <summary>What a marker counts of the records that its partition consumed. Consumed = the sum of the others.</summary>
public sealed record LedgerCounts
{
    /// <summary>Records consumed.</summary>
    public long Consumed { get; init; }

    /// <summary>To the clean topic.</summary>
    public long Clean { get; init; }

    /// <summary>Duplicates, sent to their topic or dropped.</summary>
    public long Duplicates { get; init; }

    /// <summary>To quarantine.</summary>
    public long Quarantined { get; init; }

    /// <summary>Late and dropped.</summary>
    public long Dropped { get; init; }

    /// <summary>First hop of by-id: handed on to the second.</summary>
    public long HandedOn { get; init; }

    /// <summary>Where the records went.</summary>
    public long Placed => Clean + Duplicates + Quarantined + Dropped + HandedOn;

    /// <summary>Both together.</summary>
    public LedgerCounts Plus(LedgerCounts other) =>
        new()
        {
            Consumed = Consumed + other.Consumed,
            Clean = Clean + other.Clean,
            Duplicates = Duplicates + other.Duplicates,
            Quarantined = Quarantined + other.Quarantined,
            Dropped = Dropped + other.Dropped,
            HandedOn = HandedOn + other.HandedOn,
        };
}

/// <summary>The ledger of one partition, and what was found of it.</summary>
/// <param name="Changelog">Topic of the marker.</param>
/// <param name="Partition">Its partition.</param>
/// <param name="Counts">What the marker says; zeros without one.</param>
/// <param name="MarkerOffset">Offset up to which the marker says that was consumed; null without one.</param>
/// <param name="CommittedOffset">Committed offset of the group; null without one.</param>
/// <param name="Records">Records found in what the partition reads, up to the marker's offset; null where that cannot be counted.</param>
public sealed record LedgerPartition(
    string Changelog,
    int Partition,
    LedgerCounts Counts,
    long? MarkerOffset,
    long? CommittedOffset,
    long? Records
);

/// <summary>Two numbers that should be equal and are not.</summary>
/// <param name="Partition">Where; null in sum over all partitions.</param>
/// <param name="What">What is compared.</param>
/// <param name="Ledger">What the ledger says.</param>
/// <param name="Found">What was found.</param>
public sealed record LedgerMismatch(int? Partition, string What, long Ledger, long Found);

/// <summary>Something that cannot be compared.</summary>
/// <param name="Partition">Where; null for all.</param>
/// <param name="What">What, and why.</param>
public sealed record LedgerUnknown(int? Partition, string What);

/// <summary>What <c>dedup verify --ledger</c> found.</summary>
public sealed record LedgerReport
{
    /// <summary>By hop and partition.</summary>
    public required IReadOnlyList<LedgerPartition> Partitions { get; init; }

    /// <summary>In sum over what judges: all partitions, or those of the second hop.</summary>
    public required LedgerCounts Sum { get; init; }

    /// <summary>What does not agree.</summary>
    public required IReadOnlyList<LedgerMismatch> Mismatches { get; init; }

    /// <summary>What could not be compared.</summary>
    public required IReadOnlyList<LedgerUnknown> Unknown { get; init; }

    /// <summary>Remarks on how it was made.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>Whether everything that could be compared agrees.</summary>
    public bool IsSound => Mismatches.Count == 0;
}
