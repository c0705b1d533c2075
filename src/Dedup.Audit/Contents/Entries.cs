using System.Runtime.InteropServices;
using Dedup.Contracts.Identity;

namespace Dedup.Audit.Contents;

/// <summary>What the audit knows of an input record beyond its contents.</summary>
[Flags]
internal enum InputMarks : uint
{
    None = 0,

    /// <summary>Behind the audited end: read only to explain what the clean topic has already.</summary>
    Tail = 1,

    /// <summary>Older records that could change its verdict were deleted.</summary>
    HistoryDeleted = 2,

    /// <summary>Records before it were compacted away.</summary>
    HistoryCompacted = 4,

    /// <summary>Its timestamp jumps ahead so far that it may have been quarantined for it; no quarantine topic to tell.</summary>
    MaybeTooFar = 8,

    /// <summary>It lies in the quarantine topic.</summary>
    InQuarantine = 16,

    /// <summary>It lies in the quarantine topic for its timestamp, and the timestamp was too far ahead then.</summary>
    TooFarConfirmed = 32,

    /// <summary>It lies in the duplicates topic.</summary>
    InDuplicates = 64,
}

/// <summary>An input record as it waits for judgement.</summary>
/// <remarks>
/// <code>
/// 0    16         40        48         52              56      58       59            60      64
/// | Id | Contents | ClockMs | Position | FirstPosition | Class | Reason | Quarantined | Marks |
/// </code>
/// </remarks>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
internal struct InputEntry
{
    /// <summary>64: a cache line, and half of what the audit keeps for each record.</summary>
    public const int Size = 64;

    public EventKey Id;
    public RecordContents Contents;

    /// <summary>Clock of its window class after it was seen.</summary>
    public long ClockMs;

    /// <summary>Offset − start of the audited range + 1.</summary>
    public uint Position;

    /// <summary>Position of the first occurrence that the duplicates topic names; 0 for none, <see cref="uint.MaxValue"/> for one out of range.</summary>
    public uint FirstPosition;
    public ushort Class;

    /// <summary>Why it has no ID, by our own reading.</summary>
    public Reason Reason;

    /// <summary>Why it is in the quarantine topic, as that says.</summary>
    public Reason Quarantined;
    public InputMarks Marks;

    public readonly bool Has(InputMarks mark) => (Marks & mark) != 0;
}

/// <summary>A clean record as it waits for its input record.</summary>
/// <remarks>
/// <code>
/// 0    16         40         44
/// | Id | Contents | Position |
/// </code>
/// </remarks>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
internal struct CleanEntry
{
    public const int Size = 44;

    public EventKey Id;
    public RecordContents Contents;

    /// <summary>Offset − start of the clean range + 1.</summary>
    public uint Position;
}

/// <summary>A record of the quarantine or duplicates topic, filed under the input record that it names.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
internal struct SideEntry
{
    public long SourceOffset;
    public RecordContents Contents;

    /// <summary>Offset of the first occurrence; −1 when it names none.</summary>
    public long FirstOffset;

    /// <summary>Its own timestamp: when it was quarantined.</summary>
    public long OwnTimestampMs;
    public long OwnOffset;
    public int OwnPartition;

    /// <summary>Partition of the first occurrence; −1 when it names none.</summary>
    public int FirstPartition;
    public Reason Reason;
}
