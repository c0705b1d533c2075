using System.Collections.Concurrent;
using System.Text;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Dedup.Kafka.Lanes;
using Dedup.Kafka.Running;
using Dedup.Kafka.Transport;
using Dedup.RocksDb;
using Dedup.Topology.Identify;
using Dedup.Topology.Pipelines;
using Dedup.Topology.Windows;

namespace Dedup.Acceptance.Pipelines;

/// <summary>Topics and state of one pipeline on a real broker, and the runtime in this process; all of it goes with the test.</summary>
internal sealed class PipelineUnderTest : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly StoreBudget _budget = new(64L << 20);
    private CancellationTokenSource? _stop;
    private Runtime? _runtime;
    private Task<RuntimeEnd>? _running;

    private PipelineUnderTest(string bootstrap, string name, int partitions)
    {
        Bootstrap = bootstrap;
        Partitions = partitions;
        Spec = new PipelineSpec
        {
            Name = name,
            Input = name,
            Clean = name + ".clean",
            Quarantine = name + ".quarantine",
            Recipe = Recipe.Key,
            Windows = [new WindowClass(0, "", 24 * 3_600_000L, 24 * 3_600_000L)],
        };
        StateDirectory = Directory.CreateTempSubdirectory("dedup-test-").FullName;
    }

    public string Bootstrap { get; }

    public int Partitions { get; }

    public PipelineSpec Spec { get; set; }

    public string StateDirectory { get; }

    public ConcurrentQueue<RuntimeEvent> Events { get; } = [];

    public int Lanes { get; set; } = 2;

    public LaneOptions LaneOptions { get; set; } = new();

    public bool UseNative { get; set; } = true;

    /// <summary>Records that a test put on the input, where it keeps count.</summary>
    public long Produced { get; set; }

    public string InstanceId { get; set; } = "t" + Guid.NewGuid().ToString("N")[..6];

    public static async Task<PipelineUnderTest> MakeAsync(
        string bootstrap,
        string name,
        int partitions = 4,
        int? repartitionPartitions = null
    )
    {
        var pipeline = new PipelineUnderTest(bootstrap, name, partitions);
        using IAdminClient admin = pipeline.Admin();
        if (repartitionPartitions is { } between)
        {
            pipeline.Spec = pipeline.Spec with { Partitioning = Partitioning.ById };
            await admin.CreateTopicsAsync([
                Topic(pipeline.Spec.Repartition, between, ("retention.ms", "-1")),
                Topic(
                    pipeline.Spec.RekeyHop(between).Changelog,
                    partitions,
                    ("cleanup.policy", "compact")
                ),
            ]);
        }

        await admin.CreateTopicsAsync([
            // Kafka refuses by itself what is more than an hour ahead; producers with wider topics exist.
            Topic(
                pipeline.Spec.Input,
                partitions,
                ("message.timestamp.after.max.ms", $"{long.MaxValue}")
            ),
            Topic(pipeline.Spec.Clean, partitions),
            Topic(pipeline.Spec.Quarantine, partitions),
            Topic(
                pipeline.Spec.Changelog,
                repartitionPartitions ?? partitions,
                ("cleanup.policy", "compact")
            ),
        ]);
        return pipeline;
    }

    public IAdminClient Admin() =>
        new AdminClientBuilder(new AdminClientConfig { BootstrapServers = Bootstrap }).Build();

    public void Start()
    {
        _stop = new CancellationTokenSource();
        _runtime = new Runtime(
            new RuntimeOptions
            {
                Clients = new ClientSettings([new("bootstrap.servers", Bootstrap)]),
                Pipelines = [Spec],
                Stores = spec => new RocksStoreFactory(
                    Path.Combine(StateDirectory, spec.Name),
                    _budget
                ),
                InstanceId = InstanceId,
                Lanes = Lanes,
                Lane = LaneOptions,
                UseNative = UseNative,
                Log = Events.Enqueue,
            }
        );
        _running = Task.Run(() => _runtime.RunAsync(_stop.Token));
    }

    public async Task<RuntimeEnd> StopAsync()
    {
        await _stop!.CancelAsync();
        RuntimeEnd end = await _running!;
        _runtime!.Dispose();
        _runtime = null;
        _stop.Dispose();
        return end;
    }

    /// <summary>Ends by itself, or the test fails.</summary>
    public async Task<RuntimeEnd> EndAsync()
    {
        RuntimeEnd end = await _running!.WaitAsync(Patience);
        _runtime!.Dispose();
        _runtime = null;
        return end;
    }

    /// <summary>Stops, and gives what the partitions were in the end.</summary>
    public async Task<IReadOnlyList<PartitionSnapshot>> LastAsync()
    {
        // A look is taken a few times in a second; the end of the input has been committed already.
        Runtime runtime = _runtime!;
        await _stop!.CancelAsync();
        _ = await _running!;
        PartitionSnapshot[] last = [.. runtime.Snapshot().SelectMany(static l => l.Partitions)];
        runtime.Dispose();
        _runtime = null;
        _stop.Dispose();
        return last;
    }

    /// <summary>Waits until the lanes' last look at themselves shows something.</summary>
    public async Task UntilAsync(Func<IReadOnlyList<LaneSnapshot>, bool> enough)
    {
        long until = Environment.TickCount64 + (long)Patience.TotalMilliseconds;
        while (!enough(_runtime!.Snapshot()))
        {
            if (Environment.TickCount64 > until || _running is { IsCompleted: true })
            {
                throw new TimeoutException(
                    "not seen: " + string.Join("\n", Events.Select(static e => e.Text))
                );
            }

            await Task.Delay(20);
        }
    }

    /// <summary>Waits until everything on the input has been judged and committed; with by-id hop after hop.</summary>
    public async Task DrainAsync()
    {
        using IAdminClient admin = Admin();
        if (Spec.Partitioning == Partitioning.ById)
        {
            long records = await DrainAsync(admin, Spec.RekeyHop(1).Group, Spec.Input);
            await JudgedAsync(records);
        }
        else
        {
            _ = await DrainAsync(admin, Spec.Group, Spec.Input);
        }
    }

    /// <summary>The log between the hops ends in control records, which no consumer commits past: the ledger says how many were judged.</summary>
    private async Task JudgedAsync(long records)
    {
        long until = Environment.TickCount64 + (long)Patience.TotalMilliseconds;
        long judged;
        while (
            (
                judged = _runtime!
                    .Snapshot()
                    .Where(static l => l.Hop == Hop.Judge)
                    .Sum(static l => l.Partitions.Sum(static p => p.Consumed))
            ) < records
        )
        {
            if (Environment.TickCount64 > until || _running is { IsCompleted: true })
            {
                throw new TimeoutException(
                    $"{judged} of {records} judged: "
                        + string.Join("\n", Events.Select(static e => e.Text))
                );
            }

            await Task.Delay(50);
        }
    }

    /// <summary>Gives the sum of the ends.</summary>
    private async Task<long> DrainAsync(IAdminClient admin, string group, string topic)
    {
        // A consumer, not the admin client: librdkafka 2.15.1 dies of a null pointer when an admin client's offset fetch
        // meets a coordinator that has moved or is not there yet.
        using IConsumer<byte[]?, byte[]?> member = new ConsumerBuilder<byte[]?, byte[]?>(
            new ConsumerConfig { BootstrapServers = Bootstrap, GroupId = group }
        )
            .SetKeyDeserializer(NullableBytes.Instance)
            .SetValueDeserializer(NullableBytes.Instance)
            .Build();
        long until = Environment.TickCount64 + (long)Patience.TotalMilliseconds;
        TopicPartition[] partitions =
        [
            .. Enumerable
                .Range(0, admin.GetMetadata(topic, Patience).Topics[0].Partitions.Count)
                .Select(p => new TopicPartition(topic, p)),
        ];
        while (true)
        {
            Dictionary<TopicPartition, long> committed = CommittedOf(member, partitions);
            ListOffsetsResult ends = await admin.ListOffsetsAsync(
                partitions.Select(static p => new TopicPartitionOffsetSpec
                {
                    TopicPartition = p,
                    OffsetSpec = OffsetSpec.Latest(),
                })
            );
            if (
                ends.ResultInfos.All(e =>
                    // A client that is still finding its brokers answers "unset" without an error.
                    e.TopicPartitionOffsetError.Offset.Value >= 0
                    && committed.GetValueOrDefault(e.TopicPartitionOffsetError.TopicPartition, -1)
                        >= e.TopicPartitionOffsetError.Offset.Value
                )
            )
            {
                return ends.ResultInfos.Sum(static e => e.TopicPartitionOffsetError.Offset.Value);
            }

            if (Environment.TickCount64 > until || _running is { IsCompleted: true })
            {
                throw new TimeoutException(
                    "not drained: " + string.Join("\n", Events.Select(static e => e.Text))
                );
            }

            await Task.Delay(50);
        }
    }

    /// <summary>Empty while the group's coordinator is not there yet.</summary>
    private static Dictionary<TopicPartition, long> CommittedOf(
        IConsumer<byte[]?, byte[]?> member,
        TopicPartition[] partitions
    )
    {
        try
        {
            return member
                .Committed(partitions, TimeSpan.FromSeconds(5))
                .ToDictionary(static p => p.TopicPartition, static p => p.Offset.Value);
        }
        catch (KafkaException)
        {
            return [];
        }
    }

    public void Produce(
        IEnumerable<(int Partition, string? Key, string? Value, long TimestampMs)> records
    ) =>
        Produce(
            records.Select(r =>
                (
                    r.Partition,
                    new Message<byte[]?, byte[]?>
                    {
                        Key = r.Key is null ? null : Encoding.UTF8.GetBytes(r.Key),
                        Value = r.Value is null ? null : Encoding.UTF8.GetBytes(r.Value),
                        Timestamp = new Timestamp(r.TimestampMs, TimestampType.CreateTime),
                    }
                )
            )
        );

    public void Produce(IEnumerable<(int Partition, Message<byte[]?, byte[]?> Message)> records)
    {
        using IProducer<byte[]?, byte[]?> producer = new ProducerBuilder<byte[]?, byte[]?>(
            new ProducerConfig
            {
                BootstrapServers = Bootstrap,
                EnableDeliveryReports = false,
                QueueBufferingMaxMessages = 2_000_000,
                LingerMs = 5,
                MessageMaxBytes = 8 << 20,
                // With more a batch that is sent again (a topic whose leader is only just known) comes behind the next one.
                MaxInFlight = 1,
            }
        ).SetKeySerializer(NullableBytes.Instance).SetValueSerializer(NullableBytes.Instance).Build();
        foreach ((int partition, Message<byte[]?, byte[]?> message) in records)
        {
            producer.Produce(new TopicPartition(Spec.Input, partition), message);
        }

        producer.Flush(Patience);
    }

    /// <summary>All committed records of a topic, by partition and offset.</summary>
    public List<ConsumeResult<byte[]?, byte[]?>> ReadAll(string topic)
    {
        WaitUntilStable(topic);
        using IConsumer<byte[]?, byte[]?> consumer = new ConsumerBuilder<byte[]?, byte[]?>(
            new ConsumerConfig
            {
                BootstrapServers = Bootstrap,
                GroupId = "reader",
                EnableAutoCommit = false,
                EnablePartitionEof = true,
                IsolationLevel = IsolationLevel.ReadCommitted,
                AutoOffsetReset = AutoOffsetReset.Earliest,
            }
        ).SetKeyDeserializer(NullableBytes.Instance).SetValueDeserializer(NullableBytes.Instance).Build();
        consumer.Assign(
            Enumerable.Range(0, Partitions).Select(p => new TopicPartitionOffset(topic, p, 0))
        );
        List<ConsumeResult<byte[]?, byte[]?>> all = [];
        for (int ended = 0; ended < Partitions; )
        {
            ConsumeResult<byte[]?, byte[]?> result =
                consumer.Consume(Patience) ?? throw new TimeoutException($"{topic} has no end");
            if (result.IsPartitionEOF)
            {
                ended++;
            }
            else
            {
                all.Add(result);
            }
        }

        return [.. all.OrderBy(static r => r.Partition.Value).ThenBy(static r => r.Offset.Value)];
    }

    /// <summary>A commit is answered before its markers are in the logs; until then readers end before it.</summary>
    private void WaitUntilStable(string topic)
    {
        using var queries = new LogQueries(Admin());
        long until = Environment.TickCount64 + (long)Patience.TotalMilliseconds;
        for (int p = 0; p < Partitions; )
        {
            Topology.Ports.BoundsLookup bounds = queries.Bounds(topic, p, 1_000);
            if (
                bounds.Status == Topology.Ports.LookupStatus.Found
                && bounds.Bounds.LastStable == bounds.Bounds.High
            )
            {
                p++;
            }
            else if (Environment.TickCount64 > until)
            {
                throw new TimeoutException($"{topic}-{p} has an open transaction");
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_runtime is not null)
        {
            _ = await StopAsync();
        }

        _budget.Dispose();
        Directory.Delete(StateDirectory, recursive: true);
    }

    private static TopicSpecification Topic(
        string name,
        int partitions,
        params (string, string)[] configs
    ) =>
        new()
        {
            Name = name,
            NumPartitions = partitions,
            ReplicationFactor = 1,
            Configs = configs.ToDictionary(static c => c.Item1, static c => c.Item2),
        };
}
