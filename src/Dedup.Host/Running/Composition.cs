using System.Globalization;
using Dedup.Host.Configuration;
using Dedup.Host.Guards;
using Dedup.Kafka.Lanes;
using Dedup.Kafka.Running;
using Dedup.Kafka.Transport;
using Dedup.RocksDb;
using Dedup.Topology.Pipelines;
using Dedup.Topology.Proof;

namespace Dedup.Host.Running;

/// <summary>The composition root: from a configuration to a runtime.</summary>
internal static class Composition
{
    // A lane prefetches at most this much: more than 32 MiB made a copy no faster.
    private const int MostPrefetchKilobytes = 16 * 1024;
    private const int LeastPrefetchKilobytes = 1024;

    // The largest record that Kafka's clients send has to fit, with room for a batch beside it.
    private const int LeastSendKilobytes = 16 * 1024;
    private const int MostSendKilobytes = 32 * 1024;

    private static readonly string[] CompressionProperties =
    [
        "compression.type",
        "compression.codec",
    ];

    /// <summary>Of state.memory: a quarter for prefetched records, the rest for filters, recent tables, and block cache.</summary>
    private const int PrefetchShare = 4;

    /// <summary>The part of state.memory that the stores share.</summary>
    public static StoreBudget Budget(DedupConfig config) =>
        new(
            Math.Max(
                StoreBudget.MinBytes,
                config.State.MemoryBytes - (config.State.MemoryBytes / PrefetchShare)
            )
        );

    /// <summary>The largest batch that every topic of the pipelines takes; what a topic does not say does not count.</summary>
    internal static int BatchBytes(ClusterFacts facts) =>
        (int)
            facts
                .Topics.Values.Select(static t => LimitOf(t) ?? ClientSettings.MostBatchBytes)
                .Append(ClientSettings.MostBatchBytes)
                .Min();

    /// <summary>
    /// What the pipeline's topics take. With compression nobody knows before it is done how large a record is: then nothing is
    /// known.
    /// </summary>
    internal static TopicLimits Limits(DedupConfig config, ClusterFacts facts, PipelineSpec spec)
    {
        bool isCompressed = Array.Exists(
            CompressionProperties,
            name => config.Kafka[name] is not (null or "none")
        );
        return isCompressed
            ? default
            : new TopicLimits(BytesOf(spec.Clean), BytesOf(spec.Quarantine));

        int BytesOf(string topic) =>
            facts.Topics.TryGetValue(topic, out TopicFacts? known)
                ? (int)Math.Min(LimitOf(known) ?? 0, int.MaxValue)
                : 0;
    }

    private static long? LimitOf(TopicFacts topic) =>
        long.TryParse(
            topic.Configs?.GetValueOrDefault("max.message.bytes"),
            NumberStyles.None,
            CultureInfo.InvariantCulture,
            out long bytes
        )
            ? Math.Max(1, bytes)
            : null;

    /// <summary>What the runtime is made of.</summary>
    public static RuntimeOptions Options(
        DedupConfig config,
        ClusterFacts facts,
        StoreBudget budget,
        string instanceId,
        Action<RuntimeEvent> log,
        ICrashPoints crashPoints
    )
    {
        int hops = config.Pipelines.Sum(static p => p.Partitioning == Partitioning.ById ? 2 : 1);
        int lanes = config.Lanes * hops;
        int prefetch = (int)
            Math.Clamp(
                config.State.MemoryBytes / PrefetchShare / lanes / 1024,
                LeastPrefetchKilobytes,
                MostPrefetchKilobytes
            );
        return new RuntimeOptions
        {
            Clients = new ClientSettings(config.Kafka.ToDictionary())
            {
                PrefetchKilobytes = prefetch,
                SendKilobytes = Math.Clamp(prefetch * 3 / 2, LeastSendKilobytes, MostSendKilobytes),
                BatchBytes = BatchBytes(facts),
            },
            Pipelines =
            [
                .. config.Pipelines.Select(p => p with { Limits = Limits(config, facts, p) }),
            ],
            Stores = spec => new RocksStoreFactory(
                PipelineState.DirectoryOf(config.State.Directory, spec.Name),
                budget,
                crashPoints.Reached
            ),
            Identity = spec => new StateIdentity(
                facts.ClusterId,
                facts.Topics[spec.Reads].Id,
                facts.Topics[spec.Reads].Partitions,
                spec.StateVersion
            ),
            InstanceId = instanceId,
            Lanes = config.Lanes,
            IsStatic = config.Membership == Membership.Static,
            Lane = new LaneOptions
            {
                CommitIntervalMs = config.Commit.IntervalMs,
                MaxRecords = config.Commit.MaxRecords,
                MaxBytes = config.Commit.MaxBytes,
            },
            Log = log,
            CrashPoints = crashPoints,
        };
    }
}
