namespace Dedup.Simulation.Broker;

/// <summary>The client side of a group, as the coordinator's answers reach it.</summary>
public interface IGroupClient
{
    /// <summary>group.instance.id, null for a dynamic member.</summary>
    string? InstanceId { get; }

    /// <summary>session.timeout.ms.</summary>
    int SessionTimeoutMs { get; }

    /// <summary>max.poll.interval.ms, which is the group's rebalance time-out too.</summary>
    int MaxPollIntervalMs { get; }

    /// <summary>The JoinGroup response.</summary>
    void OnJoined(string memberId, int generation);

    /// <summary>FENCED_INSTANCE_ID instead of the JoinGroup response: another client took the static member's place.</summary>
    void OnReplaced();

    /// <summary>The SyncGroup response.</summary>
    void OnSynced(int generation, IReadOnlyList<int> assignment);
}

/// <summary>A member as the coordinator knows it.</summary>
public sealed class GroupMember
{
    internal GroupMember(string id, IGroupClient client)
    {
        Id = id;
        Client = client;
    }

    /// <summary>Member id.</summary>
    public string Id { get; internal set; }

    /// <summary>The client behind it.</summary>
    public IGroupClient Client { get; internal set; }

    /// <summary>Partitions of the last assignment.</summary>
    public List<int> Assigned { get; } = [];

    internal List<int> Claimed { get; } = [];

    internal long HeartbeatMs { get; set; }

    internal bool HasJoined { get; set; }
}
