using Dedup.Simulation.Broker;

namespace Dedup.Simulation.Runs;

/// <summary>Watches from outside whether every partition with records left goes on.</summary>
internal sealed class ProgressWatch
{
    private readonly SimulatedRun _run;
    private readonly long[] _begin;

    public ProgressWatch(SimulatedRun run)
    {
        _run = run;
        _begin = new long[Input.Logs.Count];
        for (int partition = 0; partition < _begin.Length; partition++)
        {
            _begin[partition] = Committed(partition);
        }
    }

    private ModelTopic Input => _run.Cluster.Topic(_run.Scenario.Spec.Input);

    /// <summary>Whether each partition has committed something since, or has nothing left.</summary>
    public bool HasResumed()
    {
        for (int partition = 0; partition < _begin.Length; partition++)
        {
            if (Committed(partition) <= _begin[partition] && IsLagging(partition))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Whether the group has committed behind the last record of every partition, and no transaction is pending.</summary>
    public bool IsAllConsumed()
    {
        if (_run.Cluster.Transactions.AnyPending)
        {
            return false;
        }

        for (int partition = 0; partition < _begin.Length; partition++)
        {
            if (IsLagging(partition))
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
        for (int partition = 0; partition < _begin.Length; partition++)
        {
            if (IsLagging(partition))
            {
                stuck.Add(
                    $"partition {partition} stands at {Committed(partition)}, {Input.Logs[partition].Bounds}"
                );
            }
        }

        return stuck.Count == 0 ? "a transaction is pending" : string.Join("; ", stuck);
    }

    private bool IsLagging(int partition) =>
        Committed(partition) <= LastRecord(Input.Logs[partition]);

    private long Committed(int partition) =>
        _run
            .Cluster.Group(_run.Scenario.Spec.Group)
            .Offsets.Committed.TryGetValue(partition, out long offset)
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
