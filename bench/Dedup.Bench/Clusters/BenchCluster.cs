using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Dedup.Host.Brokers;

namespace Dedup.Bench.Clusters;

/// <summary>One broker for one benchmark, with a temporary directory; both go with it.</summary>
internal sealed class BenchCluster : IDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);
    private readonly LocalKafka _kafka;
    private readonly IAdminClient _admin;

    private BenchCluster(LocalKafka kafka)
    {
        _kafka = kafka;
        _admin = new AdminClientBuilder(
            new AdminClientConfig { BootstrapServers = kafka.BootstrapServers }
        )
            .SetLogHandler(static (_, _) => { })
            .Build();
        // Beside the broker's data: removed with it, whatever happens to this process.
        TemporaryPath = Directory
            .CreateDirectory(Path.Combine(kafka.DirectoryPath, "bench"))
            .FullName;
    }

    /// <summary>host:port.</summary>
    public string Bootstrap => _kafka.BootstrapServers;

    /// <summary>Folder for states, logs, and configurations.</summary>
    public string TemporaryPath { get; }

    /// <summary>The distribution's folder.</summary>
    public string KafkaHome => _kafka.KafkaHome;

    /// <summary>Starts a broker of the distribution that KAFKA_HOME names.</summary>
    public static BenchCluster Start(int heapMiB)
    {
        Progress.Say("starting a broker");
        return new BenchCluster(
            LocalKafka
                .StartAsync(
                    new LocalKafkaOptions
                    {
                        HeapMiB = heapMiB,
                        ExtraProperties = new Dictionary<string, string>
                        {
                            // Deleted topics give their disk back soon: a round writes a gigabyte for each contender.
                            ["file.delete.delay.ms"] = "1000",
                        },
                    }
                )
                .GetAwaiter()
                .GetResult()
        );
    }

    /// <summary>Makes topics.</summary>
    public void Create(int partitions, bool isCompacted, params ReadOnlySpan<string> topics)
    {
        List<TopicSpecification> list = [];
        foreach (string topic in topics)
        {
            list.Add(
                new TopicSpecification
                {
                    Name = topic,
                    NumPartitions = partitions,
                    ReplicationFactor = 1,
                    Configs = new Dictionary<string, string>
                    {
                        ["cleanup.policy"] = isCompacted ? "compact" : "delete",
                        ["message.timestamp.before.max.ms"] = $"{long.MaxValue}",
                        ["message.timestamp.after.max.ms"] = $"{long.MaxValue}",
                    },
                }
            );
        }

        _admin
            .CreateTopicsAsync(
                list,
                new CreateTopicsOptions { RequestTimeout = Timeout, OperationTimeout = Timeout }
            )
            .GetAwaiter()
            .GetResult();
    }

    /// <summary>Deletes what is there of these topics.</summary>
    public void Delete(IReadOnlyCollection<string> topics)
    {
        HashSet<string> known = [.. _admin.GetMetadata(Timeout).Topics.Select(static t => t.Topic)];
        string[] existing = [.. topics.Where(known.Contains)];
        if (existing.Length > 0)
        {
            _admin
                .DeleteTopicsAsync(
                    existing,
                    new DeleteTopicsOptions { RequestTimeout = Timeout, OperationTimeout = Timeout }
                )
                .GetAwaiter()
                .GetResult();
        }
    }

    /// <summary>Names of all topics that contain a text.</summary>
    public IReadOnlyList<string> TopicsWith(string text) =>
        [
            .. _admin
                .GetMetadata(Timeout)
                .Topics.Select(static t => t.Topic)
                .Where(t => t.Contains(text, StringComparison.Ordinal)),
        ];

    /// <summary>End offsets of a topic, read uncommitted.</summary>
    public long[] EndsOf(string topic, int partitions)
    {
        ListOffsetsResult result = _admin
            .ListOffsetsAsync(
                Enumerable
                    .Range(0, partitions)
                    .Select(p => new TopicPartitionOffsetSpec
                    {
                        TopicPartition = new TopicPartition(topic, p),
                        OffsetSpec = OffsetSpec.Latest(),
                    }),
                new ListOffsetsOptions { RequestTimeout = Timeout }
            )
            .GetAwaiter()
            .GetResult();
        long[] ends = new long[partitions];
        foreach (ListOffsetsResultInfo info in result.ResultInfos)
        {
            ends[info.TopicPartitionOffsetError.Partition] = info.TopicPartitionOffsetError
                .Offset
                .Value;
        }

        return ends;
    }

    public void Dispose()
    {
        _admin.Dispose();
        _kafka.Dispose();
    }
}
