using Dedup.Simulation.Broker;
using Dedup.Simulation.Chance;
using Dedup.Simulation.Faults;
using Dedup.Simulation.Worlds;
using Dedup.Topology.Pipelines;

namespace Dedup.Simulation.Runs;

/// <summary>What happens to the cluster and to processes from outside, not at a port call: looked at twenty times a second.</summary>
internal sealed class Weather(SimulatedRun simulation)
{
    private const int EveryMs = 50;

    private World World => simulation.World;

    private Rng Chance => simulation.Faults.Chance;

    private ModelCluster Cluster => simulation.Cluster;

    public void Start() => World.After(EveryMs, Tick);

    private void Tick()
    {
        if (simulation.Faults.IsQuiet)
        {
            return;
        }

        World.After(EveryMs, Tick);
        TickBrokers();
        TickProcesses();
        TickLogs();
    }

    private void TickBrokers()
    {
        FaultPlan faults = simulation.Faults;
        GroupCoordinator group = Cluster.Group(AnyHop().Group);
        if (faults.Happens(FaultKind.TransactionCoordinatorMove))
        {
            Cluster.Transactions.UnavailableUntilMs = World.NowMs + OutageMs();
        }

        if (faults.Happens(FaultKind.GroupCoordinatorMove))
        {
            group.UnavailableUntilMs = World.NowMs + OutageMs();
        }

        if (faults.Happens(FaultKind.LeaderLoss))
        {
            AnyLog().UnavailableUntilMs = World.NowMs + OutageMs();
        }

        if (faults.Happens(FaultKind.Rebalance))
        {
            group.Disturb(reshuffle: Chance.Percent(70));
        }

        if (faults.Happens(FaultKind.SlowMarkers))
        {
            ClusterPace pace = Cluster.Pace;
            Cluster.Pace = pace with { MarkerMs = Chance.Between(100, 5_000) };
            World.After(
                Chance.Between(100, 5_000),
                () => Cluster.Pace = faults.IsQuiet ? Cluster.Pace : pace
            );
        }

        if (faults.Happens(FaultKind.SlowReplication))
        {
            ModelTopic topic = AnyLog().Topic;
            topic.ReplicationLagMs = Chance.Between(1, 500);
            World.After(Chance.Between(100, 5_000), () => topic.ReplicationLagMs = 0);
        }
    }

    private void TickProcesses()
    {
        FaultPlan faults = simulation.Faults;
        Instance instance = Chance.Pick(simulation.Instances);
        if (faults.Happens(FaultKind.Scale) && instance.IsUp)
        {
            instance.Stop();
        }

        if (faults.Happens(FaultKind.StaticDuplicate))
        {
            simulation.StartDouble(Chance.Between(500, 15_000));
        }

        if (faults.Happens(FaultKind.ClockJump) && instance.Process is { IsAlive: true } process)
        {
            process.WallOffsetMs = Chance.Percent(50) ? 0 : Chance.Between(-600_000L, 600_000L);
            simulation.WidestClockMs(process.WallOffsetMs);
        }
    }

    private void TickLogs()
    {
        FaultPlan faults = simulation.Faults;
        if (faults.Happens(FaultKind.Compaction))
        {
            ModelTopic changelog = Cluster.Topic(AnyHop().Changelog);
            ModelLog log = Chance.Pick(changelog.Logs);
            log.Compact(Chance.Between(0, log.EndOffset));
        }

        if (faults.Happens(FaultKind.Retention))
        {
            // Only what the group has committed: records deleted unread are another matter (the lane must fail then).
            ModelLog log = Chance.Pick(Cluster.Topic(simulation.Scenario.Spec.Input).Logs);
            GroupOffsets offsets = Cluster.Group(simulation.Scenario.Hops[0].Group).Offsets;
            if (offsets.Committed.TryGetValue(log.Partition, out long committed))
            {
                log.DeleteBefore(
                    Chance.Between(log.StartOffset, Math.Min(committed, log.LastStableOffset))
                );
            }
        }
    }

    /// <summary>Chance is asked only where there is a choice: the seeds of by-input stay as they are.</summary>
    private PipelineSpec AnyHop()
    {
        IReadOnlyList<PipelineSpec> hops = simulation.Scenario.Hops;
        return hops.Count == 1 ? hops[0] : Chance.Pick(hops);
    }

    private long OutageMs() =>
        Chance.OneIn(4) ? Chance.Between(500, 15_000) : Chance.Between(1, 500);

    private ModelLog AnyLog()
    {
        ModelTopic[] topics = [.. Cluster.Topics.Values];
        return Chance.Pick(Chance.Pick(topics).Logs);
    }
}
