using Dedup.Simulation.Broker;
using Dedup.Simulation.Disk;
using Dedup.Simulation.Runs;

namespace Dedup.Simulation.Checkers;

/// <summary>Reads what an outsider can read, and compares it with the invariants.</summary>
public sealed class Auditor
{
    private readonly SimulatedRun _simulation;

    /// <summary>Makes the auditor of a run.</summary>
    public Auditor(SimulatedRun simulation) => _simulation = simulation;

    private ModelCluster Cluster => _simulation.Cluster;

    private ModelTopic Input => Cluster.Topic(_simulation.Scenario.Spec.Input);

    /// <summary>I5 for what a process leaves on disk.</summary>
    public void CheckDisk(ModelDisk disk, string when)
    {
        try
        {
            foreach ((int partition, StoreFiles files) in disk.Stores)
            {
                new StoreChecker(_simulation, partition).Check(files, when);
            }
        }
        catch (ViolationException e)
        {
            _simulation.Break(e.Violation);
        }
    }

    /// <summary>All invariants, once everything has come to rest.</summary>
    public void CheckAll()
    {
        try
        {
            for (int partition = 0; partition < Input.Logs.Count; partition++)
            {
                new PartitionChecker(_simulation, partition).Check();
                new StoreChecker(_simulation, partition).CheckCompacted();
            }
        }
        catch (ViolationException e)
        {
            _simulation.Break(e.Violation);
        }
    }

    /// <summary>Whether the group has committed behind the last record of every input partition, and no transaction is pending.</summary>
    public bool IsAllConsumed() => !Cluster.Transactions.AnyPending && Lagging() < 0;

    /// <summary>For the report of I6.</summary>
    public string WhatIsLeft()
    {
        int partition = Lagging();
        if (partition < 0)
        {
            return "a transaction is pending";
        }

        long committed = Committed(partition);
        return $"partition {partition} stands at {committed} of {Input.Logs[partition].Bounds}";
    }

    private int Lagging()
    {
        for (int partition = 0; partition < Input.Logs.Count; partition++)
        {
            if (Committed(partition) <= LastRecord(Input.Logs[partition]))
            {
                return partition;
            }
        }

        return -1;
    }

    private long Committed(int partition) =>
        Cluster.Group(_simulation.Scenario.Spec.Group).Offsets.Committed.TryGetValue(partition, out long offset)
            ? offset
            : -1;

    private static long LastRecord(ModelLog log)
    {
        for (int i = log.Archive.Count - 1; i >= 0; i--)
        {
            if (log.Archive[i].IsVisible)
            {
                return log.Archive[i].Offset;
            }
        }

        return -1;
    }
}
