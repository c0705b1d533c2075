namespace Dedup.Simulation.Broker;

/// <summary>What a place in the log holds.</summary>
public enum EntryKind : byte
{
    /// <summary>A record.</summary>
    Data,

    /// <summary>Control record: the transaction of its producer committed.</summary>
    CommitMarker,

    /// <summary>Control record: the transaction of its producer aborted.</summary>
    AbortMarker,
}

/// <summary>Whether a record of a transaction counts.</summary>
public enum EntryState : byte
{
    /// <summary>Not transactional.</summary>
    Plain,

    /// <summary>Its transaction is open.</summary>
    Open,

    /// <summary>Its transaction committed.</summary>
    Committed,

    /// <summary>Its transaction aborted.</summary>
    Aborted,
}

/// <summary>A header; a null value differs from an empty one.</summary>
/// <param name="Name">Name, UTF-8.</param>
/// <param name="Value">Value or null.</param>
public readonly record struct ModelHeader(byte[] Name, byte[]? Value);

/// <summary>A record as a producer sends it.</summary>
public sealed class ModelRecord
{
    /// <summary>Key or null.</summary>
    public byte[]? Key { get; init; }

    /// <summary>Value, null for a tombstone.</summary>
    public byte[]? Value { get; init; }

    /// <summary>Headers in order.</summary>
    public ModelHeader[] Headers { get; init; } = [];

    /// <summary>Timestamp in ms, -1 when missing.</summary>
    public long TimestampMs { get; init; }

    /// <summary>Bytes as the broker counts them against max.message.bytes (roughly).</summary>
    public int Size
    {
        get
        {
            int n = 70 + (Key?.Length ?? 0) + (Value?.Length ?? 0);
            foreach (ModelHeader h in Headers)
            {
                n += h.Name.Length + (h.Value?.Length ?? 0) + 2;
            }

            return n;
        }
    }
}

/// <summary>One offset of a log.</summary>
public sealed class LogEntry
{
    /// <summary>Offset.</summary>
    public required long Offset { get; init; }

    /// <summary>Record or control record.</summary>
    public required EntryKind Kind { get; init; }

    /// <summary>The record; null for a control record.</summary>
    public ModelRecord? Record { get; init; }

    /// <summary>Who wrote it; -1 without idempotence.</summary>
    public required long ProducerId { get; init; }

    /// <summary>Epoch of who wrote it.</summary>
    public short Epoch { get; init; }

    /// <summary>Who wrote it, for reports: the transactional.id.</summary>
    public string? Writer { get; init; }

    /// <summary>When it was appended, ms of the world.</summary>
    public required long AppendedMs { get; init; }

    /// <summary>Whether it counts; changes once, when the marker is written.</summary>
    public EntryState State { get; set; }

    /// <summary>When the cleaner first met it as a tombstone; -1 before.</summary>
    public long DeleteHorizonMs { get; set; } = -1;

    /// <summary>Whether a consumer with isolation.level=read_committed is given it once it is stable.</summary>
    public bool IsVisible =>
        Kind == EntryKind.Data && State is EntryState.Plain or EntryState.Committed;
}
