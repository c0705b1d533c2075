using System.Runtime.ExceptionServices;
using Dedup.Simulation.Broker;
using Dedup.Simulation.Faults;
using Dedup.Simulation.Worlds;
using Dedup.Topology.Ports;

namespace Dedup.Simulation.Clients;

/// <summary>
/// The group side, in the background (heartbeats, joins) for as long as the process lives; what the application hears of it is
/// served in Poll only, as in librdkafka.
/// </summary>
public sealed partial class ModelSource
{
    private readonly Queue<GroupOp> _ops = new();
    private readonly List<int> _owned = [];
    private IAssignmentListener? _listener;
    private string _memberId = "";
    private int _generation = -1;
    private int _assignmentGeneration = -1;
    private JoinState _join = JoinState.Out;
    private ExceptionDispatchInfo? _thrown;
    private long _lastPollMs;
    private bool _isClosed;
    private bool _isFenced;
    private bool _leaveWhenSteady;
    private long _deafUntilMs;

    private enum JoinState : byte
    {
        Out,
        Joining,
        Syncing,
        WaitingForApplication,
        Steady,
    }

    /// <inheritdoc/>
    public string? InstanceId => _options.InstanceId;

    /// <inheritdoc/>
    public int SessionTimeoutMs => _options.SessionTimeoutMs;

    /// <inheritdoc/>
    public int MaxPollIntervalMs => _options.MaxPollIntervalMs;

    private GroupCoordinator Group => _env.Cluster.Group(_options.Group);

    private bool IsGone => _isClosed || !_env.Actor.IsAlive;

    /// <inheritdoc/>
    public void Subscribe(IAssignmentListener listener)
    {
        _env.Enter(Point.SourceSubscribe);
        _listener = listener;
        _lastPollMs = World.NowMs;
        World.After(_env.Cluster.Chance.Skewed(_env.Cluster.Pace.JoinMs), Background);
    }

    /// <inheritdoc/>
    public void OnJoined(string memberId, int generation)
    {
        if (IsGone || _isFenced || _join != JoinState.Joining)
        {
            return;
        }

        _memberId = memberId;
        _generation = generation;
        _join = JoinState.Syncing;
    }

    /// <inheritdoc/>
    public void OnReplaced()
    {
        if (!IsGone && !_isFenced && _join == JoinState.Joining)
        {
            Fence();
        }
    }

    /// <inheritdoc/>
    public void OnSynced(int generation, IReadOnlyList<int> assignment)
    {
        if (IsGone || _join != JoinState.Syncing || generation != _generation)
        {
            return;
        }

        _assignmentGeneration = generation;
        _join = JoinState.WaitingForApplication;
        int[] revoked = [.. _owned.Where(p => !assignment.Contains(p))];
        int[] added = [.. assignment.Where(p => !_owned.Contains(p))];
        if (revoked.Length == 0)
        {
            _ops.Enqueue(new GroupOp(OpKind.Assign, added, Rejoin: false));
            return;
        }

        // rd_kafka_cgrp_handle_assignment_cooperative: first the revocation, then what was added (even if nothing), then a
        // new join, so that somebody else gets what was given up.
        _ops.Enqueue(new GroupOp(OpKind.Revoke, revoked, Rejoin: false));
        _ops.Enqueue(new GroupOp(OpKind.Assign, added, Rejoin: true));
    }

    /// <inheritdoc/>
    public GroupCoverage Coverage(int partitions)
    {
        _env.Enter(Point.SourceCoverage, partitions);
        return InstanceId is null ? GroupCoverage.Complete
            : _env.Faults.Happens(FaultKind.LookupPending) ? GroupCoverage.Unknown
            : Group.Coverage(partitions);
    }

    /// <summary>rd_kafka_unsubscribe and rd_kafka_subscribe: what is owned is revoked in the next poll, then LeaveGroup, then a join.</summary>
    public void Rejoin()
    {
        _env.Enter(Point.SourceRejoin);
        Group.Rejoins++;
        _leaveWhenSteady = true;
        LeaveIfSteady();
    }

    /// <summary>While a rebalance is under way librdkafka puts the unsubscription off until that is done.</summary>
    private void LeaveIfSteady()
    {
        if (_leaveWhenSteady && _join == JoinState.Steady)
        {
            _leaveWhenSteady = false;
            _join = JoinState.WaitingForApplication;
            _ops.Enqueue(new GroupOp(OpKind.Leave, [.. _owned], Rejoin: true));
        }
    }

    /// <inheritdoc/>
    public void Close()
    {
        _env.Enter(Point.SourceClose);
        if (_isClosed)
        {
            return;
        }

        if (_owned.Count > 0)
        {
            Run(
                new GroupOp(
                    _generation >= 0 ? OpKind.Revoke : OpKind.Lose,
                    [.. _owned],
                    Rejoin: false
                )
            );
        }

        // KIP-345: a static member does not send LeaveGroup; its place is kept until its session ends.
        if (InstanceId is null && _memberId.Length > 0)
        {
            Group.Leave(_memberId);
        }

        _isClosed = true;
        _env.Leave();
    }

    /// <summary>The client's own thread: beats, joins, and watches whether the application still polls.</summary>
    private void Background()
    {
        if (IsGone || _isFenced)
        {
            return;
        }

        World.After(_options.HeartbeatMs, Background);
        if (!_env.Actor.Process.IsRunning)
        {
            return;
        }

        if (_env.Faults.Happens(FaultKind.HeartbeatLoss))
        {
            _deafUntilMs =
                World.NowMs + _env.Faults.Chance.Between(1000, 2 * _options.SessionTimeoutMs);
        }

        if (World.NowMs < _deafUntilMs)
        {
            return;
        }

        if (World.NowMs - _lastPollMs > _options.MaxPollIntervalMs)
        {
            LeaveForSilence();
            return;
        }

        if (_memberId.Length > 0 || _join == JoinState.Steady)
        {
            Beat();
        }

        if (_join == JoinState.Out && _ops.Count == 0)
        {
            Join();
        }
    }

    /// <summary>max.poll.interval.ms exceeded: the client leaves by itself, the application hears of it in its next poll, and only that makes it join again.</summary>
    private void LeaveForSilence()
    {
        if (_memberId.Length > 0)
        {
            Group.Leave(_memberId);
            LoseAll();
        }
    }

    private void Beat()
    {
        switch (Group.Heartbeat(_memberId, _generation, InstanceId))
        {
            case BrokerError.RebalanceInProgress when _join == JoinState.Steady:
                if (_options.IsCooperative || _owned.Count == 0)
                {
                    Join();
                }
                else
                {
                    // Eager: everything is given up before the join.
                    _join = JoinState.WaitingForApplication;
                    _ops.Enqueue(new GroupOp(OpKind.Revoke, [.. _owned], Rejoin: true));
                }

                break;
            case BrokerError.IllegalGeneration when _join is JoinState.Joining or JoinState.Syncing:
                // The answer to our own join is on its way.
                break;
            case BrokerError.UnknownMember when _join == JoinState.WaitingForApplication:
                // rd_kafka_cgrp_revoke_all_rejoin_maybe: a rebalance is in progress, and goes on; only the name is gone.
                _memberId = "";
                break;
            case BrokerError.IllegalGeneration when _join == JoinState.WaitingForApplication:
                _generation = -1;
                break;
            case BrokerError.UnknownMember
                when _join == JoinState.Steady && _env.Cluster.Chance.Percent(50):
                // The answer to the beat before came late (the process was frozen) and said that a rebalance had begun: it is
                // in JoinGroup that the client hears that it is not known any more.
                JoinWhenUnknown();
                break;
            case BrokerError.UnknownMember:
                LoseAll();
                break;
            case BrokerError.IllegalGeneration:
                LoseAll();
                break;
            case BrokerError.FencedInstance:
                Fence();
                break;
            default:
                break;
        }
    }

    /// <summary>
    /// rd_kafka_cgrp_handle_JoinGroup (librdkafka 2.15.1): UNKNOWN_MEMBER_ID takes the member id and nothing else, and the join
    /// is tried again, with all that is owned. A dynamic member is then told to come with an id (MEMBER_ID_REQUIRED), and that
    /// takes its partitions; a static one is let in at once, keeps them, and its application hears nothing at all.
    /// </summary>
    private void JoinWhenUnknown()
    {
        if (InstanceId is null || !_options.IsCooperative)
        {
            LoseAll();
            return;
        }

        _memberId = "";
        _join = JoinState.Out;
    }

    private void Join()
    {
        BrokerError error = Group.Join(
            this,
            _options.Topic,
            _memberId,
            _assignmentGeneration,
            _owned
        );
        switch (error)
        {
            case BrokerError.None:
                _join = JoinState.Joining;
                break;
            case BrokerError.UnknownMember:
                JoinWhenUnknown();
                break;
            case BrokerError.FencedInstance:
                Fence();
                break;
            default:
                // Again at the next beat.
                break;
        }
    }

    /// <summary>
    /// Thrown out: member id and generation are gone at once (what the group metadata says from now on is no membership), the
    /// application hears that its partitions are lost in its next poll, and joins as a new member after that.
    /// </summary>
    private void LoseAll()
    {
        _memberId = "";
        _generation = -1;
        // Until the application has let go of them: a join in the middle of that would claim what is lost.
        _join = JoinState.WaitingForApplication;
        _leaveWhenSteady = false;
        _ops.Clear();
        _ops.Enqueue(new GroupOp(OpKind.Lose, [.. _owned], Rejoin: false));
    }

    /// <summary>FENCED_INSTANCE_ID is fatal for the client: somebody else uses its group.instance.id.</summary>
    private void Fence()
    {
        LoseAll();
        _isFenced = true;
        _ops.Enqueue(new GroupOp(OpKind.Fenced, [], Rejoin: false));
    }
}
