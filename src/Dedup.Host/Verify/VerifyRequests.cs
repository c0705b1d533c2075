using System.Globalization;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Dedup.Audit;
using Dedup.Audit.Kafka;
using Dedup.Host.Commands;
using Dedup.Host.Configuration;
using Dedup.Topology.Pipelines;

namespace Dedup.Host.Verify;

/// <summary>What the command line adds to a configuration.</summary>
internal sealed record VerifyOptions
{
    /// <summary>Whether the pipeline was given in options rather than a file.</summary>
    public bool FromFlags { get; init; }

    /// <summary>Whether --quarantine was given.</summary>
    public bool QuarantineGiven { get; init; }

    /// <summary>--group.</summary>
    public string? Group { get; init; }

    /// <summary>--wait.</summary>
    public TimeSpan? Wait { get; init; }

    /// <summary>--memory.</summary>
    public long MemoryBytes { get; init; }

    /// <summary>--temp.</summary>
    public string? TempDirectory { get; init; }

    /// <summary>--ledger: where the first run began may stay unknown.</summary>
    public bool IsLedger { get; init; }

    /// <summary>--started.</summary>
    public IReadOnlyDictionary<int, long>? Started { get; init; }
}

/// <summary>From a pipeline to the request for its audit.</summary>
internal static class VerifyRequests
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    public static async Task<AuditRequest> Of(
        DedupConfig config,
        PipelineSpec spec,
        VerifyOptions options
    )
    {
        var request = new AuditRequest
        {
            Kafka = config.Kafka.ToDictionary(),
            Input = spec.Input,
            Clean = spec.Clean,
            // In options the default name is a guess; only a topic that somebody named is audited.
            Quarantine = options.FromFlags && !options.QuarantineGiven ? null : spec.Quarantine,
            Duplicates = spec.Duplicates,
            // The hop that reads the input says how far it is; with by-id the other one how much of that is judged.
            Group = options.Group ?? GroupOf(config, FirstHop(spec), options),
            ById =
                spec.Partitioning == Partitioning.ById
                    ? new ByIdRequest(spec.Repartition, spec.Group)
                    : null,
            Started = options.Started ?? Started(config, spec, options.IsLedger),
            Wait = options.Wait,
            Rules = RulesOf(spec, config.Validation.ContainsKey(spec.Name)),
        };
        if (options.MemoryBytes > 0)
        {
            request = request with { MemoryBytes = options.MemoryBytes };
        }

        return options.TempDirectory is { } temp ? request with { TempDirectory = temp } : request;
    }

    /// <summary>What the pipeline promises, in the audit's own words: of its code it has the recipe alone.</summary>
    private static AuditRules RulesOf(PipelineSpec spec, bool validates) =>
        new()
        {
            Recipe = spec.Recipe,
            Window = new AuditWindow(spec.Windows[0].WindowMs, spec.Windows[0].GraceMs),
            WindowOfClass = c => new AuditWindow(spec.Windows[c].WindowMs, spec.Windows[c].GraceMs),
            Late = spec.Late switch
            {
                LatePolicy.Quarantine => AuditLatePolicy.Quarantine,
                LatePolicy.Drop => AuditLatePolicy.Drop,
                _ => AuditLatePolicy.Forward,
            },
            Refresh = spec.Refresh,
            Conflict = spec.Conflict switch
            {
                ConflictPolicy.Duplicate => AuditConflictPolicy.Duplicate,
                ConflictPolicy.Clean => AuditConflictPolicy.Clean,
                _ => AuditConflictPolicy.Quarantine,
            },
            Mode = spec.Mode.Kind switch
            {
                ModeKind.Shadow => new AuditMode(AuditModeKind.Shadow),
                ModeKind.Off => new AuditMode(AuditModeKind.Off),
                ModeKind.Percent => new AuditMode(AuditModeKind.Percent, spec.Mode.Percent),
                _ => default,
            },
            Time = spec.Time.Payload,
            Headers =
                (spec.Headers.HasFlag(HeaderSets.Standard) ? AuditHeaders.Standard : 0)
                | (spec.Headers.HasFlag(HeaderSets.Verdict) ? AuditHeaders.Verdict : 0),
            HasHiddenReasons = validates || spec.Quota is not null,
            MaxFutureMs = spec.MaxFutureMs,
            MaxFutureOfClass = c => spec.MaxFutureOf(c),
        };

    /// <summary>The changelogs of a pipeline's hops, in the order in which records go through them.</summary>
    public static IReadOnlyList<string> ChangelogsOf(PipelineSpec spec) =>
        spec.Partitioning == Partitioning.ById
            ? [spec.RekeyHop(0).Changelog, spec.Changelog]
            : [spec.Changelog];

    private static PipelineSpec FirstHop(PipelineSpec spec) =>
        spec.Partitioning == Partitioning.ById ? spec.RekeyHop(0) : spec;

    // A pipeline in options may never have run under this group (it was run elsewhere, or by hand): then all of the input counts.
    private static string? GroupOf(DedupConfig config, PipelineSpec spec, VerifyOptions options)
    {
        if (!options.FromFlags || options.Wait is not null)
        {
            return spec.Group;
        }

        Dictionary<string, string> properties = config.Kafka.ToDictionary();
        using IAdminClient admin = new AdminClientBuilder(properties)
            .SetLogHandler(static (_, _) => { })
            .Build();
        try
        {
            int partitions = admin.GetMetadata(spec.Input, Timeout).Topics[0].Partitions.Count;
            return
                GroupOffsets.Read(properties, spec.Group, spec.Input, partitions, Timeout).Count > 0
                ? spec.Group
                : null;
        }
        catch (KafkaException)
        {
            return null;
        }
    }

    private static Dictionary<int, long>? Started(
        DedupConfig config,
        PipelineSpec spec,
        bool mayBeUnknown
    )
    {
        if (
            spec.Start.Kind == StartKind.Earliest
            || (mayBeUnknown && spec.Start.Kind == StartKind.Latest)
        )
        {
            return null;
        }

        if (spec.Start.Kind == StartKind.Latest)
        {
            throw new ProblemException(
                ExitCode.Usage,
                $"pipeline '{spec.Name}' began at 'latest', and where that was cannot be told from outside",
                "name the first offset of each partition: --started 0=OFFSET --started 1=OFFSET …"
            );
        }

        Dictionary<string, string> properties = config.Kafka.ToDictionary();
        properties["group.id"] = "dedup-verify";
        using IConsumer<Ignore, Ignore> consumer = new ConsumerBuilder<Ignore, Ignore>(properties)
            .SetLogHandler(static (_, _) => { })
            .Build();
        using IAdminClient admin = new DependentAdminClientBuilder(consumer.Handle).Build();
        int partitions = admin.GetMetadata(spec.Input, Timeout).Topics[0].Partitions.Count;
        var at = new Timestamp(spec.Start.TimestampMs, TimestampType.CreateTime);
        List<TopicPartitionOffset> offsets = consumer.OffsetsForTimes(
            Enumerable
                .Range(0, partitions)
                .Select(p => new TopicPartitionTimestamp(spec.Input, new Partition(p), at)),
            Timeout
        );
        return offsets.ToDictionary(
            static o => o.Partition.Value,
            o =>
                o.Offset.Value >= 0
                    ? o.Offset.Value
                    : consumer.QueryWatermarkOffsets(o.TopicPartition, Timeout).High.Value
        );
    }

    /// <summary>Reads <c>P=OFFSET</c> texts.</summary>
    public static IReadOnlyDictionary<int, long>? ParseStarted(string[] texts)
    {
        if (texts.Length == 0)
        {
            return null;
        }

        var started = new Dictionary<int, long>();
        foreach (string text in texts)
        {
            int equals = text.IndexOf('=', StringComparison.Ordinal);
            if (
                equals <= 0
                || !int.TryParse(
                    text.AsSpan(0, equals),
                    NumberStyles.None,
                    CultureInfo.InvariantCulture,
                    out int partition
                )
                || !long.TryParse(
                    text.AsSpan(equals + 1),
                    NumberStyles.None,
                    CultureInfo.InvariantCulture,
                    out long offset
                )
            )
            {
                throw new ProblemException(
                    ExitCode.Usage,
                    $"--started '{text}' is not of the form PARTITION=OFFSET",
                    "write for example --started 0=1500"
                );
            }

            started[partition] = offset;
        }

        return started;
    }
}
