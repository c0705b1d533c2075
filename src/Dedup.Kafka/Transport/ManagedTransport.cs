using Confluent.Kafka;
using Dedup.Topology.Ports;
using Dedup.Topology.Records;

namespace Dedup.Kafka.Transport;

/// <summary>Polls record by record through Confluent.Kafka.</summary>
internal sealed class ManagedBatchPoller(IConsumer<byte[]?, byte[]?> consumer, IPollEvents events)
    : IBatchPoller
{
    private readonly ManagedRecordBatch _batch = new();

    public RecordBatch Poll(int maxRecords, int timeoutMs)
    {
        _batch.Release();
        int wait = timeoutMs;
        for (int i = 0; i < maxRecords; i++)
        {
            try
            {
                ConsumeResult<byte[]?, byte[]?>? result = consumer.Consume(wait);
                if (result is null)
                {
                    break;
                }

                wait = 0;
                if (result.IsPartitionEOF)
                {
                    events.OnEnd(result.Partition.Value, result.Offset.Value);
                }
                else
                {
                    _batch.Add(result);
                }
            }
            catch (ConsumeException e)
            {
                events.OnError(
                    e.Error.Code,
                    e.ConsumerRecord?.Partition.Value ?? -1,
                    e.Error.Reason
                );
                break;
            }
            catch (KafkaException e)
            {
                events.OnError(e.Error.Code, -1, e.Error.Reason);
                break;
            }
        }

        return _batch;
    }

    public void Dispose() => _batch.Release();
}

/// <summary>Sends record by record through Confluent.Kafka.</summary>
internal sealed class ManagedRecordSender(
    IProducer<byte[]?, byte[]?> producer,
    string[] topicNames,
    int fullTimeoutMs
) : IRecordSender
{
    public TxResult Forward(
        SinkTopic topic,
        int partition,
        RecordBatch batch,
        int index,
        long timestampMs,
        AddedHeaders? added
    )
    {
        Message<byte[]?, byte[]?> source = ((ManagedRecordBatch)batch).Message(index);
        return Produce(
            topic,
            partition,
            source.Key,
            source.Value,
            timestampMs,
            source.Headers ?? [],
            added
        );
    }

    public TxResult ForwardAs(
        SinkTopic topic,
        int partition,
        RecordBatch batch,
        int index,
        ReadOnlySpan<byte> key,
        bool keyIsNull,
        long timestampMs,
        AddedHeaders? added
    )
    {
        Message<byte[]?, byte[]?> source = ((ManagedRecordBatch)batch).Message(index);
        return Produce(
            topic,
            partition,
            keyIsNull ? null : key.ToArray(),
            source.Value,
            timestampMs,
            source.Headers ?? [],
            added
        );
    }

    public TxResult Send(
        SinkTopic topic,
        int partition,
        ReadOnlySpan<byte> key,
        ReadOnlySpan<byte> value,
        bool isTombstone,
        long timestampMs,
        AddedHeaders? added
    ) =>
        Produce(
            topic,
            partition,
            key.ToArray(),
            isTombstone ? null : value.ToArray(),
            timestampMs,
            [],
            added
        );

    public void Dispose() { }

    private TxResult Produce(
        SinkTopic topic,
        int partition,
        byte[]? key,
        byte[]? value,
        long timestampMs,
        Headers headers,
        AddedHeaders? added
    )
    {
        for (int i = 0; added is not null && i < added.Count; i++)
        {
            headers.Add(added.Name(i), added.Value(i).ToArray());
        }

        var message = new Message<byte[]?, byte[]?>
        {
            Key = key,
            Value = value,
            Headers = headers,
            Timestamp = new Timestamp(timestampMs, TimestampType.CreateTime),
        };
        long begun = Environment.TickCount64;
        while (true)
        {
            try
            {
                producer.Produce(new TopicPartition(topicNames[(int)topic], partition), message);
                return TxResult.Ok;
            }
            catch (ProduceException<byte[]?, byte[]?> e)
                when (e.Error.Code == ErrorCode.Local_QueueFull
                    && Environment.TickCount64 - begun < fullTimeoutMs
                )
            {
                _ = producer.Poll(TimeSpan.FromMilliseconds(10));
            }
            catch (KafkaException e)
            {
                return ErrorLadder.FromProduce(e.Error.Code, e.Error.Reason);
            }
        }
    }
}
