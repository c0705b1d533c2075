using Dedup.Simulation.Worlds;
using Dedup.Topology.Ports;

namespace Dedup.Simulation.Broker;

/// <summary>
/// Coordinator of one group with the classic protocol (ClassicGroup, GroupMetadataManager). As in Kafka the generation is
/// new from the moment the last member has joined, though nobody has heard of it yet; until the leader has sent the
/// assignment the group is in CompletingRebalance.
/// </summary>
public sealed class GroupCoordinator
{
    private readonly ModelCluster _cluster;
    private readonly List<GroupMember> _members = [];
    private readonly int _number;
    private bool _isPreparing;
    private bool _reshuffle;
    private long _round;
    private long _completingUntilMs;
    private int _nextMember;

    internal GroupCoordinator(ModelCluster cluster, string name, int number)
    {
        _cluster = cluster;
        Name = name;
        _number = number;
        Offsets = new GroupOffsets(cluster.World);
    }

    /// <summary>Name.</summary>
    public string Name { get; }

    /// <summary>The topic that its members subscribe to.</summary>
    public string? Topic { get; private set; }

    /// <summary>Generation.</summary>
    public int Generation { get; private set; }

    /// <summary>Committed offsets.</summary>
    public GroupOffsets Offsets { get; }

    /// <summary>Until when it is out of reach.</summary>
    public long UnavailableUntilMs { get; set; }

    /// <summary>Members now.</summary>
    public IReadOnlyList<GroupMember> Members => _members;

    /// <summary>How often a member left and joined again because partitions belonged to nobody.</summary>
    public int Rejoins { get; set; }

    /// <summary>Whether it answers.</summary>
    public bool IsAvailable => World.NowMs >= UnavailableUntilMs;

    /// <summary>Whether a rebalance is under way.</summary>
    public bool IsPreparing => _isPreparing;

    /// <summary>
    /// DescribeConsumerGroups. Kafka leaves partitions to nobody though the group is stable when a static member is killed
    /// between a cooperative rebalance that asked it to give a partition up and its next join: its successor takes the place
    /// over without a rebalance, owns nothing it could give up, and the partition stays with nobody until the next rebalance.
    /// </summary>
    public GroupCoverage Coverage(int partitions)
    {
        if (!IsAvailable || _isPreparing || World.NowMs < _completingUntilMs)
        {
            return GroupCoverage.Unknown;
        }

        var taken = new HashSet<int>();
        _members.ForEach(member => taken.UnionWith(member.Assigned));
        return Enumerable.Range(0, partitions).All(taken.Contains)
            ? GroupCoverage.Complete
            : GroupCoverage.Incomplete;
    }

    private World World => _cluster.World;

    /// <summary>
    /// JoinGroup. A new dynamic member, and a known one that joins again, begin a rebalance. A static member that comes back
    /// without a member id takes its old place over under a new member id, which fences the old one, and while the group is
    /// stable gets the same assignment without any rebalance (KIP-345, updateStaticMemberThenRebalanceOrCompleteJoin).
    /// </summary>
    public BrokerError Join(
        IGroupClient client,
        string topic,
        string memberId,
        int generation,
        IReadOnlyList<int> owned
    )
    {
        if (!IsAvailable)
        {
            return BrokerError.CoordinatorUnavailable;
        }

        Topic = topic;
        GroupMember? member = FindInstance(client.InstanceId);
        if (memberId.Length == 0)
        {
            if (member is not null)
            {
                return Replace(member, client);
            }

            member = new GroupMember($"m{++_nextMember}", client);
            _members.Add(member);
        }
        else
        {
            if (member is not null && member.Id != memberId)
            {
                return BrokerError.FencedInstance;
            }

            member = Find(memberId);
            if (member is null)
            {
                return BrokerError.UnknownMember;
            }
        }

        World.Trace.Mix(Point.GroupJoin, _number, Generation, _members.Count);
        Note($"{member.Id} joins, owns [{string.Join(",", owned)}] of generation {generation}");
        member.Claimed.Clear();
        member.Claimed.AddRange(owned);
        member.HeartbeatMs = World.NowMs;
        Prepare();
        member.HasJoined = true;
        CompleteIfAllJoined();
        return BrokerError.None;
    }

    /// <summary>Heartbeat: also how a member hears that it has to join again.</summary>
    public BrokerError Heartbeat(string memberId, int generation, string? instanceId)
    {
        if (!IsAvailable)
        {
            return BrokerError.CoordinatorUnavailable;
        }

        BrokerError error = Validate(memberId, generation, instanceId, out GroupMember? member);
        if (error != BrokerError.None)
        {
            return error;
        }

        member!.HeartbeatMs = World.NowMs;
        return _isPreparing && !member.HasJoined
            ? BrokerError.RebalanceInProgress
            : BrokerError.None;
    }

    /// <summary>LeaveGroup: sent once, and lost when the coordinator is out of reach.</summary>
    public void Leave(string memberId)
    {
        if (IsAvailable && Find(memberId) is { } member)
        {
            World.Trace.Mix(Point.GroupLeave, _number, Generation);
            Note($"{memberId} leaves");
            Remove(member);
        }
    }

    /// <summary>
    /// TxnOffsetCommit (validateTransactionalOffsetCommit): member and generation must be the current ones; whether the
    /// member owns the partition is not asked. With a generation below zero and no member id nothing is checked at all, as
    /// for producers older than KIP-447: what such a producer sends is taken.
    /// </summary>
    public BrokerError CommitOffset(
        long producerId,
        string memberId,
        int generation,
        string? instanceId,
        int partition,
        long offset
    )
    {
        if (!IsAvailable)
        {
            return BrokerError.CoordinatorUnavailable;
        }

        if (generation >= 0 || memberId.Length > 0 || instanceId is not null)
        {
            BrokerError error = Validate(memberId, generation, instanceId, out _);
            if (error != BrokerError.None)
            {
                return error;
            }
        }

        World.Trace.Mix(Point.GroupCommit, producerId, partition, offset);
        Offsets.Hold(producerId, partition, offset);
        return BrokerError.None;
    }

    /// <summary>Begins a rebalance out of the blue: a member's metadata changed, a broker restarted, partitions were added.</summary>
    public void Disturb(bool reshuffle)
    {
        _reshuffle |= reshuffle;
        if (_members.Count > 0)
        {
            Prepare();
            CompleteIfAllJoined();
        }
    }

    /// <summary>Throws out members that were not heard of for a session time-out. Repeats itself.</summary>
    public void WatchSessions(int everyMs)
    {
        World.After(everyMs, () => WatchSessions(everyMs));
        if (!IsAvailable)
        {
            return;
        }

        for (int i = _members.Count - 1; i >= 0; i--)
        {
            GroupMember member = _members[i];
            bool waitsForJoin = _isPreparing && member.HasJoined;
            if (!waitsForJoin && World.NowMs - member.HeartbeatMs > member.Client.SessionTimeoutMs)
            {
                World.Trace.Mix(Point.GroupExpire, _number, Generation);
                Note($"session of {member.Id} expired");
                Remove(member);
            }
        }
    }

    private BrokerError Replace(GroupMember member, IGroupClient client)
    {
        string old = member.Id;
        // replaceStaticMember completes a join of the old client that is still pending.
        World.After(_cluster.Chance.Skewed(_cluster.Pace.JoinMs), member.Client.OnReplaced);
        member.Id = $"m{++_nextMember}";
        member.Client = client;
        member.HeartbeatMs = World.NowMs;
        member.Claimed.Clear();
        Note($"{member.Id} takes the place of static {old}");
        if (_isPreparing || World.NowMs < _completingUntilMs)
        {
            // In CompletingRebalance the old member id may be with the leader already: once more for all.
            Prepare();
            member.HasJoined = true;
            CompleteIfAllJoined();
            return BrokerError.None;
        }

        Tell(member, Generation, [.. member.Assigned]);
        return BrokerError.None;
    }

    private BrokerError Validate(
        string memberId,
        int generation,
        string? instanceId,
        out GroupMember? member
    )
    {
        member = null;
        if (instanceId is not null && FindInstance(instanceId) is { } known && known.Id != memberId)
        {
            return BrokerError.FencedInstance;
        }

        member = Find(memberId);
        if (member is null)
        {
            return BrokerError.UnknownMember;
        }

        return generation == Generation ? BrokerError.None : BrokerError.IllegalGeneration;
    }

    private void Remove(GroupMember member)
    {
        _members.Remove(member);
        if (_members.Count == 0)
        {
            Generation++;
            _isPreparing = false;
            return;
        }

        Prepare();
        CompleteIfAllJoined();
    }

    private void Prepare()
    {
        if (_isPreparing)
        {
            return;
        }

        _isPreparing = true;
        long round = ++_round;
        long patienceMs = 0;
        foreach (GroupMember member in _members)
        {
            member.HasJoined = false;
            patienceMs = Math.Max(patienceMs, member.Client.MaxPollIntervalMs);
        }

        World.Trace.Mix(Point.GroupRebalance, _number, Generation, _members.Count);
        Note($"rebalance of generation {Generation}");
        World.After(patienceMs, () => GiveUpOnMissing(round));
    }

    /// <summary>The rebalance time-out: who has not joined by then is thrown out; static members only by their session (onCompleteJoin).</summary>
    private void GiveUpOnMissing(long round)
    {
        if (!_isPreparing || round != _round)
        {
            return;
        }

        _members.RemoveAll(static member => !member.HasJoined && member.Client.InstanceId is null);
        if (_members.Count == 0)
        {
            Generation++;
            _isPreparing = false;
            return;
        }

        if (_members.Exists(static member => member.HasJoined))
        {
            Complete();
        }
    }

    private void CompleteIfAllJoined()
    {
        if (_isPreparing && _members.TrueForAll(static member => member.HasJoined))
        {
            Complete();
        }
    }

    private void Complete()
    {
        _isPreparing = false;
        Generation++;
        int partitions = _cluster.Topics.TryGetValue(Topic!, out ModelTopic? topic)
            ? topic.Logs.Count
            : 0;
        Assignor.Assign(_members, partitions, _cluster.Chance, _reshuffle);
        _reshuffle = false;
        World.Trace.Mix(Point.GroupSync, _number, Generation, _members.Count);
        foreach (GroupMember member in _members)
        {
            Note(
                $"generation {Generation}: {member.Id} gets [{string.Join(",", member.Assigned)}]"
            );
            member.HeartbeatMs = World.NowMs;
            long syncMs = Tell(member, Generation, [.. member.Assigned]);
            _completingUntilMs = Math.Max(_completingUntilMs, World.NowMs + (syncMs / 2));
        }
    }

    private long Tell(GroupMember member, int generation, int[] assignment)
    {
        IGroupClient client = member.Client;
        string id = member.Id;
        long joinMs = _cluster.Chance.Skewed(_cluster.Pace.JoinMs);
        long syncMs = joinMs + _cluster.Chance.Skewed(_cluster.Pace.JoinMs);
        World.After(joinMs, () => client.OnJoined(id, generation));
        World.After(syncMs, () => client.OnSynced(generation, assignment));
        return syncMs;
    }

    private GroupMember? Find(string memberId) => _members.Find(member => member.Id == memberId);

    private GroupMember? FindInstance(string? instanceId) =>
        instanceId is null ? null : _members.Find(member => member.Client.InstanceId == instanceId);

    private void Note(string what)
    {
        if (World.Trace.On)
        {
            World.Trace.Line(World.NowMs, "group", what);
        }
    }
}
