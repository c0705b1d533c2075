using Dedup.Simulation.Broker;
using Dedup.Simulation.Chance;

namespace Dedup.Simulation.Runs;

/// <summary>What an operator may do to topics, offsets, and disks while nothing runs.</summary>
internal enum Sabotage
{
    /// <summary>Nothing: a restart.</summary>
    None,

    /// <summary>All state directories are gone.</summary>
    DisksLost,

    /// <summary>State directories hold the state of another pipeline.</summary>
    DisksForeign,

    /// <summary>The group's offset of a partition was deleted; the marker still says where to go on.</summary>
    OffsetForgotten,

    /// <summary>Partitions are added, first to the input, later to the rest.</summary>
    Growth,

    /// <summary>The group's offset of a partition was moved forward.</summary>
    OffsetForward,

    /// <summary>The group's offset of a partition was moved back.</summary>
    OffsetBack,

    /// <summary>Records were deleted before they were read.</summary>
    DeletedUnread,

    /// <summary>The input topic was deleted and made anew.</summary>
    InputAnew,

    /// <summary>The changelog was deleted and made anew.</summary>
    ChangelogAnew,

    /// <summary>Number of kinds.</summary>
    Count,
}

/// <summary>
/// After the run, for some seeds: everything stands still, something is done to it, more records come, and all is started
/// again. Either it goes on as if nothing had been, or it refuses, with the numbers, and touches nothing.
/// </summary>
internal sealed class Aftermath
{
    private readonly SimulatedRun _run;
    private readonly Rng _rng;
    private readonly int _partition;

    public Aftermath(SimulatedRun run)
    {
        _run = run;
        _rng = Rng.For(run.Scenario.Seed, 0xAF7E2);
        _partition = _rng.Below(Input.Logs.Count);
    }

    private ModelTopic Input => _run.Cluster.Topic(_run.Scenario.Spec.Input);

    private GroupOffsets Offsets => _run.Cluster.Group(_run.Scenario.Spec.Group).Offsets;

    private long Committed => Offsets.Committed.GetValueOrDefault(_partition, -1);

    public void Run()
    {
        if (!_rng.OneIn(6) || Committed < 1)
        {
            return;
        }

        var sabotage = (Sabotage)_rng.Below((int)Sabotage.Count);
        _run.Note("PHASE", $"aftermath: {sabotage} of partition {_partition}");
        bool mustRefuse = Apply(sabotage);
        _run.ExpectRefusal(mustRefuse);
        _run.StartAll();
        if (mustRefuse)
        {
            ExpectRefusal(sabotage);
            return;
        }

        if (sabotage == Sabotage.Growth)
        {
            Grow();
        }

        var progress = new ProgressWatch(_run);
        Until(progress.IsAllConsumed);
        if (!_run.IsBroken && !progress.IsAllConsumed())
        {
            _run.Break(new Violation("I6", $"after {sabotage}: {progress.WhatIsStuck()}"));
        }

        if (!_run.IsBroken)
        {
            _run.StopAll();
        }

        if (!_run.IsBroken)
        {
            _run.CheckAll();
        }
    }

    /// <summary>Does it; true when nothing may start on it.</summary>
    private bool Apply(Sabotage sabotage)
    {
        _run.Workload.WriteMore(_partition, _rng.Between(2, 20));
        switch (sabotage)
        {
            case Sabotage.DisksLost:
                foreach (Instance instance in _run.Instances)
                {
                    instance.Disk.Lose();
                }

                return false;
            case Sabotage.DisksForeign:
                foreach (Instance instance in _run.Instances)
                {
                    instance.Disk.MakeForeign();
                }

                return false;
            case Sabotage.OffsetForgotten:
                Offsets.Forget(_partition);
                return false;
            case Sabotage.OffsetForward:
                Offsets.Set(_partition, Committed + _rng.Between(1, 2));
                return true;
            case Sabotage.OffsetBack:
                Offsets.Set(_partition, _rng.Between(0, Committed - 1));
                return true;
            case Sabotage.DeletedUnread:
                Input.Logs[_partition].DeleteBefore(Committed + _rng.Between(1, 2));
                return true;
            case Sabotage.InputAnew:
                _run.Cluster.MakeTopic(Input.Name, Input.Logs.Count);
                _run.LookAtInputAgain();
                _run.Workload.WriteMore(_partition, _rng.Between(1, 5));
                return true;
            case Sabotage.ChangelogAnew:
                _run.Cluster.MakeTopic(_run.Scenario.Spec.Changelog, Input.Logs.Count);
                return true;
            default:
                return false;
        }
    }

    /// <summary>The input grows; nothing stops; the new partition is consumed once the other topics have grown, too.</summary>
    private void Grow()
    {
        _run.World.RunUntil(_run.World.NowMs + _rng.Between(0, 3_000), () => _run.IsBroken);
        int partitions = Input.Logs.Count + 1;
        Input.Grow(partitions);
        _run.Workload.WriteMore(partitions - 1, _rng.Between(1, 10));
        _run.Cluster.Group(_run.Scenario.Spec.Group).Disturb(reshuffle: false);
        _run.World.RunUntil(_run.World.NowMs + _rng.Between(0, 5_000), () => _run.IsBroken);
        foreach (ModelTopic topic in _run.Cluster.Topics.Values)
        {
            topic.Grow(partitions);
        }
    }

    private void ExpectRefusal(Sabotage sabotage)
    {
        long before = Offsets.History.Count;
        Until(() => _run.LastFailure is not null);
        if (_run.IsBroken)
        {
            return;
        }

        if (_run.LastFailure is not { } failure)
        {
            _run.Break(
                new Violation(
                    "Refusal",
                    $"after {sabotage} of partition {_partition} no lane refused to go on"
                )
            );
            return;
        }

        for (int i = (int)before; i < Offsets.History.Count; i++)
        {
            OffsetChange change = Offsets.History[i];
            if (change.Partition == _partition)
            {
                string what =
                    $"after {sabotage} of partition {_partition} offset {change.Offset} was committed ({failure})";
                _run.Break(new Violation("Refusal", what));
                return;
            }
        }
    }

    private void Until(Func<bool> done)
    {
        _run.World.RunUntil(
            _run.World.NowMs + 600_000,
            () => _run.IsBroken || (_run.World.Steps % 8 == 0 && done()),
            200_000
        );
    }
}
