using Dedup.Simulation.Broker;
using Dedup.Topology.Pipelines;

namespace Dedup.Simulation.Runs;

/// <summary>Watches from outside whether every partition with records left goes on, in each hop.</summary>
internal sealed class ProgressWatch
{
    private readonly SimulatedRun _run;
    private readonly (PipelineSpec Hop, int Partition, long Begin)[] _watched;

    public ProgressWatch(SimulatedRun run)
    {
        _run = run;
        _watched =
        [
            .. run.Scenario.Hops.SelectMany(hop =>
                Enumerable
                    .Range(0, run.Cluster.Topic(hop.Reads).Logs.Count)
                    .Select(p => (hop, p, Committed(hop, p)))
            ),
        ];
    }

    /// <summary>Whether each partition has committed something since, or has nothing left.</summary>
    public bool HasResumed()
    {
        foreach ((PipelineSpec hop, int partition, long begin) in _watched)
        {
            if (Committed(hop, partition) <= begin && IsLagging(hop, partition))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Whether each group has committed behind the last record of every partition, and no transaction is pending.</summary>
    public bool IsAllConsumed()
    {
        if (_run.Cluster.Transactions.AnyPending)
        {
            return false;
        }

        foreach ((PipelineSpec hop, int partition, _) in _watched)
        {
            if (IsLagging(hop, partition))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>For the report.</summary>
    public string WhatIsStuck()
    {
        var stuck = new List<string>();
        foreach ((PipelineSpec hop, int partition, _) in _watched)
        {
            if (IsLagging(hop, partition))
            {
                stuck.Add(
                    $"{hop.Reads}-{partition} stands at {Committed(hop, partition)}, {LogOf(hop, partition).Bounds}"
                );
            }
        }

        return stuck.Count == 0 ? "a transaction is pending" : string.Join("; ", stuck);
    }

    private ModelLog LogOf(PipelineSpec hop, int partition) =>
        _run.Cluster.Topic(hop.Reads).Logs[partition];

    private bool IsLagging(PipelineSpec hop, int partition) =>
        Committed(hop, partition) <= LastRecord(LogOf(hop, partition));

    private long Committed(PipelineSpec hop, int partition) =>
        _run.Cluster.Group(hop.Group).Offsets.Committed.TryGetValue(partition, out long offset)
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
