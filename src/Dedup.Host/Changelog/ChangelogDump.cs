using Confluent.Kafka;
using Dedup.Host.Commands;
using Dedup.Host.Configuration;

namespace Dedup.Host.Changelog;

/// <summary>What to read of a changelog.</summary>
/// <param name="Topic">Topic.</param>
/// <param name="Partition">Partition.</param>
/// <param name="From">First offset; negative counts from the end; null for the log's start.</param>
/// <param name="Limit">Most records.</param>
/// <param name="Uncommitted">Whether to show records of open and aborted transactions as well.</param>
public sealed record DumpRequest(
    string Topic,
    int Partition,
    long? From,
    long Limit,
    bool Uncommitted
);

/// <summary>Reads a changelog partition with a consumer of its own that commits nothing.</summary>
internal static class ChangelogDump
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    /// <summary>Reads; returns how many records were shown, and the bounds of the log.</summary>
    public static (long Shown, WatermarkOffsets Bounds) Read(
        KafkaSettings kafka,
        DumpRequest request,
        Action<ChangelogRecord> show,
        CancellationToken cancellation
    )
    {
        Dictionary<string, string> properties = kafka.ToDictionary();
        // The client wants a group id even of a consumer that only assigns; nothing is ever committed under it.
        properties["group.id"] = "dedup-changelog-reader";
        properties["enable.auto.commit"] = "false";
        properties["enable.partition.eof"] = "true";
        properties["auto.offset.reset"] = "earliest";
        properties["isolation.level"] = request.Uncommitted ? "read_uncommitted" : "read_committed";
        using IConsumer<byte[]?, byte[]?> consumer = new ConsumerBuilder<byte[]?, byte[]?>(
            properties
        )
            .SetLogHandler(static (_, _) => { })
            .SetErrorHandler(static (_, _) => { })
            .SetKeyDeserializer(Deserializers.ByteArray)
            .SetValueDeserializer(Deserializers.ByteArray)
            .Build();
        var partition = new TopicPartition(request.Topic, new Partition(request.Partition));
        WatermarkOffsets bounds = Bounds(consumer, partition);
        long from = request.From switch
        {
            null => bounds.Low,
            < 0 => Math.Max(bounds.Low, bounds.High + request.From.Value),
            _ => Math.Max(bounds.Low, request.From.Value),
        };
        consumer.Assign(new TopicPartitionOffset(partition, new Offset(from)));
        long shown = 0;
        while (shown < request.Limit && from < bounds.High)
        {
            ConsumeResult<byte[]?, byte[]?> result = consumer.Consume(cancellation);
            if (result.IsPartitionEOF)
            {
                break;
            }

            show(
                new ChangelogRecord(
                    result.Offset.Value,
                    result.Message.Timestamp.UnixTimestampMs,
                    result.Message.Key,
                    result.Message.Value
                )
            );
            shown++;
        }

        consumer.Close();
        return (shown, bounds);
    }

    private static WatermarkOffsets Bounds(
        IConsumer<byte[]?, byte[]?> consumer,
        TopicPartition partition
    )
    {
        try
        {
            return consumer.QueryWatermarkOffsets(partition, Timeout);
        }
        catch (KafkaException e)
        {
            throw new ProblemException(
                ExitCode.Found,
                $"changelog partition {partition.Topic}/{partition.Partition.Value} cannot be read: {e.Error.Reason}",
                "check the name with 'dedup topics', the partition, and the connection with 'dedup check'",
                e
            );
        }
    }
}
