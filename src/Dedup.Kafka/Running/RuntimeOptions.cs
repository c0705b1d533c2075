using Dedup.Kafka.Lanes;
using Dedup.Kafka.Transport;
using Dedup.Topology.Pipelines;
using Dedup.Topology.Ports;
using Dedup.Topology.Proof;

namespace Dedup.Kafka.Running;

/// <summary>What the runtime is composed of. Immutable.</summary>
public sealed record RuntimeOptions
{
    /// <summary>Kafka clients' settings.</summary>
    public required ClientSettings Clients { get; init; }

    /// <summary>Pipelines to run in this process.</summary>
    public required IReadOnlyList<PipelineSpec> Pipelines { get; init; }

    /// <summary>Gives the stores of a pipeline.</summary>
    public required Func<PipelineSpec, IStoreFactory> Stores { get; init; }

    /// <summary>Stable over restarts and unique: part of transactional.id and group.instance.id.</summary>
    public required string InstanceId { get; init; }

    /// <summary>What the state of a pipeline belongs to, where somebody has asked the cluster already; null to ask.</summary>
    public Func<PipelineSpec, StateIdentity>? Identity { get; init; }

    /// <summary>Lanes of each pipeline.</summary>
    public int Lanes { get; init; } = 2;

    /// <summary>Whether members are static (a restart within the session time-out moves no partitions).</summary>
    public bool IsStatic { get; init; } = true;

    /// <summary>Options of each lane.</summary>
    public LaneOptions Lane { get; init; } = new();

    /// <summary>Whether the two calls made for every record go past Confluent.Kafka; the managed way is slower and always works.</summary>
    public bool UseNative { get; init; } = Native.NativeHandles.Obstacle is null;

    /// <summary>Clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Hears everything worth a line.</summary>
    public Action<RuntimeEvent> Log { get; init; } = static _ => { };

    /// <summary>Named points.</summary>
    public ICrashPoints CrashPoints { get; init; } = NoCrashPoints.Instance;
}

/// <summary>How much a line in the log matters.</summary>
public enum EventLevel : byte
{
    /// <summary>How things go.</summary>
    Info,

    /// <summary>Something is wrong, and the product goes on.</summary>
    Warning,

    /// <summary>The product cannot go on.</summary>
    Error,
}

/// <summary>Something worth a line.</summary>
/// <param name="Level">How much it matters.</param>
/// <param name="Name">Fixed name, for machines.</param>
/// <param name="Pipeline">Pipeline.</param>
/// <param name="Lane">Number of the lane, -1 for none.</param>
/// <param name="Text">One line.</param>
public readonly record struct RuntimeEvent(
    EventLevel Level,
    string Name,
    string Pipeline,
    int Lane,
    string Text
);
