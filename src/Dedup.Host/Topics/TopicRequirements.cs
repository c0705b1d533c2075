using System.Collections.Immutable;
using System.Globalization;
using Dedup.Host.Configuration;
using Dedup.Host.Guards;
using Dedup.Topology.Pipelines;

namespace Dedup.Host.Topics;

/// <summary>
/// What a pipeline needs of its topics: the one place that <c>dedup check</c>, <c>dedup run</c>, and <c>dedup topics</c> all
/// judge by.
/// </summary>
public static class TopicRequirements
{
    /// <summary>Room for the headers that quarantine and duplicates, and clean with 'headers', add to a record.</summary>
    public const int HeaderRoomBytes = 16 * 1024;

    /// <summary>Largest chunk that the changelog gets is below this (Kafka's own default of max.message.bytes).</summary>
    public const int ChangelogMessageBytes = 1_048_588;

    private static readonly string Widest = long.MaxValue.ToString(CultureInfo.InvariantCulture);

    /// <summary>Requirements on all topics but the input.</summary>
    /// <param name="spec">The pipeline.</param>
    /// <param name="input">The input topic as it is.</param>
    public static ImmutableArray<TopicRequirement> Of(PipelineSpec spec, TopicFacts input)
    {
        long inputBytes = Number(input.Configs, "max.message.bytes", ChangelogMessageBytes);
        var all = ImmutableArray.CreateBuilder<TopicRequirement>();
        all.Add(
            new TopicRequirement(
                spec.Name,
                TopicRole.Clean,
                spec.Clean,
                input.Partitions,
                MayHaveMore: false,
                [
                    .. Timestamps(spec),
                    AtLeast(
                        "max.message.bytes",
                        inputBytes + (spec.Headers == HeaderSets.None ? 0 : HeaderRoomBytes),
                        Severity.Error,
                        $"the input takes records of {inputBytes} bytes, and those that do not fit would all be quarantined"
                    ),
                    KeepsRecords(input),
                ]
            )
        );
        all.Add(SideTopic(spec, input, TopicRole.Quarantine, spec.Quarantine, inputBytes));
        if (spec.Duplicates is not null)
        {
            all.Add(SideTopic(spec, input, TopicRole.Duplicates, spec.Duplicates, inputBytes));
        }

        bool byId = spec.Partitioning == Partitioning.ById;
        int between = PartitionsBetween(spec, input);
        all.Add(Changelog(spec, TopicRole.Changelog, spec.Changelog, between));
        if (byId)
        {
            all.Add(
                Changelog(
                    spec,
                    TopicRole.RekeyChangelog,
                    spec.RekeyHop(between).Changelog,
                    input.Partitions
                )
            );
            all.Add(Repartition(spec, between, inputBytes));
        }

        return all.ToImmutable();
    }

    /// <summary>min.insync.replicas that fits a number of replicas: one may be away, and no acknowledged record lies on one alone.</summary>
    public static int MinInsyncFor(int replicas) => Math.Max(1, replicas - 1);

    /// <summary>Partitions that state is divided into: those of the input, with by-id those of the repartition topic.</summary>
    public static int PartitionsBetween(PipelineSpec spec, TopicFacts input) =>
        spec is { Partitioning: Partitioning.ById, RepartitionPartitions: > 0 }
            ? spec.RepartitionPartitions
            : input.Partitions;

    private static TopicRequirement Changelog(
        PipelineSpec spec,
        TopicRole role,
        string topic,
        int partitions
    ) =>
        new(
            spec.Name,
            role,
            topic,
            partitions,
            MayHaveMore: false,
            [
                new ConfigRequirement(
                    "cleanup.policy",
                    "compact",
                    static v => v == "compact",
                    Severity.Error,
                    "deletion by wall-clock time would forget IDs that are still in their window; without compaction it grows for ever"
                ),
                .. Timestamps(spec),
                AtLeast(
                    "max.message.bytes",
                    ChangelogMessageBytes,
                    Severity.Error,
                    "chunks of IDs would not fit"
                ),
            ]
        );

    /// <summary>Records lie there until they are judged, however long that takes; then they are deleted by Dedup.</summary>
    private static TopicRequirement Repartition(
        PipelineSpec spec,
        int partitions,
        long inputBytes
    ) =>
        new(
            spec.Name,
            TopicRole.Repartition,
            spec.Repartition,
            partitions,
            MayHaveMore: false,
            [
                new ConfigRequirement(
                    "cleanup.policy",
                    "delete",
                    static v => v == "delete",
                    Severity.Error,
                    "compaction could remove records before they are judged, and judged ones could not be deleted"
                ),
                Unlimited("retention.ms"),
                Unlimited("retention.bytes"),
                new ConfigRequirement(
                    "message.timestamp.type",
                    "CreateTime",
                    static v => v == "CreateTime",
                    Severity.Warning,
                    "idle input partitions are told by the first hop's clock"
                ),
                AtLeast(
                    "max.message.bytes",
                    inputBytes + HeaderRoomBytes,
                    Severity.Error,
                    $"the input takes records of {inputBytes} bytes, and those that do not fit would all be quarantined"
                ),
            ]
        );

    private static ConfigRequirement Unlimited(string name) =>
        new(
            name,
            "-1",
            static v => v == "-1",
            Severity.Error,
            "records could be deleted before they are judged; Dedup deletes them itself behind its committed offsets"
        );

    private static TopicRequirement SideTopic(
        PipelineSpec spec,
        TopicFacts input,
        TopicRole role,
        string topic,
        long inputBytes
    ) =>
        new(
            spec.Name,
            role,
            topic,
            input.Partitions,
            MayHaveMore: true,
            [
                .. Timestamps(spec),
                AtLeast(
                    "max.message.bytes",
                    inputBytes + HeaderRoomBytes,
                    Severity.Warning,
                    $"the input takes records of {inputBytes} bytes, and headers are added here"
                ),
            ]
        );

    private static ConfigRequirement[] Timestamps(PipelineSpec spec) =>
        [
            new(
                "message.timestamp.type",
                "CreateTime",
                static v => v == "CreateTime",
                Severity.Warning,
                "the broker would replace the records' timestamps"
            ),
            new(
                "message.timestamp.before.max.ms",
                Widest,
                static v => v == Widest,
                Severity.Warning,
                "the broker would refuse old records, which the pipeline lets through"
            ),
            new(
                "message.timestamp.after.max.ms",
                Widest,
                v =>
                    long.TryParse(v, NumberStyles.None, CultureInfo.InvariantCulture, out long ms)
                    && ms > spec.MaxFutureMs,
                Severity.Warning,
                $"the broker would refuse records as far ahead of the clock as max-future ({Quantities.Duration(spec.MaxFutureMs)}) lets through"
            ),
        ];

    // An input that is compacted itself may be copied into a compacted topic; any other would lose records to compaction.
    private static ConfigRequirement KeepsRecords(TopicFacts input)
    {
        string policy = input.Configs?.GetValueOrDefault("cleanup.policy") ?? "delete";
        return new ConfigRequirement(
            "cleanup.policy",
            policy,
            v =>
                !v.Contains("compact", StringComparison.Ordinal)
                || policy.Contains("compact", StringComparison.Ordinal),
            Severity.Warning,
            "compaction would remove first occurrences that share a key"
        );
    }

    private static ConfigRequirement AtLeast(
        string name,
        long bytes,
        Severity severity,
        string why
    ) =>
        new(
            name,
            bytes.ToString(CultureInfo.InvariantCulture),
            v =>
                long.TryParse(v, NumberStyles.None, CultureInfo.InvariantCulture, out long actual)
                && actual >= bytes,
            severity,
            why
        );

    private static long Number(
        ImmutableDictionary<string, string>? configs,
        string name,
        long fallback
    ) =>
        configs is not null
        && configs.TryGetValue(name, out string? text)
        && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long value)
            ? value
            : fallback;
}
