using System.Collections.Immutable;

namespace Dedup.Host.Topics;

/// <summary>What has to be done to a topic.</summary>
public enum PlanAction
{
    /// <summary>It is as it should be.</summary>
    Keep,

    /// <summary>It is made.</summary>
    Create,

    /// <summary>It is altered.</summary>
    Alter,

    /// <summary>It cannot be made right by Dedup; <see cref="TopicPlan.Problem"/> says why.</summary>
    Refuse,
}

/// <summary>A property that changes.</summary>
/// <param name="Name">Kafka's name of it.</param>
/// <param name="From">The value that it has; null when the topic is made.</param>
/// <param name="To">The value that it gets.</param>
public readonly record struct ConfigChange(string Name, string? From, string To);

/// <summary>The plan for one topic.</summary>
public sealed record TopicPlan
{
    /// <summary>Topic.</summary>
    public required string Topic { get; init; }

    /// <summary>What it is for: <c>clean of orders</c>.</summary>
    public required string Purpose { get; init; }

    /// <summary>What is done.</summary>
    public required PlanAction Action { get; init; }

    /// <summary>Partitions that it has; 0 when it is made.</summary>
    public int PartitionsFrom { get; init; }

    /// <summary>Partitions that it gets.</summary>
    public int PartitionsTo { get; init; }

    /// <summary>Replicas that it gets when it is made.</summary>
    public short Replicas { get; init; }

    /// <summary>Properties that change.</summary>
    public ImmutableArray<ConfigChange> Configs { get; init; } = [];

    /// <summary>Why it cannot be made right.</summary>
    public string? Problem { get; init; }
}
