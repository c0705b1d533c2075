using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Dedup.Acceptance.Brokers;
using Dedup.Kafka.Native;
using Dedup.Kafka.Transport;
using Dedup.Simulation.Broker;
using Dedup.Simulation.Conformance;
using Dedup.Topology.Identify;
using Dedup.Topology.Pipelines;
using Dedup.Topology.Ports;
using Dedup.Topology.Windows;

namespace Dedup.Acceptance.Conformance;

/// <summary>A real Kafka through the real transport.</summary>
internal sealed class RealClusterUnderTest : IClusterUnderTest
{
    private const int WaitMs = 10_000;

    private readonly string _bootstrap;
    private readonly ClientSettings _settings;
    private readonly IAdminClient _admin;
    private readonly LogQueries _queries;
    private readonly IProducer<byte[]?, byte[]?> _producer;
    private readonly bool _useNative;
    private readonly List<IRecordSource> _sources = [];

    public RealClusterUnderTest(string bootstrap, bool useNative)
    {
        _bootstrap = bootstrap;
        _useNative = useNative && NativeHandles.Obstacle is null;
        _settings = new ClientSettings([
            new("bootstrap.servers", bootstrap),
            new("topic.metadata.refresh.interval.ms", "1000"),
        ]);
        _admin = new AdminClientBuilder(_settings.Admin()).Build();
        _queries = LogQueries.Of(_settings);
        _producer = new ProducerBuilder<byte[]?, byte[]?>(
            new ProducerConfig
            {
                BootstrapServers = bootstrap,
                Acks = Acks.All,
                LingerMs = 0,
            }
        ).SetKeySerializer(NullableBytes.Instance).SetValueSerializer(NullableBytes.Instance).Build();
    }

    /// <summary>On the broker of the test assembly.</summary>
    public static RealClusterUnderTest On(RealKafka kafka) =>
        new(kafka.BootstrapServersAsync().GetAwaiter().GetResult(), useNative: true);

    public long NowMs => Environment.TickCount64;

    public PipelineSpec MakePipeline(int partitions = 1, TopicShape? shape = null)
    {
        string name = "c" + Guid.NewGuid().ToString("N")[..10];
        var spec = new PipelineSpec
        {
            Name = name,
            Input = name,
            Clean = name + ".clean",
            Quarantine = name + ".quarantine",
            Duplicates = name + ".duplicates",
            Recipe = Recipe.Key,
            Windows = [new WindowClass(0, "", 1000, 1000)],
        };
        // Scenarios write timestamps of 1970, and the broker looks for what is older than retention.ms some 30 s after its start.
        Dictionary<string, string> wide = new()
        {
            ["message.timestamp.after.max.ms"] = $"{long.MaxValue}",
            ["retention.ms"] = "-1",
        };
        Dictionary<string, string> clean = new(wide)
        {
            ["message.timestamp.after.max.ms"] = $"{shape?.CleanAfterMaxMs ?? long.MaxValue}",
        };
        if (shape?.CleanMaxBytes is { } bytes)
        {
            clean["max.message.bytes"] = $"{bytes}";
        }

        Make([
            Topic(spec.Input, partitions, wide),
            Topic(spec.Clean, partitions, clean),
            Topic(spec.Quarantine, partitions, wide),
            Topic(spec.Duplicates, partitions, wide),
            Topic(spec.Changelog, partitions, wide),
            Topic(spec.Repartition, partitions, wide),
        ]);
        return spec;
    }

    /// <summary>Makes topics and returns when every partition's leader answers: CreateTopics answers before that.</summary>
    private void Make(TopicSpecification[] topics)
    {
        _admin.CreateTopicsAsync(topics).GetAwaiter().GetResult();
        foreach (TopicSpecification topic in topics)
        {
            for (int partition = 0; partition < topic.NumPartitions; partition++)
            {
                _ = Bounds(topic.Name, partition);
            }
        }
    }

    public void Produce(string topic, int partition, params ModelRecord[] records)
    {
        foreach (ModelRecord record in records)
        {
            var headers = new Headers();
            foreach (ModelHeader header in record.Headers)
            {
                headers.Add(System.Text.Encoding.UTF8.GetString(header.Name), header.Value);
            }

            _ = _producer
                .ProduceAsync(
                    new TopicPartition(topic, partition),
                    new Message<byte[]?, byte[]?>
                    {
                        Key = record.Key,
                        Value = record.Value,
                        Headers = headers,
                        Timestamp = new Timestamp(record.TimestampMs, TimestampType.CreateTime),
                    }
                )
                .GetAwaiter()
                .GetResult();
        }
    }

    public IRecordSource Source(PipelineSpec spec, string? instanceId = null)
    {
        string clientId = instanceId ?? "m" + Guid.NewGuid().ToString("N")[..6];
        var source = new KafkaRecordSource(
            _settings.Member(spec.Group, instanceId, clientId),
            spec.Input,
            _queries,
            _useNative,
            static _ => { }
        );
        _sources.Add(source);
        return source;
    }

    public ITransactionalSink Sink(
        PipelineSpec spec,
        string transactionalId,
        int transactionTimeoutMs = 20_000
    )
    {
        ProducerConfig config = _settings.Producer(transactionalId);
        config.TransactionTimeoutMs = transactionTimeoutMs;
        config.Set("message.timeout.ms", $"{transactionTimeoutMs - 500}");
        return new KafkaTransactionalSink(config, spec, _useNative, static _ => { }, null);
    }

    public IChangelogReader Reader(PipelineSpec spec) =>
        new KafkaChangelogReader(_settings, _queries, spec.Changelog, "conformance", _useNative);

    public IFencer Fencer(PipelineSpec spec) => new KafkaFencer(_settings, _queries, spec);

    public IReadOnlyList<PlacedRecord> Read(string topic, int partition, bool committedOnly)
    {
        using IConsumer<byte[]?, byte[]?> consumer = new ConsumerBuilder<byte[]?, byte[]?>(
            new ConsumerConfig
            {
                BootstrapServers = _bootstrap,
                GroupId = "conformance-reader",
                EnableAutoCommit = false,
                EnablePartitionEof = true,
                IsolationLevel = committedOnly
                    ? IsolationLevel.ReadCommitted
                    : IsolationLevel.ReadUncommitted,
            }
        ).SetKeyDeserializer(NullableBytes.Instance).SetValueDeserializer(NullableBytes.Instance).Build();
        consumer.Assign(new TopicPartitionOffset(topic, partition, Offset.Beginning));
        var records = new List<PlacedRecord>();
        long untilMs = NowMs + WaitMs;
        while (NowMs < untilMs)
        {
            ConsumeResult<byte[]?, byte[]?>? result = consumer.Consume(100);
            if (result is { IsPartitionEOF: true })
            {
                return records;
            }

            if (result is not null)
            {
                records.Add(new PlacedRecord(result.Offset.Value, Copy(result.Message)));
            }
        }

        throw new TimeoutException($"{topic}-{partition} could not be read to its end");
    }

    public LogBounds Bounds(string topic, int partition)
    {
        long untilMs = NowMs + WaitMs;
        while (true)
        {
            BoundsLookup found = _queries.Bounds(topic, partition, 1_000);
            if (found.Status == LookupStatus.Found)
            {
                return found.Bounds;
            }

            if (NowMs > untilMs)
            {
                throw new TimeoutException($"{topic}-{partition}: {found.Detail}");
            }
        }
    }

    public void DeleteBefore(string topic, int partition, long offset) =>
        _admin
            .DeleteRecordsAsync([new TopicPartitionOffset(topic, partition, offset)])
            .GetAwaiter()
            .GetResult();

    public void Grow(PipelineSpec spec, int partitions)
    {
        string[] topics =
        [
            spec.Clean,
            spec.Quarantine,
            spec.Duplicates!,
            spec.Changelog,
            spec.Repartition,
            spec.Input,
        ];
        _admin
            .CreatePartitionsAsync(
                topics.Select(topic => new PartitionsSpecification
                {
                    Topic = topic,
                    IncreaseTo = partitions,
                })
            )
            .GetAwaiter()
            .GetResult();
    }

    /// <summary>The interval at which a condition is looked at again.</summary>
    public void Pass() => Thread.Sleep(5);

    public void Dispose()
    {
        foreach (IRecordSource source in _sources)
        {
            source.Dispose();
        }

        _queries.Dispose();
        _admin.Dispose();
        _producer.Dispose();
    }

    private static TopicSpecification Topic(
        string name,
        int partitions,
        Dictionary<string, string> configs
    ) =>
        new()
        {
            Name = name,
            NumPartitions = partitions,
            Configs = configs,
        };

    private static ModelRecord Copy(Message<byte[]?, byte[]?> message) =>
        new()
        {
            Key = message.Key,
            Value = message.Value,
            Headers =
            [
                .. message.Headers.Select(static h => new ModelHeader(
                    System.Text.Encoding.UTF8.GetBytes(h.Key),
                    h.GetValueBytes()
                )),
            ],
            TimestampMs = message.Timestamp.UnixTimestampMs,
        };
}
