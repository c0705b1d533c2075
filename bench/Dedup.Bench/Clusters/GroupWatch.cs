using Confluent.Kafka;

namespace Dedup.Bench.Clusters;

/// <summary>Reads the committed offsets of a consumer group without being a member of it.</summary>
/// <remarks>
/// A consumer and not the admin client: librdkafka's ListConsumerGroupOffsets ends the process with SIGSEGV when the
/// coordinator is still being made (github.com/confluentinc/librdkafka/issues/5040).
/// </remarks>
internal sealed class GroupWatch : IDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);
    private readonly IConsumer<byte[], byte[]> _consumer;
    private readonly TopicPartition[] _partitions;

    public GroupWatch(string bootstrap, string group, string topic, int partitions)
    {
        _partitions =
        [
            .. Enumerable.Range(0, partitions).Select(p => new TopicPartition(topic, p)),
        ];
        _consumer = new ConsumerBuilder<byte[], byte[]>(
            new ConsumerConfig
            {
                BootstrapServers = bootstrap,
                GroupId = group,
                EnableAutoCommit = false,
                // With read_committed the broker would hold the answer back while a transaction is open, which is always.
                IsolationLevel = IsolationLevel.ReadUncommitted,
            }
        ).SetLogHandler(static (_, _) => { }).SetErrorHandler(static (_, _) => { }).Build();
    }

    /// <summary>Sum of the committed offsets, 0 for a partition without one. One small request.</summary>
    public long Committed()
    {
        try
        {
            return _consumer
                .Committed(_partitions, Timeout)
                .Sum(static p => p.Offset.IsSpecial ? 0 : p.Offset.Value);
        }
        catch (KafkaException)
        {
            // The coordinator is being made, or moves: the next question comes soon.
            return 0;
        }
    }

    public void Dispose() => _consumer.Dispose();
}
