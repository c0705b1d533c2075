namespace Dedup.Contracts.Headers;

/// <summary>Names of the headers that Dedup writes. Values are UTF-8 text; numbers are decimal.</summary>
public static class HeaderNames
{
    /// <summary>Quarantine: the reason (see ReasonText); of over-quota with all else that there is to say (see BriefSource).</summary>
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

    /// <summary>Duplicates, and conflicts in quarantine: topic of the first occurrence.</summary>
    public const string FirstTopic = "dedup.first.topic";

    /// <summary>Duplicates, and conflicts in quarantine: partition of the first occurrence.</summary>
    public const string FirstPartition = "dedup.first.partition";

    /// <summary>Duplicates, and conflicts in quarantine: offset of the first occurrence.</summary>
    public const string FirstOffset = "dedup.first.offset";

    /// <summary>Duplicates, and conflicts in quarantine: timestamp of the first occurrence.</summary>
    public const string FirstTimestamp = "dedup.first.timestamp";

    /// <summary>Clean, with headers: verdict: what the judge says, whatever the mode does with it.</summary>
    public const string Verdict = "dedup.verdict";

    /// <summary>Clean, with headers: standard: the tenant, where the scope has one.</summary>
    public const string TenantId = "tenant-id";

    /// <summary>Clean, with headers: standard: the visible key.</summary>
    public const string DedupeKey = "dedupe-key";

    /// <summary>Clean, with headers: standard: the ID as the record has it; of content and of joined sources the hash in hex.</summary>
    public const string EventId = "event-id";

    /// <summary>Clean, with headers: standard: the input topic.</summary>
    public const string EventTopic = "event-topic";

    /// <summary>Clean, with headers: standard: the time that windows go by, ISO 8601 in UTC with milliseconds.</summary>
    public const string EventCreatedAt = "event-created-at";

    /// <summary>Clean, with headers: standard: how often the event was put through before, 0 unless the record says otherwise.</summary>
    public const string RetryCount = "retry-count";

    /// <summary>Clean, with headers: standard: one more than the retry count.</summary>
    public const string ProcessingAttempt = "processing-attempt";
}
