using Dedup.Topology.Identify;

namespace Dedup.Audit;

/// <summary>A window and its grace, as the user configured them.</summary>
/// <param name="WindowMs">How far from the first occurrence a record is the same event, in ms.</param>
/// <param name="GraceMs">How far behind the clock a record may arrive and still be judged completely, in ms.</param>
public readonly record struct AuditWindow(long WindowMs, long GraceMs)
{
    /// <summary>A window whose grace is the window itself, which is the default.</summary>
    public AuditWindow(long windowMs)
        : this(windowMs, windowMs) { }
}

/// <summary>What the pipeline does with late records.</summary>
public enum AuditLatePolicy : byte
{
    /// <summary>To clean, unchanged, remembered.</summary>
    Forward,

    /// <summary>To quarantine.</summary>
    Quarantine,

    /// <summary>Dropped and counted.</summary>
    Drop,
}

/// <summary>What the pipeline does with a known ID that comes with other content.</summary>
public enum AuditConflictPolicy : byte
{
    /// <summary>To quarantine.</summary>
    Quarantine,

    /// <summary>As a duplicate.</summary>
    Duplicate,

    /// <summary>To clean, each of them, not remembered.</summary>
    Clean,
}

/// <summary>How much of the judging takes effect.</summary>
public enum AuditModeKind : byte
{
    /// <summary>All of it.</summary>
    Enforce,

    /// <summary>None: everything is judged, and forwarded.</summary>
    Shadow,

    /// <summary>Nothing is judged; everything is forwarded.</summary>
    Off,

    /// <summary>Enforced for a share of the IDs, shadow for the rest.</summary>
    Percent,
}

/// <summary>The mode of the pipeline.</summary>
/// <param name="Kind">Its kind.</param>
/// <param name="Percent">With <see cref="AuditModeKind.Percent"/>: the share, 1 to 99.</param>
public readonly record struct AuditMode(AuditModeKind Kind, int Percent = 0)
{
    /// <summary>
    /// Whether a record with that hash goes where its verdict says. In percent an ID is in when its unkeyed hash, as a fraction
    /// of all hashes, lies below the share; a record without an ID (0) is not.
    /// </summary>
    public bool IsEnforced(ulong percentHash) =>
        Kind switch
        {
            AuditModeKind.Enforce => true,
            AuditModeKind.Percent => percentHash != 0
                && (UInt128)percentHash * 100 < (UInt128)(uint)Percent << 64,
            _ => false,
        };
}

/// <summary>Which headers the pipeline adds to clean records.</summary>
[Flags]
public enum AuditHeaders : byte
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>tenant-id, dedupe-key, event-id, event-topic, event-created-at, retry-count, processing-attempt.</summary>
    Standard = 1,

    /// <summary>dedup.verdict.</summary>
    Verdict = 2,
}

/// <summary>
/// What the pipeline promised, restated for the audit. Nothing here is shared with the pipeline but the recipe, so that a
/// bug of the pipeline's windows, clocks, or expiry is not repeated by its auditor.
/// </summary>
public sealed record AuditRules
{
    /// <summary>How a record gets its event ID.</summary>
    public required Recipe Recipe { get; init; }

    /// <summary>The default window and grace.</summary>
    public required AuditWindow Window { get; init; }

    /// <summary>Window of a class as the recipe numbers it (per event type); null: the default for all.</summary>
    public Func<ushort, AuditWindow>? WindowOfClass { get; init; }

    /// <summary>What happens to late records.</summary>
    public AuditLatePolicy Late { get; init; }

    /// <summary>How far ahead of the wall clock a timestamp may be, in ms; null: one hour, at most a quarter of the window.</summary>
    public long? MaxFutureMs { get; init; }

    /// <summary><see cref="MaxFutureMs"/> of a class as the recipe numbers it, in ms; null: the same for all.</summary>
    public Func<ushort, long>? MaxFutureOfClass { get; init; }

    /// <summary>Whether a window counts from the last occurrence rather than the first.</summary>
    public bool Refresh { get; init; }

    /// <summary>What happens to conflicts; matters only where the recipe has a fingerprint.</summary>
    public AuditConflictPolicy Conflict { get; init; }

    /// <summary>How much of the judging takes effect.</summary>
    public AuditMode Mode { get; init; }

    /// <summary>The value in the payload that windows and clocks go by; null: the record's timestamp.</summary>
    public PayloadTime? Time { get; init; }

    /// <summary>Headers that clean records have beyond their own.</summary>
    public AuditHeaders Headers { get; init; }

    /// <summary>
    /// Whether the pipeline refuses records for what cannot be seen from outside (a schema, a quota). Such a record lies in
    /// quarantine, unless the mode forwards it.
    /// </summary>
    public bool HasHiddenReasons { get; init; }

    internal bool ComparesContents => Recipe.Fingerprint is not null;

    internal bool HasVerdicts =>
        (Headers & AuditHeaders.Verdict) != 0 && Mode.Kind != AuditModeKind.Off;

    internal long MaxFutureOf(ushort windowClass) =>
        MaxFutureOfClass?.Invoke(windowClass) ?? EffectiveMaxFutureMs;

    internal long EffectiveMaxFutureMs => MaxFutureMs ?? Math.Min(3_600_000, Window.WindowMs / 4);

    internal AuditWindow WindowOf(ushort windowClass) =>
        WindowOfClass?.Invoke(windowClass) ?? Window;
}
