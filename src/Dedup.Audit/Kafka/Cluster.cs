using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Dedup.Audit.Logs;

namespace Dedup.Audit.Kafka;

/// <summary>Questions to the cluster beside the records: partitions, ends, committed offsets, cleanup policies.</summary>
internal sealed class Cluster : IDisposable
{
    /// <summary>A healthy broker answers in milliseconds; one that elects a leader in seconds.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(20);

    private readonly IReadOnlyDictionary<string, string> _properties;
    private readonly IAdminClient _admin;
    private string _lastError = "";

    public Cluster(IReadOnlyDictionary<string, string> properties)
    {
        _properties = properties;
        try
        {
            _admin = new AdminClientBuilder(properties)
                .SetLogHandler(static (_, _) => { })
                .SetErrorHandler((_, error) => _lastError = error.Reason)
                .Build();
        }
        catch (Exception e)
            when (e is InvalidOperationException or ArgumentException or KafkaException)
        {
            throw new AuditException($"the Kafka client cannot be made: {e.Message}", e);
        }
    }

    /// <summary>Number of partitions.</summary>
    public int PartitionsOf(string topic)
    {
        Metadata metadata = Ask($"metadata of {topic}", () => _admin.GetMetadata(topic, Timeout));
        TopicMetadata? found = metadata.Topics.FirstOrDefault(t => t.Topic == topic);
        return found is null || found.Error.IsError || found.Partitions.Count == 0
            ? throw new AuditException(
                $"topic {topic} cannot be read ({found?.Error.Reason ?? "not there"}): check its name and the rights to it"
            )
            : found.Partitions.Count;
    }

    /// <summary>First offset and high watermark of each partition.</summary>
    public LogRange[] RangesOf(string topic, int partitions)
    {
        long[] low = Offsets(topic, partitions, OffsetSpec.Earliest());
        long[] high = Offsets(topic, partitions, OffsetSpec.Latest());
        return [.. low.Zip(high, static (l, h) => new LogRange(l, h))];
    }

    /// <summary>First offset and last stable offset of each partition: below it every transaction is decided.</summary>
    public LogRange[] StableRangesOf(string topic, int partitions)
    {
        long[] low = Offsets(topic, partitions, OffsetSpec.Earliest());
        long[] stable = Offsets(
            topic,
            partitions,
            OffsetSpec.Latest(),
            IsolationLevel.ReadCommitted
        );
        return [.. low.Zip(stable, static (l, h) => new LogRange(l, h))];
    }

    /// <summary>For each partition the first offset at or after a time, -1 where there is none.</summary>
    public long[] OffsetsAt(string topic, int partitions, long timestampMs) =>
        Offsets(topic, partitions, OffsetSpec.ForTimestamp(timestampMs));

    /// <summary>Committed offsets of the group, waiting for pending transactional ones; partitions without one are left out.</summary>
    public Dictionary<int, long> CommittedOf(string group, string topic, int partitions) =>
        Ask(
            $"committed offsets of {group}",
            () => GroupOffsets.Read(_properties, group, topic, partitions, Timeout)
        );

    /// <summary>Whether the topic is compacted; null when the cluster does not tell.</summary>
    public bool? IsCompacted(string topic)
    {
        try
        {
            return _admin
                .DescribeConfigsAsync(
                    [new ConfigResource { Type = ResourceType.Topic, Name = topic }],
                    new DescribeConfigsOptions { RequestTimeout = Timeout }
                )
                .GetAwaiter()
                .GetResult()[0]
                .Entries.TryGetValue("cleanup.policy", out ConfigEntryResult? policy)
                ? policy.Value.Contains("compact", StringComparison.Ordinal)
                : null;
        }
        catch (KafkaException)
        {
            // Describing needs a right of its own; the audit can do without.
            return null;
        }
    }

    public void Dispose() => _admin.Dispose();

    // By default the high watermark, not the last stable offset: what is pending now is waited for.
    private long[] Offsets(
        string topic,
        int partitions,
        OffsetSpec spec,
        IsolationLevel isolation = IsolationLevel.ReadUncommitted
    )
    {
        ListOffsetsResult answer = Ask(
            $"offsets of {topic}",
            () =>
                _admin
                    .ListOffsetsAsync(
                        Enumerable
                            .Range(0, partitions)
                            .Select(p => new TopicPartitionOffsetSpec
                            {
                                TopicPartition = new TopicPartition(topic, p),
                                OffsetSpec = spec,
                            }),
                        new ListOffsetsOptions
                        {
                            IsolationLevel = isolation,
                            RequestTimeout = Timeout,
                        }
                    )
                    .GetAwaiter()
                    .GetResult()
        );
        long[] offsets = new long[partitions];
        foreach (ListOffsetsResultInfo info in answer.ResultInfos)
        {
            offsets[info.TopicPartitionOffsetError.Partition.Value] = info.TopicPartitionOffsetError
                .Offset
                .Value;
        }

        return offsets;
    }

    private T Ask<T>(string what, Func<T> question)
    {
        try
        {
            return question();
        }
        catch (KafkaException e)
        {
            string more =
                _lastError.Length > 0 && _lastError != e.Error.Reason ? $"; {_lastError}" : "";
            throw new AuditException($"{what}: {e.Error.Reason}{more}", e);
        }
    }
}
