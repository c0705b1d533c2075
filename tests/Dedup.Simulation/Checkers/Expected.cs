using Dedup.Contracts.Identity;
using Dedup.Simulation.Broker;

namespace Dedup.Simulation.Checkers;

/// <summary>A record that has to be in an output topic.</summary>
/// <param name="SourceOffset">Offset of the input record that it came from.</param>
/// <param name="Record">The record, byte for byte.</param>
/// <param name="WithoutPayload">Quarantine only: whether key and value have to be left out, since the topic refuses them.</param>
public readonly record struct ExpectedRecord(
    long SourceOffset,
    ModelRecord Record,
    bool WithoutPayload = false
);

/// <summary>An ID that has to be in the changelog.</summary>
/// <param name="Id">The ID's bytes, as text; of the last occurrence with a mark, since that has a key of its own.</param>
/// <param name="SeenMs">Time that the window counts from.</param>
/// <param name="SourceOffset">Offset of the first occurrence.</param>
/// <param name="Class">Window class.</param>
public readonly record struct ExpectedEntry(string Id, long SeenMs, long SourceOffset, int Class);

/// <summary>What one transaction has to contain for one partition.</summary>
public sealed class ExpectedTransaction
{
    /// <summary>Records of the clean topic.</summary>
    public List<ExpectedRecord> Clean { get; } = [];

    /// <summary>Records of the duplicates topic.</summary>
    public List<ExpectedRecord> Duplicates { get; } = [];

    /// <summary>Records of the quarantine topic, with their reasons.</summary>
    public List<(ExpectedRecord Record, Reason Reason)> Quarantine { get; } = [];

    /// <summary>IDs remembered.</summary>
    public List<ExpectedEntry> Entries { get; } = [];
}
