using System.Runtime.ExceptionServices;
using Dedup.Simulation.Worlds;
using Dedup.Topology.Ports;

namespace Dedup.Simulation.Clients;

/// <content>The application's side of the group: callbacks, served in Poll.</content>
public sealed partial class ModelSource
{
    private enum OpKind : byte
    {
        Assign,
        Revoke,
        Lose,
        Leave,
        Fenced,
    }

    private void ServeGroup()
    {
        while (_ops.TryDequeue(out GroupOp? op))
        {
            Run(op);
        }

        if (_thrown is { } thrown)
        {
            _thrown = null;
            thrown.Throw();
        }

        if (_join == JoinState.Out)
        {
            World.After(_env.Cluster.Chance.Skewed(_env.Cluster.Pace.JoinMs), JoinSoon);
        }
    }

    /// <summary>The application has done its part: the client joins at once, not at the next beat.</summary>
    private void JoinSoon()
    {
        bool isHeard = _env.Actor.Process.IsRunning && World.NowMs >= _deafUntilMs;
        if (!IsGone && !_isFenced && isHeard && _join == JoinState.Out && _ops.Count == 0)
        {
            Join();
        }
    }

    private void Run(GroupOp op)
    {
        switch (op.Kind)
        {
            case OpKind.Assign:
                Assigned(op.Partitions);
                if (_join == JoinState.WaitingForApplication)
                {
                    _join = op.Rejoin ? JoinState.Out : JoinState.Steady;
                    LeaveIfSteady();
                }

                break;
            case OpKind.Revoke:
                Revoke(op.Partitions);
                if (op.Rejoin)
                {
                    _join = JoinState.Out;
                }

                break;
            case OpKind.Leave:
                Revoke(op.Partitions);
                // Lost on the way, it leaves the place to whom joins next under the same instance id: this one.
                Group.Leave(_memberId);
                _memberId = "";
                _generation = -1;
                _join = JoinState.Out;
                break;
            case OpKind.Lose:
                // Some may have been revoked while this one waited.
                int[] lost = [.. op.Partitions.Where(_owned.Contains)];
                Note(Point.SourceLost, lost);
                if (lost.Length > 0)
                {
                    Tell(() => _listener!.OnLost(lost));
                }

                GiveUp(lost);
                _join = JoinState.Out;
                break;
            default:
                _listener!.OnFault(
                    SourceFault.Fenced,
                    -1,
                    $"group.instance.id {InstanceId} is used by another member"
                );
                break;
        }
    }

    private void Revoke(int[] partitions)
    {
        Note(Point.SourceRevoked, partitions);
        if (partitions.Length > 0)
        {
            Tell(() => _listener!.OnRevoked(partitions));
        }

        GiveUp(partitions);
    }

    /// <summary>What the listener throws comes out of the poll, after the client has done its part.</summary>
    private void Tell(Action tell)
    {
        try
        {
            tell();
        }
        catch (StoreFailedException e)
        {
            _thrown ??= ExceptionDispatchInfo.Capture(e);
        }
    }

    private void Assigned(int[] partitions)
    {
        Note(Point.SourceAssigned, partitions);
        foreach (int partition in partitions)
        {
            _owned.Add(partition);
            _fetches[partition] = new Fetch();
        }

        if (partitions.Length > 0)
        {
            _listener!.OnAssigned(partitions);
        }
    }

    private void GiveUp(int[] partitions)
    {
        foreach (int partition in partitions)
        {
            _owned.Remove(partition);
            _fetches.Remove(partition);
        }
    }

    private void Note(Point point, int[] partitions)
    {
        foreach (int partition in partitions)
        {
            World.Trace.Mix(point, _env.Actor.Id, partition, _generation);
        }

        if (World.Trace.On)
        {
            World.Trace.Line(
                World.NowMs,
                _env.Actor.Name,
                $"{point} [{string.Join(",", partitions)}] generation {_generation}"
            );
        }
    }

    private sealed record GroupOp(OpKind Kind, int[] Partitions, bool Rejoin);
}
