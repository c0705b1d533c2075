using Dedup.Audit.Logs;

namespace Dedup.Audit.Kafka;

/// <summary>
/// A topic of a real cluster for tools that look at records: committed ones only, without a group, with no right but to read
/// and describe the topic.
/// </summary>
public sealed class KafkaTopic : ITopicLog
{
    // A tool that a person waits for: a healthy broker answers far sooner.
    private static readonly TimeSpan Stall = TimeSpan.FromSeconds(20);

    private readonly Cluster _cluster;
    private readonly KafkaTopicLog _log;

    private KafkaTopic(Cluster cluster, KafkaTopicLog log)
    {
        _cluster = cluster;
        _log = log;
    }

    /// <inheritdoc/>
    public string Topic => _log.Topic;

    /// <inheritdoc/>
    public int Partitions => _log.Partitions;

    /// <inheritdoc/>
    public bool IsCompacted => _log.IsCompacted;

    /// <summary>Opens a topic; its ranges are those of this moment.</summary>
    /// <param name="properties">librdkafka's properties.</param>
    /// <param name="topic">Name.</param>
    /// <param name="time">Clock, for time-outs.</param>
    /// <exception cref="AuditException">It cannot be read; the message says why.</exception>
    public static KafkaTopic Open(
        IReadOnlyDictionary<string, string> properties,
        string topic,
        TimeProvider time
    )
    {
        var cluster = new Cluster(properties);
        try
        {
            LogRange[] ranges = cluster.RangesOf(topic, cluster.PartitionsOf(topic));
            bool compacted = cluster.IsCompacted(topic) ?? false;
            return new KafkaTopic(
                cluster,
                new KafkaTopicLog(properties, topic, ranges, compacted, TimeSpan.Zero, Stall, time)
            );
        }
        catch
        {
            cluster.Dispose();
            throw;
        }
    }

    /// <summary>For each partition the first offset whose record is at or after a time; the end where there is none.</summary>
    /// <param name="timestampMs">The time, in ms since the epoch.</param>
    /// <exception cref="AuditException">The cluster does not answer; the message says why.</exception>
    public long[] OffsetsAt(long timestampMs)
    {
        long[] offsets = _cluster.OffsetsAt(Topic, Partitions, timestampMs);
        for (int p = 0; p < offsets.Length; p++)
        {
            LogRange range = _log.RangeOf(p);
            offsets[p] =
                offsets[p] < 0 ? range.High : Math.Clamp(offsets[p], range.Low, range.High);
        }

        return offsets;
    }

    /// <inheritdoc/>
    public LogRange RangeOf(int partition) => _log.RangeOf(partition);

    /// <inheritdoc/>
    public IRecordStream Open(
        int partition,
        long from,
        long to,
        bool waitForPending,
        CancellationToken cancellation
    ) => _log.Open(partition, from, to, waitForPending, cancellation);

    /// <inheritdoc/>
    public void Dispose()
    {
        _log.Dispose();
        _cluster.Dispose();
    }
}
