using Confluent.Kafka;

namespace Dedup.Audit.Kafka;

/// <summary>Reads the committed offsets of a consumer group without being a member of it.</summary>
/// <remarks>
/// A consumer and not the admin client: ListConsumerGroupOffsets of librdkafka 2.15.1 ends the process with SIGSEGV when the
/// group's coordinator has moved or is still being made (github.com/confluentinc/librdkafka/issues/5040).
/// </remarks>
public static class GroupOffsets
{
    /// <summary>A coordinator that moves is there again within seconds.</summary>
    private const int Attempts = 10;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// Committed offsets by partition, waiting for pending transactional ones; partitions without one are left out. Throws
    /// KafkaException when the broker does not answer in time.
    /// </summary>
    /// <param name="properties">librdkafka's properties.</param>
    /// <param name="group">Consumer group.</param>
    /// <param name="topic">Topic.</param>
    /// <param name="partitions">Number of its partitions.</param>
    /// <param name="timeout">Longest wait for one answer.</param>
    public static Dictionary<int, long> Read(
        IReadOnlyDictionary<string, string> properties,
        string group,
        string topic,
        int partitions,
        TimeSpan timeout
    )
    {
        var config = new ConsumerConfig(new Dictionary<string, string>(properties))
        {
            GroupId = group,
            EnableAutoCommit = false,
            // Stable offsets: an answer waits for pending transactional commits.
            IsolationLevel = IsolationLevel.ReadCommitted,
        };
        using IConsumer<Ignore, Ignore> consumer = new ConsumerBuilder<Ignore, Ignore>(config)
            .SetLogHandler(static (_, _) => { })
            .SetErrorHandler(static (_, _) => { })
            .Build();
        TopicPartition[] asked =
        [
            .. Enumerable.Range(0, partitions).Select(p => new TopicPartition(topic, p)),
        ];
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                return consumer
                    .Committed(asked, timeout)
                    .Where(static p => p.Offset.Value >= 0)
                    .ToDictionary(static p => p.Partition.Value, static p => p.Offset.Value);
            }
            catch (KafkaException e)
                when (attempt < Attempts
                    && e.Error.Code
                        is ErrorCode.NotCoordinatorForGroup
                            or ErrorCode.GroupCoordinatorNotAvailable
                            or ErrorCode.GroupLoadInProgress
                            or ErrorCode.Local_WaitCoord
                )
            {
                Thread.Sleep(Pause);
            }
        }
    }
}
