using Dedup.Audit.Contents;

namespace Dedup.Audit.Reports;

/// <summary>What is wrong.</summary>
public enum FindingKind : byte
{
    /// <summary>An input record that should have reached a topic reached none.</summary>
    Lost,

    /// <summary>An event reached the clean topic once more within its window.</summary>
    Twice,

    /// <summary>A clean record differs from its input record.</summary>
    Changed,

    /// <summary>A clean record that no input record explains.</summary>
    Foreign,

    /// <summary>A clean record stands elsewhere than the order of its input partition says.</summary>
    OutOfOrder,

    /// <summary>A record is in a topic where it does not belong, or missing in a side topic, or in two.</summary>
    LedgerMismatch,
}

/// <summary>A record as a person can recognise it.</summary>
/// <param name="Key">Key, cut and with what cannot be printed escaped; null when the key is null.</param>
/// <param name="Value">Value, likewise.</param>
/// <param name="Headers">Number of headers.</param>
/// <param name="TimestampMs">Timestamp in ms since the epoch.</param>
public sealed record RecordPicture(string? Key, string? Value, int Headers, long TimestampMs)
{
    /// <inheritdoc/>
    public override string ToString() =>
        $"key={Quote(Key)} value={Quote(Value)} headers={Headers} timestamp={TimestampMs}";

    private static string Quote(string? text) => text is null ? "null" : $"\"{text}\"";
}

/// <summary>One thing that is wrong.</summary>
public sealed record Finding
{
    /// <summary>What.</summary>
    public required FindingKind Kind { get; init; }

    /// <summary>Partition of the input, and of the clean topic.</summary>
    public required int Partition { get; init; }

    /// <summary>Offset of the input record, if there is one.</summary>
    public long? InputOffset { get; init; }

    /// <summary>Offset of the clean record, if there is one.</summary>
    public long? CleanOffset { get; init; }

    /// <summary>With Twice: offset of the clean record that came first.</summary>
    public long? FirstCleanOffset { get; init; }

    /// <summary>Partition of the record in the quarantine or duplicates topic that the finding is about.</summary>
    public int? SidePartition { get; init; }

    /// <summary>Its offset there.</summary>
    public long? SideOffset { get; init; }

    /// <summary>With Changed: what differs.</summary>
    public RecordParts Changed { get; init; }

    /// <summary>A sentence with what was expected, and a hint where there is one; empty when the kind says it all.</summary>
    public string Detail { get; init; } = "";

    /// <summary>The input record, when it could be read once more.</summary>
    public RecordPicture? Input { get; init; }

    /// <summary>The clean record, when it could be read once more.</summary>
    public RecordPicture? Clean { get; init; }
}

/// <summary>Why something cannot be told from outside.</summary>
public enum UnknownReason : byte
{
    /// <summary>Input record without a clean one: it may repeat one that was deleted from the input's beginning.</summary>
    InputHistoryDeleted,

    /// <summary>Clean record whose input record was probably deleted.</summary>
    InputDeleted,

    /// <summary>Input record whose clean record was probably deleted.</summary>
    CleanDeleted,

    /// <summary>Compaction took records out of the input or clean topic that would decide it.</summary>
    Compacted,

    /// <summary>Its timestamp may have been too far in the future then; only the quarantine topic could tell.</summary>
    TimestampMaybeTooFar,

    /// <summary>A transaction is still open on the clean topic; what lies behind it cannot be read yet.</summary>
    CleanPending,

    /// <summary>The record that would decide it was deleted from the quarantine or duplicates topic.</summary>
    SideDeleted,

    /// <summary>By-id: its input partition is behind another one, and may have been left out as idle, so that what it repeats was forgotten.</summary>
    MaybeLeftOut,

    /// <summary>Refresh: it is near an occurrence that a later one may have replaced, or that may have been a conflict.</summary>
    MaybeReplaced,

    /// <summary>The mode forwarded a record before it that may not have been judged, so that its clock is not known.</summary>
    ClockUnsure,

    /// <summary>The verdict in its added header cannot be checked.</summary>
    VerdictUnsure,

    /// <summary>By-id: which of several contents of an event came first decides whether it is a conflict.</summary>
    ConflictOrder,

    /// <summary>By-id: it was dropped as late, or it repeats a record of another partition; neither shows.</summary>
    LateOrDuplicate,

    /// <summary>By-id: what it repeats had expired by its own partition's clock, and counted only if a slower partition kept it.</summary>
    MaybeExpired,
}

/// <summary>The sentences for <see cref="UnknownReason"/>.</summary>
public static class UnknownReasonText
{
    /// <summary>A sentence for people.</summary>
    public static string Of(UnknownReason reason) =>
        reason switch
        {
            UnknownReason.InputHistoryDeleted =>
                "missing on clean, but may repeat a record that was deleted from the beginning of the input",
            UnknownReason.InputDeleted =>
                "on clean, but its input record was probably deleted already",
            UnknownReason.CleanDeleted => "its clean record was probably deleted already",
            UnknownReason.Compacted => "compaction removed the records that would decide it",
            UnknownReason.TimestampMaybeTooFar =>
                "its timestamp may have been too far in the future; audit with the quarantine topic to tell",
            UnknownReason.CleanPending =>
                "behind a transaction that is still open on the clean topic",
            UnknownReason.SideDeleted =>
                "the quarantine or duplicates topic has lost its beginning",
            UnknownReason.MaybeLeftOut =>
                "its input partition is so far behind another one that, if it was idle for idle-timeout, its first occurrence was forgotten",
            UnknownReason.MaybeReplaced =>
                "repeats an occurrence that a later one may have replaced, or that may have been a conflict; taken as what its place says",
            UnknownReason.ClockUnsure =>
                "the mode forwarded a record before it that may not have been judged, so that its clock is not known",
            UnknownReason.VerdictUnsure => "the verdict in its added header cannot be checked",
            UnknownReason.ConflictOrder =>
                "with other contents of its event in other partitions: which came first decides whether it is a conflict",
            UnknownReason.LateOrDuplicate =>
                "late, and near one of its event on clean: dropped, or suppressed as its duplicate",
            UnknownReason.MaybeExpired =>
                "late, and near one of its event on clean that had expired by its own partition's clock: a duplicate if a slower partition kept that one, else missing",
            _ => throw new ArgumentOutOfRangeException(nameof(reason)),
        };
}
