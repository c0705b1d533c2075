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

    /// <summary>It goes where its verdict says; else the mode forwards it.</summary>
    Enforced = 128,

    /// <summary>The clock was set by a record that the mode forwarded, and that may not have been judged.</summary>
    ClockUnsure = 256,
}

/// <summary>An input record as it waits for judgement.</summary>
/// <remarks>
/// <code>
/// 0    16         40        48       56         60              64       68            72      74       75            76      80
/// | Id | Contents | ClockMs | TimeMs | Position | FirstPosition | BucketMs | Fingerprint | Class | Reason | Quarantined | Marks |
/// </code>
/// </remarks>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
internal struct InputEntry
{
    /// <summary>What the audit keeps for each input record.</summary>
    public const int Size = 80;

    public EventKey Id;
    public RecordContents Contents;

    /// <summary>Clock of its window class after it was seen.</summary>
    public long ClockMs;

    /// <summary>The time that windows and clocks go by; the record's timestamp, or the one in its payload.</summary>
    public long TimeMs;

    /// <summary>Offset − start of the audited range + 1.</summary>
    public uint Position;

    /// <summary>Position of the first occurrence that the duplicates topic names; 0 for none, <see cref="uint.MaxValue"/> for one out of range.</summary>
    public uint FirstPosition;

    /// <summary>Width of the time buckets of its ID, 0 where the window decides. At most a day.</summary>
    public int BucketMs;

    /// <summary>32 bits of what tells a conflict from a duplicate; 0 where nothing does.</summary>
    public uint Fingerprint;
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
/// 0    16         40         44        45
/// | Id | Contents | Position | Verdict | padding to 48
/// </code>
/// </remarks>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
internal struct CleanEntry
{
    public const int Size = 48;

    /// <summary><see cref="Verdict"/> of a record that names none.</summary>
    public const byte NoVerdict = byte.MaxValue;

    public EventKey Id;
    public RecordContents Contents;

    /// <summary>Offset − start of the clean range + 1.</summary>
    public uint Position;

    /// <summary>The verdict that its added header names, as a number; <see cref="NoVerdict"/> without one.</summary>
    public byte Verdict;
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

    /// <summary>Whether key, value, and own headers were left out, since the topic refused them.</summary>
    public bool IsWithoutPayload;
}
