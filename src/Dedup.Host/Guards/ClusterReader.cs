using System.Collections.Immutable;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Dedup.Host.Configuration;
using Dedup.Topology.Pipelines;

namespace Dedup.Host.Guards;

/// <summary>Asks the cluster for <see cref="ClusterFacts"/>.</summary>
public sealed class ClusterReader : IDisposable
{
    /// <summary>How long one question may take. A broker that answers at all answers within a second.</summary>
    public static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(10);

    // How long after a sign of a wrong password the answer is still waited for: another broker may take it.
    private static readonly TimeSpan AfterSign = TimeSpan.FromSeconds(1);

    private readonly KafkaSettings _kafka;
    private readonly string _where;
    private readonly ConnectionSigns _signs = new();

    private ClusterReader(KafkaSettings kafka, string where, IAdminClient? admin)
    {
        _kafka = kafka;
        _where = where;
        Admin = admin!;
    }

    /// <summary>The client, for those who change topics.</summary>
    public IAdminClient Admin { get; private set; }

    /// <summary>Makes a reader; a finding instead when the client refuses the properties.</summary>
    public static (ClusterReader? Reader, Finding? Problem) Open(DedupConfig config)
    {
        string where = config.PlaceOf("kafka.bootstrap.servers").ToString();
        var reader = new ClusterReader(config.Kafka, where, null);
        try
        {
            reader.Admin = new AdminClientBuilder(config.Kafka.ToDictionary())
                .SetErrorHandler((_, error) => reader._signs.Hear(error))
                .SetLogHandler((_, message) => reader._signs.Hear(message))
                .Build();
            return (reader, null);
        }
        catch (Exception e)
            when (e is InvalidOperationException or ArgumentException or KafkaException)
        {
            return (null, Refused(config, e));
        }
    }

    /// <summary>Asks for everything that the pipelines touch.</summary>
    /// <param name="pipelines">The pipelines.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <param name="withTransactions">Whether to find out also if the transactional ids may be used (<see cref="TransactionProbe"/>).</param>
    public async Task<ClusterFacts> ReadAsync(
        IEnumerable<PipelineSpec> pipelines,
        CancellationToken cancellation,
        bool withTransactions = false
    )
    {
        PipelineSpec[] specs = [.. pipelines];
        string[] topics = TopicsOf(specs);
        DescribeClusterResult cluster;
        _signs.Forget();
        try
        {
            cluster = await Patiently(
                Admin.DescribeClusterAsync(
                    new DescribeClusterOptions { RequestTimeout = RequestTimeout }
                ),
                cancellation
            );
        }
        catch (KafkaException e)
        {
            return new ClusterFacts
            {
                Unreachable = _signs.Explain(_where, _kafka["bootstrap.servers"] ?? "", e.Error),
                MayComeBack = !_signs.IsRefusal,
            };
        }

        Task<ImmutableDictionary<string, string>> transactions = TransactionProbe.DeniedAsync(
            _kafka,
            withTransactions ? specs : [],
            RequestTimeout
        );
        return new ClusterFacts
        {
            ClusterId = cluster.ClusterId ?? "",
            Brokers = cluster.Nodes?.Count ?? 0,
            Topics = await Topics(topics),
            Groups = await Groups([
                .. specs.Select(static p => p.Group),
                .. specs
                    .Where(static p => p.Partitioning == Partitioning.ById)
                    .Select(static p => p.RekeyHop(0).Group),
            ]),
            TransactionsDenied = await transactions,
        };
    }

    /// <summary>Asks for names and partitions only, as far as librdkafka's mock can answer.</summary>
    public ClusterFacts ReadMetadata(IEnumerable<PipelineSpec> pipelines)
    {
        string[] names = TopicsOf(pipelines);
        Dictionary<string, TopicFacts> topics = names.ToDictionary(
            static n => n,
            n =>
            {
                TopicMetadata topic = Admin.GetMetadata(n, RequestTimeout).Topics[0];
                return new TopicFacts
                {
                    Name = n,
                    Exists = topic.Error.Code == ErrorCode.NoError,
                    Partitions = topic.Partitions.Count,
                };
            }
        );
        return new ClusterFacts
        {
            IsLimited = true,
            Topics = topics.ToImmutableDictionary(StringComparer.Ordinal),
        };
    }

    /// <inheritdoc/>
    public void Dispose() => Admin.Dispose();

    private static string[] TopicsOf(IEnumerable<PipelineSpec> pipelines) =>
        [
            .. pipelines
                .SelectMany(static p =>
                    new[]
                    {
                        p.Input,
                        p.Clean,
                        p.Quarantine,
                        p.Duplicates,
                        p.Changelog,
                        p.Partitioning == Partitioning.ById ? p.Repartition : null,
                        p.Partitioning == Partitioning.ById ? p.RekeyHop(0).Changelog : null,
                    }
                )
                .OfType<string>()
                .Distinct(),
        ];

    private async Task<T> Patiently<T>(Task<T> question, CancellationToken cancellation)
    {
        while (!question.IsCompleted)
        {
            await Task.WhenAny(question, Task.Delay(100, cancellation));
            cancellation.ThrowIfCancellationRequested();
            if (
                _signs.FirstLastingSign is { } sign
                && sign.Elapsed > AfterSign
                && !question.IsCompleted
            )
            {
                _ = question.ContinueWith(static t => t.Exception, TaskScheduler.Default);
                throw new KafkaException(sign.Error);
            }
        }

        return await question;
    }

    private async Task<ImmutableDictionary<string, TopicFacts>> Topics(string[] names)
    {
        List<TopicDescription> descriptions;
        try
        {
            descriptions = (
                await Admin.DescribeTopicsAsync(
                    TopicCollection.OfTopicNames(names),
                    new DescribeTopicsOptions
                    {
                        RequestTimeout = RequestTimeout,
                        IncludeAuthorizedOperations = true,
                    }
                )
            ).TopicDescriptions;
        }
        catch (DescribeTopicsException e)
        {
            descriptions = e.Results.TopicDescriptions;
        }

        Dictionary<string, Dictionary<string, ConfigEntryResult>> configs = await Configs([
            .. descriptions.Where(static d => !d.Error.IsError).Select(static d => d.Name),
        ]);
        return descriptions.ToImmutableDictionary(
            static d => d.Name,
            d => Facts(d, configs.GetValueOrDefault(d.Name)),
            StringComparer.Ordinal
        );
    }

    private static TopicFacts Facts(
        TopicDescription d,
        Dictionary<string, ConfigEntryResult>? configs
    )
    {
        if (d.Error.Code == ErrorCode.UnknownTopicOrPart)
        {
            return new TopicFacts { Name = d.Name, Exists = false };
        }

        if (d.Error.IsError)
        {
            return new TopicFacts
            {
                Name = d.Name,
                Exists = true,
                Denied = d.Error.Reason,
            };
        }

        return new TopicFacts
        {
            Name = d.Name,
            Exists = true,
            Id = d.TopicId?.ToString() ?? "",
            Partitions = d.Partitions.Count,
            Replicas = d.Partitions.Count == 0 ? 0 : d.Partitions.Min(static p => p.Replicas.Count),
            Configs = configs is null ? null : Values(configs),
            OwnConfigs = configs is null ? [] : Own(configs),
            Allowed = Operations(d.AuthorizedOperations),
        };
    }

    private async Task<Dictionary<string, Dictionary<string, ConfigEntryResult>>> Configs(
        string[] names
    )
    {
        var all = new Dictionary<string, Dictionary<string, ConfigEntryResult>>(
            StringComparer.Ordinal
        );
        if (names.Length == 0)
        {
            return all;
        }

        try
        {
            List<DescribeConfigsResult> results = await Admin.DescribeConfigsAsync(
                names.Select(static n => new ConfigResource
                {
                    Type = ResourceType.Topic,
                    Name = n,
                }),
                new DescribeConfigsOptions { RequestTimeout = RequestTimeout }
            );
            foreach (DescribeConfigsResult result in results)
            {
                all[result.ConfigResource.Name] = result.Entries;
            }
        }
        catch (DescribeConfigsException e)
        {
            foreach (DescribeConfigsReport report in e.Results.Where(static r => !r.Error.IsError))
            {
                all[report.ConfigResource.Name] = report.Entries;
            }
        }
        catch (KafkaException)
        {
            // A broker that does not know the question (librdkafka's mock): nothing is known, and the guards say so.
        }

        return all;
    }

    private async Task<ImmutableDictionary<string, GroupFacts>> Groups(string[] names)
    {
        List<ConsumerGroupDescription> descriptions;
        try
        {
            descriptions = (
                await Admin.DescribeConsumerGroupsAsync(
                    names,
                    new DescribeConsumerGroupsOptions
                    {
                        RequestTimeout = RequestTimeout,
                        IncludeAuthorizedOperations = true,
                    }
                )
            ).ConsumerGroupDescriptions;
        }
        catch (DescribeConsumerGroupsException e)
        {
            descriptions = e.Results.ConsumerGroupDescriptions;
        }
        catch (KafkaException)
        {
            // No coordinator yet (a cluster that has never had a group): nothing is known, which is no finding.
            return ImmutableDictionary<string, GroupFacts>.Empty;
        }

        return descriptions.ToImmutableDictionary(
            static d => d.GroupId,
            static d => new GroupFacts(
                d.GroupId,
                d.Error.Code == ErrorCode.GroupAuthorizationFailed ? d.Error.Reason : null,
                Operations(d.AuthorizedOperations)
            ),
            StringComparer.Ordinal
        );
    }

    // An empty list means that the broker was not asked or does not say, never that nothing is allowed: one who may do nothing is denied instead.
    private static ImmutableHashSet<string>? Operations(List<AclOperation>? operations) =>
        operations is not { Count: > 0 }
            ? null
            : [.. operations.Select(static o => o.ToString().ToUpperInvariant())];

    private static ImmutableDictionary<string, string> Values(
        Dictionary<string, ConfigEntryResult> entries
    ) =>
        entries
            .Where(static e => e.Value.Value is not null)
            .ToImmutableDictionary(
                static e => e.Key,
                static e => e.Value.Value,
                StringComparer.Ordinal
            );

    private static ImmutableHashSet<string> Own(Dictionary<string, ConfigEntryResult> entries) =>
        [
            .. entries
                .Where(static e => e.Value.Source == ConfigSource.DynamicTopicConfig)
                .Select(static e => e.Key),
        ];

    // The client names the property and its value; the value is not repeated, it may be a secret.
    private static Finding Refused(DedupConfig config, Exception e)
    {
        KafkaProperty? named = config.Kafka.Properties.FirstOrDefault(p =>
            e.Message.Contains($"\"{p.Name}\"", StringComparison.Ordinal)
            || e.Message.Contains($"`{p.Name}`", StringComparison.Ordinal)
        );
        string detail = e.Message;
        foreach (
            KafkaProperty secret in config.Kafka.Properties.Where(static p =>
                p.IsSecret && p.Value.Length > 0
            )
        )
        {
            detail = detail.Replace(secret.Value, "***", StringComparison.Ordinal);
        }

        return new Finding(
            Severity.Error,
            config.PlaceOf(named is null ? "kafka" : $"kafka.{named.Name}").ToString(),
            $"the Kafka client refuses its configuration: {detail}",
            "correct the property; its values are in CONFIGURATION.md of librdkafka"
        );
    }
}
