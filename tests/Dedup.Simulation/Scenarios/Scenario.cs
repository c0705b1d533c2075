using Dedup.Kafka.Lanes;
using Dedup.Simulation.Broker;
using Dedup.Simulation.Chance;
using Dedup.Simulation.Faults;
using Dedup.Topology.Identify;
using Dedup.Topology.Pipelines;
using Dedup.Topology.Windows;

namespace Dedup.Simulation.Scenarios;

/// <summary>What is left out of a seed's scenario, to shrink a failure. Empty: the seed as it is.</summary>
public sealed record Overrides
{
    /// <summary>Most records of the workload; null for as many as the seed says.</summary>
    public int? Records { get; init; }

    /// <summary>Kinds of fault that are off.</summary>
    public IReadOnlyList<FaultKind> Without { get; init; } = [];

    /// <summary>Faults with a lower number do not happen.</summary>
    public int FirstFault { get; init; }

    /// <summary>Faults with this number or a higher one do not happen.</summary>
    public int EndFault { get; init; } = int.MaxValue;

    /// <summary>Most processes.</summary>
    public int? Processes { get; init; }

    /// <summary>Most lanes of a process.</summary>
    public int? Lanes { get; init; }

    /// <summary>Most partitions.</summary>
    public int? Partitions { get; init; }

    /// <summary>No hostile records.</summary>
    public bool Tame { get; init; }

    /// <summary>partitioning: by-id, in two hops; drawn beside everything else, so that a seed keeps the rest of its scenario.</summary>
    public bool ById { get; init; }

    /// <summary>No change of the mode during the run.</summary>
    public bool IsSteady { get; init; }

    /// <summary>No quotas with by-id.</summary>
    public bool HasNoQuotasById { get; init; }
}

/// <summary>Everything that a seed decides before the run begins.</summary>
public sealed record Scenario
{
    /// <summary>The seed.</summary>
    public required ulong Seed { get; init; }

    /// <summary>What is left out.</summary>
    public required Overrides Overrides { get; init; }

    /// <summary>Processes.</summary>
    public required int Processes { get; init; }

    /// <summary>Lanes of a process.</summary>
    public required int Lanes { get; init; }

    /// <summary>Partitions of all topics.</summary>
    public required int Partitions { get; init; }

    /// <summary>Records of the workload.</summary>
    public required int Records { get; init; }

    /// <summary>Whether there are hostile records.</summary>
    public required bool IsHostile { get; init; }

    /// <summary>Whether part of the input is written in transactions, some of them aborted.</summary>
    public required bool IsInputTransactional { get; init; }

    /// <summary>How long records are produced and faults happen, in ms.</summary>
    public required int StormMs { get; init; }

    /// <summary>group.instance.id in use.</summary>
    public required bool IsStatic { get; init; }

    /// <summary>Incremental rebalances, else eager ones.</summary>
    public required bool IsCooperative { get; init; }

    /// <summary>session.timeout.ms.</summary>
    public required int SessionTimeoutMs { get; init; }

    /// <summary>max.poll.interval.ms.</summary>
    public required int MaxPollIntervalMs { get; init; }

    /// <summary>transaction.timeout.ms.</summary>
    public required int TransactionTimeoutMs { get; init; }

    /// <summary>Size of a recent table, in IDs.</summary>
    public required int StoreCapacity { get; init; }

    /// <summary>How slow the cluster is.</summary>
    public required ClusterPace Pace { get; init; }

    /// <summary>max.message.bytes of clean, quarantine, and duplicates.</summary>
    public required int MaxMessageBytes { get; init; }

    /// <summary>message.max.bytes of the producer: above the largest chunk and marker, as `dedup check` demands.</summary>
    public required int ClientMaxBytes { get; init; }

    /// <summary>Records of a partition that wait in the producer.</summary>
    public required int LingerRecords { get; init; }

    /// <summary>How long records wait in the producer, in ms.</summary>
    public required int LingerMs { get; init; }

    /// <summary>Once in so many port calls others go first.</summary>
    public required int InterleaveOneIn { get; init; }

    /// <summary>The pipeline.</summary>
    public required PipelineSpec Spec { get; init; }

    /// <summary>How far the records of each input partition are behind, in ms; empty for by-input.</summary>
    public IReadOnlyList<long> BehindMs { get; init; } = [];

    /// <summary>Width of the time buckets of content that is the ID; 0 where the ID is the key.</summary>
    public long BucketMs => Spec.Recipe.Sources[0].BucketMs;

    /// <summary>Whether partitioning is by-id.</summary>
    public bool IsById => Spec.Partitioning == Partitioning.ById;

    /// <summary>The hops that lanes run: one, or with by-id two.</summary>
    public IReadOnlyList<PipelineSpec> Hops =>
        IsById ? [Spec.RekeyHop(Spec.RepartitionPartitions), Spec.JudgeHop(Partitions)] : [Spec];

    /// <summary>The lane's options.</summary>
    public required LaneOptions Lane { get; init; }

    /// <summary>Changes of the mode during the storm, by restarts; before the first one it is the pipeline's.</summary>
    public IReadOnlyList<ModeChange> ModeChanges { get; init; } = [];

    /// <summary>Faults that are on: once in so many opportunities.</summary>
    public required IReadOnlyList<(FaultKind Kind, int OneIn)> Faults { get; init; }

    /// <summary>Draws a scenario from a seed.</summary>
    public static Scenario Of(ulong seed, Overrides? overrides = null)
    {
        overrides ??= new Overrides();
        var rng = Rng.For(seed, 0x5CE4A210);
        int processes = Math.Min(overrides.Processes ?? 9, rng.Between(1, 3));
        int lanes = Math.Min(overrides.Lanes ?? 9, rng.Between(1, 2));
        int partitions = Math.Min(overrides.Partitions ?? 9, rng.Between(1, 5));
        int records = Math.Min(overrides.Records ?? int.MaxValue, 30 + rng.Skewed(900));
        int stormMs = rng.Between(5_000, 60_000);
        int sessionMs = rng.Between(3_000, 10_000);
        int maxMessageBytes = rng.Between(700, 2_000);
        var scenario = new Scenario
        {
            Seed = seed,
            Overrides = overrides,
            Processes = processes,
            Lanes = lanes,
            Partitions = partitions,
            Records = records,
            IsHostile = rng.Percent(70) && !overrides.Tame,
            IsInputTransactional = rng.Percent(25),
            StormMs = stormMs,
            IsStatic = rng.Percent(50),
            IsCooperative = rng.Percent(85),
            SessionTimeoutMs = sessionMs,
            MaxPollIntervalMs = rng.Between(2, 10) * sessionMs,
            TransactionTimeoutMs = rng.Between(2_000, 12_000),
            StoreCapacity = 1 + rng.Skewed(120),
            MaxMessageBytes = maxMessageBytes,
            // Markers name up to a hundred types.
            ClientMaxBytes = Policies.HasTypes(seed) ? 40_000 : 6_000,
            LingerRecords = 1 + rng.Skewed(60),
            LingerMs = rng.Between(0, 60),
            InterleaveOneIn = 2 + rng.Skewed(60),
            Pace = new ClusterPace
            {
                RoundTripMs = 2,
                MarkerMs = rng.Percent(80) ? rng.Between(1, 20) : rng.Between(20, 3_000),
                TransactionSweepMs = rng.Between(500, 5_000),
                JoinMs = rng.Percent(80) ? rng.Between(1, 40) : rng.Between(40, 1_500),
            },
            Spec = Quotas.Draw(Policies.Draw(DrawSpec(rng), seed), seed) with
            {
                // In the others only trying tells.
                Limits = Rng.For(seed, 0x11417).Percent(35)
                    ? new TopicLimits(maxMessageBytes, maxMessageBytes)
                    : default,
            },
            Lane = DrawLane(rng),
            Faults = Swarm.Draw(rng, overrides),
        };
        return Scenarios.ModeChanges.Draw(overrides.ById ? ById(scenario) : scenario);
    }

    private static Scenario ById(Scenario scenario)
    {
        var rng = Rng.For(scenario.Seed, 0xB71D);
        long windowMs = scenario.Spec.Windows[0].WindowMs;
        PipelineSpec plain = scenario.Spec with
        {
            // The policies of by-input's seeds stay there, so that both draw from the plain ones.
            Recipe = Recipe.Key,
            Windows = [scenario.Spec.Windows[0]],
            Refresh = false,
            Mode = default,
            Quota = null,
            Time = TimeRule.Event,
            Headers = HeaderSets.None,
            MaxFutureMs = Math.Max(1, Math.Min(3_600_000, windowMs / 4)),
            Partitioning = Partitioning.ById,
            RepartitionPartitions = rng.Between(1, 4),
            IdleTimeoutMs = rng.Percent(50) ? rng.Between(100, 5_000) : rng.Between(5_000, 300_000),
        };
        PipelineSpec drawn = Policies.DrawForById(plain, scenario.Seed);
        return scenario with
        {
            Spec = scenario.Overrides.HasNoQuotasById
                ? drawn
                : Quotas.DrawForById(drawn, scenario.Seed),
            BehindMs =
            [
                .. Enumerable
                    .Range(0, scenario.Partitions)
                    .Select(_ => rng.OneIn(3) ? rng.Between(0L, 20 * windowMs) : 0),
            ],
        };
    }

    private static PipelineSpec DrawSpec(Rng rng)
    {
        long windowMs = rng.Percent(70)
            ? rng.Between(500, 20_000)
            : rng.Between(20_000, 10_000_000);
        long graceMs = rng.Below(4) switch
        {
            0 => 0,
            1 => windowMs * WindowClass.MaxGraceWindows,
            2 => rng.Between(0L, windowMs),
            _ => windowMs,
        };
        return new PipelineSpec
        {
            Name = "sim",
            Input = "in",
            Clean = "clean",
            Quarantine = "quarantine",
            Duplicates = rng.Percent(50) ? "duplicates" : null,
            Recipe = Recipe.Key,
            Windows = [new WindowClass(0, "", windowMs, graceMs)],
            Late = (LatePolicy)rng.Below(3),
            MaxFutureMs = Math.Max(1, Math.Min(3_600_000, windowMs / 4)),
        };
    }

    private static LaneOptions DrawLane(Rng rng) =>
        new()
        {
            CommitIntervalMs = rng.Between(5, 1_000),
            MaxRecords = 1 + rng.Skewed(400),
            MaxPollRecords = 1 + rng.Skewed(200),
            BrokerTimeoutMs = rng.Between(200, 5_000),
            LookupTimeoutMs = rng.Between(10, 200),
            FenceAfterMs = rng.Between(0, 600),
            DrainLingerMs = rng.Between(0, 10),
            IdlePollMs = rng.Between(5, 150),
            MaxChunkBytes = rng.Percent(50) ? 200 : 4_096,
            MaxTombstones = 1 + rng.Skewed(60),
        };
}
