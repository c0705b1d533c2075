using Confluent.Kafka;
using Dedup.Contracts.Changelog;
using Dedup.Topology.Pipelines;
using Dedup.Topology.Ports;

namespace Dedup.Kafka.Transport;

/// <summary>Ends what a dead producer left pending, on a real Kafka. Its clients live for one call, since take-overs are rare.</summary>
internal sealed class KafkaFencer(ClientSettings settings, LogQueries queries, PipelineSpec spec)
    : IFencer
{
    private readonly string[] _topicNames = KafkaTransactionalSink.NamesOf(spec);

    public PendingLookup Pending(SinkTopic topic, int partition, int timeoutMs)
    {
        BoundsLookup bounds = queries.Bounds(_topicNames[(int)topic], partition, timeoutMs * 10);
        return new PendingLookup(
            bounds.Status,
            bounds.Status == LookupStatus.Found && bounds.Bounds.LastStable < bounds.Bounds.High,
            bounds.Detail
        );
    }

    public WriterLookup PendingWriter(int partition, int timeoutMs)
    {
        string topic = _topicNames[(int)SinkTopic.Changelog];
        int patientMs = timeoutMs * 20;
        BoundsLookup bounds = queries.Bounds(topic, partition, patientMs);
        if (bounds.Status != LookupStatus.Found)
        {
            return new WriterLookup(LookupStatus.Pending, null);
        }

        if (bounds.Bounds.LastStable >= bounds.Bounds.High)
        {
            return new WriterLookup(LookupStatus.None, null);
        }

        using IConsumer<byte[]?, byte[]?> consumer = new ConsumerBuilder<byte[]?, byte[]?>(
            settings.Reader("dedup-take-over", committedOnly: false)
        )
            .SetKeyDeserializer(NullableBytes.Instance)
            .SetValueDeserializer(NullableBytes.Instance)
            .SetLogHandler(static (_, _) => { })
            .Build();
        consumer.Assign(new TopicPartitionOffset(topic, partition, bounds.Bounds.LastStable));
        return ReadWriter(consumer, bounds.Bounds.High, patientMs);
    }

    public TxResult Fence(string transactionalId, int timeoutMs)
    {
        using IProducer<byte[]?, byte[]?> producer = new ProducerBuilder<byte[]?, byte[]?>(
            settings.Producer(transactionalId)
        )
            .SetKeySerializer(NullableBytes.Instance)
            .SetValueSerializer(NullableBytes.Instance)
            .SetLogHandler(static (_, _) => { })
            .Build();
        return ErrorLadder.Run(() =>
            producer.InitTransactions(TimeSpan.FromMilliseconds(timeoutMs))
        );
    }

    private static WriterLookup ReadWriter(
        IConsumer<byte[]?, byte[]?> consumer,
        long end,
        int timeoutMs
    )
    {
        string? writer = null;
        long until = Environment.TickCount64 + timeoutMs;
        while (Environment.TickCount64 < until)
        {
            ConsumeResult<byte[]?, byte[]?>? result;
            try
            {
                result = consumer.Consume(TimeSpan.FromMilliseconds(50));
            }
            catch (KafkaException)
            {
                return new WriterLookup(LookupStatus.Pending, null);
            }

            if (result is null)
            {
                continue;
            }

            if (result.IsPartitionEOF)
            {
                return new WriterLookup(
                    writer is null ? LookupStatus.None : LookupStatus.Found,
                    writer
                );
            }

            if (result.Message.Key is { } key && MarkerCodec.IsMarkerKey(key))
            {
                writer = MarkerCodec.TryRead(result.Message.Value)?.Writer ?? writer;
            }

            if (result.Offset.Value + 1 >= end)
            {
                return new WriterLookup(
                    writer is null ? LookupStatus.None : LookupStatus.Found,
                    writer
                );
            }
        }

        return new WriterLookup(writer is null ? LookupStatus.Pending : LookupStatus.Found, writer);
    }
}
