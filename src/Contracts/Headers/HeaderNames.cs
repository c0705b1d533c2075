namespace Dedup.Contracts.Headers;

/// <summary>Names of the headers that Dedup writes. Values are UTF-8 text; numbers are decimal.</summary>
public static class HeaderNames
{
    /// <summary>Quarantine: the reason (see ReasonText).</summary>
    public const string Reason = "dedup.reason";

    /// <summary>Quarantine: a sentence with the detail.</summary>
    public const string Detail = "dedup.detail";

    /// <summary>Quarantine and duplicates: topic that the record came from.</summary>
    public const string SourceTopic = "dedup.source.topic";

    /// <summary>Quarantine and duplicates: partition that the record came from.</summary>
    public const string SourcePartition = "dedup.source.partition";

    /// <summary>Quarantine and duplicates: offset that the record had.</summary>
    public const string SourceOffset = "dedup.source.offset";

    /// <summary>Quarantine: timestamp of the record in ms since the epoch, as it came.</summary>
    public const string SourceTimestamp = "dedup.source.timestamp";

    /// <summary>Duplicates: topic of the first occurrence.</summary>
    public const string FirstTopic = "dedup.first.topic";

    /// <summary>Duplicates: partition of the first occurrence.</summary>
    public const string FirstPartition = "dedup.first.partition";

    /// <summary>Duplicates: offset of the first occurrence.</summary>
    public const string FirstOffset = "dedup.first.offset";

    /// <summary>Duplicates: timestamp of the first occurrence.</summary>
    public const string FirstTimestamp = "dedup.first.timestamp";

    /// <summary>Shadow mode with headers: verdict.</summary>
    public const string Verdict = "dedup.verdict";
}
