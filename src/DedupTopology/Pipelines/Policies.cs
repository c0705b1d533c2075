using Dedup.Topology.Identify;

namespace Dedup.Topology.Pipelines;

/// <summary>What happens to a record with a known ID and another fingerprint.</summary>
public enum ConflictPolicy : byte
{
    /// <summary>To quarantine, with headers that name the first.</summary>
    Quarantine,

    /// <summary>As a duplicate: the first content stands.</summary>
    Duplicate,

    /// <summary>To clean, each of them; nothing of it is remembered.</summary>
    Clean,
}

/// <summary>How much of the judging takes effect.</summary>
public enum ModeKind : byte
{
    /// <summary>All of it.</summary>
    Enforce,

    /// <summary>None: everything is judged, counted, and remembered as if enforced, and forwarded.</summary>
    Shadow,

    /// <summary>Nothing is judged, counted by verdict, or remembered; everything is forwarded.</summary>
    Off,

    /// <summary>Enforced for a share of the IDs, shadow for the rest.</summary>
    Percent,
}

/// <summary>The mode of a pipeline.</summary>
/// <param name="Kind">Its kind.</param>
/// <param name="Percent">With <see cref="ModeKind.Percent"/>: the share of IDs that is enforced, 0 to 100.</param>
public readonly record struct PipelineMode(ModeKind Kind, int Percent = 0)
{
    /// <summary>Whether records that are not firsts may be forwarded all the same.</summary>
    public bool IsLenient => Kind is ModeKind.Shadow or ModeKind.Percent;

    /// <summary>
    /// Whether an ID is on the enforced side: by its unkeyed hash, so on the same side in every partition and instance, and a
    /// higher share keeps those that are in. 0 stands for a record without an ID, which belongs to the rest.
    /// </summary>
    public bool IsEnforced(ulong percentHash) =>
        Kind == ModeKind.Enforce
        || (
            Kind == ModeKind.Percent
            && percentHash != 0
            && Math.BigMul(percentHash, 100UL, out _) < (ulong)Percent
        );
}

/// <summary>Which time of a record windows, clocks, and lateness go by. What is sent on keeps the record's own timestamp.</summary>
/// <param name="IsAppend">
/// Whether the record's timestamp has to be the broker's (message.timestamp.type=LogAppendTime), which the start checks.
/// </param>
/// <param name="Payload">The value in the payload, null for the record's timestamp.</param>
public sealed record TimeRule(bool IsAppend = false, PayloadTime? Payload = null)
{
    /// <summary>The record's timestamp, whoever set it.</summary>
    public static TimeRule Event { get; } = new();
}

/// <summary>Which headers are added to records on the clean topic.</summary>
[Flags]
public enum HeaderSets : byte
{
    /// <summary>None: records are unchanged.</summary>
    None = 0,

    /// <summary>tenant-id, dedupe-key, event-id, event-topic, event-created-at, retry-count, processing-attempt.</summary>
    Standard = 1,

    /// <summary>The verdict.</summary>
    Verdict = 2,
}
