using Dedup.Audit.Contents;
using Dedup.Contracts.Identity;
using Dedup.Topology.Identify;
using Dedup.Topology.Records;

namespace Dedup.Audit.Intake;

/// <summary>What the rules make of one record, before anything is compared.</summary>
internal struct EventReading
{
    /// <summary>ID, fingerprint, class, and why there is no ID.</summary>
    public Identified Identified;

    /// <summary>Why it cannot be judged, as far as the record itself says it: no ID, or no time in its payload.</summary>
    public Reason Reason;

    /// <summary>The time that windows and clocks go by.</summary>
    public long TimeMs;
}

/// <summary>Reads ID and time of a record. One for each side of a partition; used by one thread.</summary>
/// <remarks>Hot path: no allocation per record.</remarks>
internal sealed class EventReader
{
    private readonly AuditRules _rules;
    private readonly SipHash _hash;

    public EventReader(AuditRules rules, SipHash hash)
    {
        _rules = rules;
        _hash = hash;
        Scratch.WantPercentHash = rules.Mode.Kind == AuditModeKind.Percent;
    }

    /// <summary>What the recipe made of the last record.</summary>
    public IdScratch Scratch { get; } = new();

    /// <summary>Reads a record.</summary>
    public void Read(in RecordView record, out EventReading reading)
    {
        reading = default;
        _rules.Recipe.Identify(record, Scratch, _hash, out reading.Identified);
        reading.Reason = reading.Identified.Reason;
        reading.TimeMs = record.TimestampMs;
        if (_rules.Time is { } payload && reading.Reason == Reason.None && record.TimestampMs > 0)
        {
            reading.Reason = payload.Read(record, out reading.TimeMs);
        }
    }

    /// <summary>
    /// The ID, or a name for a record without one: its contents, so that it is still found on clean where it must not be.
    /// </summary>
    public static EventKey NameOf(in EventReading reading, in RecordContents contents) =>
        reading.Reason == Reason.None
            ? reading.Identified.Key
            : new EventKey(
                contents.Value * 0x9E3779B97F4A7C15,
                contents.Value
                    ^ ((ulong)contents.Key << 32)
                    ^ contents.Headers
                    ^ (ulong)contents.TimestampMs
            );

    /// <summary>32 bits of a fingerprint, 0 only for none.</summary>
    public static uint Fold(ulong fingerprint) =>
        fingerprint == 0 ? 0 : Math.Max(1, RecordContents.Fold(fingerprint));
}
