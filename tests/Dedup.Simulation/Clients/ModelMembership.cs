using Dedup.Topology.Ports;

namespace Dedup.Simulation.Clients;

/// <summary>ConsumerGroupMetadata at one moment.</summary>
public sealed class ModelMembership(
    string group,
    string memberId,
    int generation,
    string? instanceId
) : GroupMembership
{
    /// <summary>Group.</summary>
    public string Group { get; } = group;

    /// <summary>group.instance.id or null.</summary>
    public string? InstanceId { get; } = instanceId;

    /// <inheritdoc/>
    public override int Generation { get; } = generation;

    /// <inheritdoc/>
    public override string MemberId { get; } = memberId;
}
