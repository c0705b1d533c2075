using System.Globalization;
using System.Text;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Dedup.Acceptance.Brokers;
using Dedup.Audit;
using Dedup.Audit.Reports;
using Dedup.Topology.Identify;

namespace Dedup.Acceptance.Audit;

/// <summary>An input and a clean topic on a real Kafka, written record by record by the test.</summary>
internal sealed class AuditTopicPair : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly IProducer<byte[]?, byte[]?> _producer;

    private AuditTopicPair(string bootstrap, string name)
    {
        Bootstrap = bootstrap;
        Input = name;
        Clean = $"{name}.clean";
        Group = $"{name}.group";
        _producer = Producer(bootstrap, null);
    }

    public string Bootstrap { get; }
    public string Input { get; }
    public string Clean { get; }
    public string Group { get; }

    public static async Task<AuditTopicPair> MakeAsync(
        string bootstrap,
        string name,
        int partitions
    )
    {
        var pair = new AuditTopicPair(bootstrap, RealKafka.NewName(name));
        using IAdminClient admin = new AdminClientBuilder(
            new AdminClientConfig { BootstrapServers = bootstrap }
        )
            .SetLogHandler((_, _) => { })
            .Build();
        await admin.CreateTopicsAsync(
            new[] { pair.Input, pair.Clean }.Select(topic => new TopicSpecification
            {
                Name = topic,
                NumPartitions = partitions,
                ReplicationFactor = 1,
            })
        );
        return pair;
    }

    public static IProducer<byte[]?, byte[]?> Producer(string bootstrap, string? transactionalId) =>
        new ProducerBuilder<byte[]?, byte[]?>(
            new ProducerConfig
            {
                BootstrapServers = bootstrap,
                TransactionalId = transactionalId,
                EnableIdempotence = true,
                LingerMs = 5,
                BatchSize = 500_000,
                QueueBufferingMaxMessages = 2_000_000,
                EnableDeliveryReports = false,
            }
        ).SetLogHandler((_, _) => { }).Build();

    public static Message<byte[]?, byte[]?> Record(
        string? key,
        string? value,
        long timestampMs,
        Headers? headers = null
    ) =>
        new()
        {
            Key = key is null ? null : Encoding.UTF8.GetBytes(key),
            Value = value is null ? null : Encoding.UTF8.GetBytes(value),
            Timestamp = new Timestamp(timestampMs, TimestampType.CreateTime),
            Headers = headers,
        };

    public void ToInput(Message<byte[]?, byte[]?> record, int partition = 0) =>
        _producer.Produce(new TopicPartition(Input, new Partition(partition)), record);

    public void ToClean(Message<byte[]?, byte[]?> record, int partition = 0) =>
        _producer.Produce(new TopicPartition(Clean, new Partition(partition)), record);

    /// <summary>Writes to clean in a transaction of its own, which is then committed or aborted, or stays open.</summary>
    public IProducer<byte[]?, byte[]?> InTransaction(
        bool? commit,
        params Message<byte[]?, byte[]?>[] records
    )
    {
        IProducer<byte[]?, byte[]?> producer = Producer(Bootstrap, $"{Clean}-{Guid.NewGuid():n}");
        producer.InitTransactions(Patience);
        producer.BeginTransaction();
        foreach (Message<byte[]?, byte[]?> record in records)
        {
            producer.Produce(new TopicPartition(Clean, new Partition(0)), record);
        }

        _ = producer.Flush(Patience);
        if (commit == true)
        {
            producer.CommitTransaction(Patience);
        }
        else if (commit == false)
        {
            producer.AbortTransaction(Patience);
        }

        return producer;
    }

    public async Task DeleteAsync(string topic, long before)
    {
        using IAdminClient admin = new AdminClientBuilder(
            new AdminClientConfig { BootstrapServers = Bootstrap }
        )
            .SetLogHandler((_, _) => { })
            .Build();
        _ = await admin.DeleteRecordsAsync([
            new TopicPartitionOffset(topic, new Partition(0), new Offset(before)),
        ]);
    }

    public void Flush() => _ = _producer.Flush(Patience);

    public void Commit(long offset, int partition = 0)
    {
        using IConsumer<Ignore, Ignore> consumer = new ConsumerBuilder<Ignore, Ignore>(
            new ConsumerConfig { BootstrapServers = Bootstrap, GroupId = Group }
        )
            .SetLogHandler((_, _) => { })
            .Build();
        consumer.Commit([
            new TopicPartitionOffset(Input, new Partition(partition), new Offset(offset)),
        ]);
    }

    public AuditReport Audit(Func<AuditRequest, AuditRequest>? with = null)
    {
        Flush();
        var request = new AuditRequest
        {
            Kafka = new Dictionary<string, string> { ["bootstrap.servers"] = Bootstrap },
            Input = Input,
            Clean = Clean,
            Rules = new AuditRules { Recipe = Recipe.Key, Window = new AuditWindow(86_400_000) },
        };
        return KafkaAudit.Run(
            with?.Invoke(request) ?? request,
            null,
            TestContext.Current.CancellationToken
        );
    }

    public static string Print(AuditReport report)
    {
        var text = new StringBuilder();
        _ = text.AppendLine(report.Counts.ToString());
        _ = text.AppendLine(
            CultureInfo.InvariantCulture,
            $"{report.RecordsRead} records in {report.Duration.TotalSeconds:0.00} s: {report.RecordsPerSecond:0} records/s, spilled {report.SpilledBytes >> 20} MiB"
        );
        foreach (FindingGroup group in report.Findings)
        {
            _ = text.AppendLine(
                CultureInfo.InvariantCulture,
                $"{group.Kind} {group.Count}: {group.Shown[0]}"
            );
        }

        return text.ToString();
    }

    public void Dispose() => _producer.Dispose();
}
