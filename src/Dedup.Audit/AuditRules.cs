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

    internal long MaxFutureOf(ushort windowClass) =>
        MaxFutureOfClass?.Invoke(windowClass) ?? EffectiveMaxFutureMs;

    internal long EffectiveMaxFutureMs => MaxFutureMs ?? Math.Min(3_600_000, Window.WindowMs / 4);

    internal AuditWindow WindowOf(ushort windowClass) =>
        WindowOfClass?.Invoke(windowClass) ?? Window;
}
