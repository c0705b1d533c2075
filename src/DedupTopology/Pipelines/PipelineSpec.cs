using System.Collections.Immutable;
using Dedup.Topology.Identify;
using Dedup.Topology.Ports;
using Dedup.Topology.Tenants;
using Dedup.Topology.Windows;

namespace Dedup.Topology.Pipelines;

/// <summary>What happens to late records.</summary>
public enum LatePolicy : byte
{
    /// <summary>To clean, unchanged, remembered, counted.</summary>
    Forward,

    /// <summary>To quarantine.</summary>
    Quarantine,

    /// <summary>Dropped and counted.</summary>
    Drop,
}

/// <summary>Where duplicates are looked for.</summary>
public enum Partitioning : byte
{
    /// <summary>In the partition where a record arrived.</summary>
    ByInput,

    /// <summary>Wherever they arrive: the input is re-keyed by event ID first.</summary>
    ById,
}

/// <summary>Which part of a pipeline a lane does.</summary>
public enum Hop : byte
{
    /// <summary>All of it: partitioning by-input.</summary>
    Whole,

    /// <summary>The first hop of by-id: from the input to the repartition topic, by event ID.</summary>
    Rekey,

    /// <summary>The second hop of by-id: from the repartition topic to clean, duplicates, and quarantine.</summary>
    Judge,
}

/// <summary>Where a partition begins at its very first run.</summary>
public enum StartKind : byte
{
    /// <summary>At the first record that exists.</summary>
    Earliest,

    /// <summary>At the end: only what comes from now on.</summary>
    Latest,

    /// <summary>At the first record at or after a time.</summary>
    Timestamp,
}

/// <summary>Where a partition begins at its very first run.</summary>
/// <param name="Kind">How the place is named.</param>
/// <param name="TimestampMs">The time, with <see cref="StartKind.Timestamp"/>.</param>
public readonly record struct StartAt(StartKind Kind, long TimestampMs = 0);

/// <summary>One pipeline as the core needs it. Immutable.</summary>
public sealed record PipelineSpec
{
    /// <summary>Name in the configuration; part of group, changelog, and transactional ids.</summary>
    public required string Name { get; init; }

    /// <summary>Topic that is read.</summary>
    public required string Input { get; init; }

    /// <summary>Topic that gets first occurrences.</summary>
    public required string Clean { get; init; }

    /// <summary>Topic that gets what cannot be judged.</summary>
    public required string Quarantine { get; init; }

    /// <summary>Topic that gets suppressed duplicates; null to drop them.</summary>
    public string? Duplicates { get; init; }

    /// <summary>Where duplicates are looked for.</summary>
    public Partitioning Partitioning { get; init; }

    /// <summary>Which part of the pipeline this is; by-id is run as two: <see cref="RekeyHop"/> and <see cref="JudgeHop"/>.</summary>
    public Hop Hop { get; init; }

    /// <summary>With by-id: partitions of the repartition topic; 0 for as many as the input has.</summary>
    public int RepartitionPartitions { get; init; }

    /// <summary>In the second hop of by-id: partitions of the input.</summary>
    public int InputPartitions { get; init; }

    /// <summary>With by-id: how long an input partition may be silent before it no longer holds expiry back, in ms. Five minutes.</summary>
    public long IdleTimeoutMs { get; init; } = 300_000;

    /// <summary>Start of the names of group, transactional ids, and internal topics.</summary>
    public string FullName => Hop == Hop.Rekey ? $"dedup-{Name}-rekey" : $"dedup-{Name}";

    /// <summary>Consumer group.</summary>
    public string Group => FullName;

    /// <summary>Changelog topic.</summary>
    public string Changelog => $"{FullName}-changelog";

    /// <summary>With by-id: the topic between the hops.</summary>
    public string Repartition => $"dedup-{Name}-repartition";

    /// <summary>The topic that a lane of this hop reads.</summary>
    public string Reads => Hop == Hop.Judge ? Repartition : Input;

    /// <summary>How a record gets its ID.</summary>
    public required Recipe Recipe { get; init; }

    /// <summary>
    /// Hash of what decides which events are the same: state made with another one must not be used. Windows are not part of
    /// it, since state outlives a change of window.
    /// </summary>
    public ulong StateVersion =>
        // By-id state is held in other partitions: any constant that tells it from by-input's.
        Partitioning == Partitioning.ById
            ? Recipe.Version ^ 0xB1D0_B1D0_B1D0_B1D0
            : Recipe.Version;

    /// <summary>
    /// Window classes; the first is the default, the others belong to the recipe's types in their order. Ids equal indexes
    /// here; a partition's state has ids of its own.
    /// </summary>
    public required ImmutableArray<WindowClass> Windows { get; init; }

    /// <summary>Late policy.</summary>
    public LatePolicy Late { get; init; }

    /// <summary>How far ahead of the wall clock a record's timestamp may be, in ms. One hour, at most a quarter of the window.</summary>
    public long MaxFutureMs { get; init; } = 3_600_000;

    /// <summary>Whether a window counts from the last occurrence rather than the first.</summary>
    public bool Refresh { get; init; }

    /// <summary>Conflict policy; matters only where the recipe has a fingerprint.</summary>
    public ConflictPolicy Conflict { get; init; }

    /// <summary>Which time counts.</summary>
    public TimeRule Time { get; init; } = TimeRule.Event;

    /// <summary>How much of the judging takes effect.</summary>
    public PipelineMode Mode { get; init; }

    /// <summary>Headers added to clean records.</summary>
    public HeaderSets Headers { get; init; }

    /// <summary>What the topics take at most; unknown by default.</summary>
    public TopicLimits Limits { get; init; }

    /// <summary><see cref="MaxFutureMs"/> for a class: of one with a short window at most a quarter of it.</summary>
    public long MaxFutureOf(int windowClass) =>
        windowClass == 0 ? MaxFutureMs : Math.Min(MaxFutureMs, Windows[windowClass].WindowMs / 4);

    /// <summary>What tenants may use of each partition's state; null where nothing is limited. Needs a tenant in the scope.</summary>
    public QuotaRules? Quota { get; init; }

    /// <summary>Validates payloads; null where the pipeline does not, and then it costs nothing.</summary>
    public IPayloadValidator? Validator { get; init; }

    /// <summary>
    /// Whether a record whose payload cannot be validated now goes on unchecked and counted; else it goes to quarantine.
    /// </summary>
    public bool ForwardsUnchecked { get; init; } = true;

    /// <summary>Where to begin at the first run.</summary>
    public StartAt Start { get; init; }

    /// <summary>Whether the operator accepted that records may be lost where offsets, marker, and log disagree.</summary>
    public bool AcceptLoss { get; init; }

    /// <summary>With by-id: the pipeline's first hop.</summary>
    /// <param name="repartitionPartitions">Partitions that the repartition topic has.</param>
    public PipelineSpec RekeyHop(int repartitionPartitions) =>
        this with
        {
            Hop = Hop.Rekey,
            RepartitionPartitions = repartitionPartitions,
        };

    /// <summary>With by-id: the pipeline's second hop. Everything in the repartition topic is its to judge.</summary>
    /// <param name="inputPartitions">Partitions that the input has.</param>
    public PipelineSpec JudgeHop(int inputPartitions) =>
        this with
        {
            Hop = Hop.Judge,
            InputPartitions = inputPartitions,
            Start = new StartAt(StartKind.Earliest),
        };
}
