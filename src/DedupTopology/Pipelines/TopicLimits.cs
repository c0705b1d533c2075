namespace Dedup.Topology.Pipelines;

/// <summary>
/// max.message.bytes of a pipeline's topics as they were at the start, 0 where that is not known. What is certainly too large
/// is not tried: a record that the broker refuses costs a dozen aborted transactions until it is found.
/// </summary>
/// <param name="CleanBytes">Of the clean topic.</param>
/// <param name="QuarantineBytes">Of the quarantine topic.</param>
/// <remarks>
/// The broker counts a batch of one record without compression (RecordBatch of Kafka's protocol, version 2):
/// <code>
/// 61 header | length 1–5 | attributes 1 | timestamp delta 1 | offset delta 1 | key length 1–5, key | value length 1–5, value
///           | number of headers 1–5 | headers
/// </code>
/// Lengths count with the one byte that they have at least, headers not at all: so a record that would fit is never taken for
/// too large, and one at the edge is tried.
/// </remarks>
public readonly record struct TopicLimits(int CleanBytes, int QuarantineBytes)
{
    /// <summary>What a batch of one record has around key and value at the least, in bytes.</summary>
    public const int LeastOverhead = 61 + 7;

    /// <summary>Most bytes of key and value that clean may take.</summary>
    public int MostToClean => Most(CleanBytes);

    /// <summary>Most bytes of key and value that quarantine may take.</summary>
    public int MostToQuarantine => Most(QuarantineBytes);

    private static int Most(int limit) => limit <= 0 ? int.MaxValue : limit - LeastOverhead;
}
