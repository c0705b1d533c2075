using Dedup.Audit.Reports;
using Dedup.Contracts.Identity;

namespace Dedup.Audit.Judging;

/// <summary>Where an input record belongs, by the definition.</summary>
internal enum Outcome : byte
{
    /// <summary>Clean: the first of its event.</summary>
    First,

    /// <summary>Clean: late, and the policy forwards.</summary>
    LateForwarded,

    /// <summary>Clean: a conflict, and the policy forwards.</summary>
    ConflictForwarded,

    /// <summary>Clean: the mode is off.</summary>
    Unjudged,

    /// <summary>Clean: the mode forwards what would go elsewhere.</summary>
    Spared,

    /// <summary>Nowhere, or the duplicates topic.</summary>
    Duplicate,

    /// <summary>Nowhere: late, and the policy drops.</summary>
    LateDropped,

    /// <summary>Quarantine.</summary>
    Quarantined,

    /// <summary>Quarantine, but it is there for a reason that does not hold.</summary>
    WronglyQuarantined,

    /// <summary>It cannot be told from outside.</summary>
    Undecided,
}

/// <summary>What the definition says of one record.</summary>
internal struct Judged
{
    public Outcome Outcome;

    /// <summary>The verdict, which says more than the outcome where the mode forwards; null where it cannot be told.</summary>
    public Verdict? Verdict;

    /// <summary>Why something cannot be told: with <see cref="Outcome.Undecided"/>, or a place that was taken as it is.</summary>
    public UnknownReason? Unknown;

    /// <summary>With a duplicate that the duplicates topic holds: whether the first that is named there is one.</summary>
    public bool IsFirstNamedWrongly;

    /// <summary>
    /// With <see cref="Outcome.Undecided"/>: whether it may be on clean, where an equal record is that may be another copy's.
    /// </summary>
    public bool MayBeOnClean;

    public readonly bool BelongsOnClean => Outcome <= Outcome.Spared;
}
