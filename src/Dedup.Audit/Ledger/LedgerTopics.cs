using Dedup.Audit.Logs;

namespace Dedup.Audit.Ledger;

/// <summary>What one hop of a pipeline reads, and where it keeps its ledger. A pipeline with by-input has one.</summary>
public sealed record LedgerHop
{
    /// <summary>Changelog, one partition for each partition that is read.</summary>
    public required ITopicLog Changelog { get; init; }

    /// <summary>What it reads: the input, or between the hops.</summary>
    public required ITopicLog Reads { get; init; }

    /// <summary>Committed offsets by partition.</summary>
    public required IReadOnlyDictionary<int, long> Committed { get; init; }

    /// <summary>First offset that counts, by partition; null where nobody knows where the first run began.</summary>
    public Func<int, long?> Begins { get; init; } = static _ => 0;
}

/// <summary>The topics of a pipeline, all as they were at one moment between two transactions.</summary>
public sealed record LedgerTopics
{
    /// <summary>Name of the input, which records aside name as their source.</summary>
    public required string Input { get; init; }

    /// <summary>One hop, or with by-id the one that re-keys and the one that judges.</summary>
    public required IReadOnlyList<LedgerHop> Hops { get; init; }

    /// <summary>Clean topic.</summary>
    public required ITopicLog Clean { get; init; }

    /// <summary>Quarantine topic; null when none was named.</summary>
    public ITopicLog? Quarantine { get; init; }

    /// <summary>Duplicates topic; null when duplicates are dropped.</summary>
    public ITopicLog? Duplicates { get; init; }

    /// <summary>Partitions of the input that were committed to while the topics were looked at: their numbers do not fit together.</summary>
    public IReadOnlySet<int> InMotion { get; init; } = new HashSet<int>();
}
