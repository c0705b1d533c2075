using Dedup.Simulation.Broker;
using Dedup.Simulation.Worlds;
using Dedup.Topology.Pipelines;

namespace Dedup.Simulation.Runs;

/// <content>What comes after the storm: an end of all faults, the rest of the input, an orderly stop.</content>
public sealed partial class SimulatedRun
{
    /// <summary>
    /// I6: after faults end, progress resumes in every partition within max(session time-out, time to fence the dead) +
    /// restore + 10 s. Time to fence the dead is at most transaction time-out + sweep + markers that are still on their way;
    /// 10 s are given to the restore. Then all of the rest has to be consumed, too.
    /// </summary>
    private void Quiet()
    {
        World.RunUntil(
            World.NowMs + 600_000,
            () => _workload.IsDone || _violation is not null,
            MaxSteps
        );
        EndFaults();
        _workload.WriteToAll();
        long fenceMs = Scenario.TransactionTimeoutMs + Scenario.Pace.TransactionSweepMs + 5_000;
        long begunMs = World.NowMs;
        long boundMs =
            Math.Max(Scenario.SessionTimeoutMs, fenceMs) + (4L * Scenario.Pace.JoinMs) + 20_000;
        var progress = new ProgressWatch(this);
        World.RunUntil(
            begunMs + boundMs,
            () => _violation is not null || (World.Steps % 16 == 0 && progress.HasResumed()),
            MaxSteps
        );
        _quietMs = World.NowMs - begunMs;
        if (_violation is null && !progress.HasResumed())
        {
            string what =
                $"{_quietMs} ms after the last fault (bound {boundMs} ms) nothing goes on: {progress.WhatIsStuck()}";
            Break(new Violation("I6", what));
        }

        World.RunUntil(
            World.NowMs + 3_600_000,
            () => _violation is not null || (World.Steps % 16 == 0 && progress.IsAllConsumed()),
            MaxSteps
        );
        if (_violation is null && !progress.IsAllConsumed())
        {
            Break(
                new Violation(
                    "I6",
                    $"not all input is consumed in the end: {progress.WhatIsStuck()}"
                )
            );
        }
    }

    private void EndFaults()
    {
        Faults.IsQuiet = true;
        World.IsNesting = false;
        World.Trace.Mix(Point.Phase, 1);
        Note("PHASE", "quiet");
        foreach (Instance started in _doubles)
        {
            started.IsWanted = false;
            started.Kill("the double is taken away");
        }

        Cluster.Pace = Scenario.Pace with { MarkerMs = Math.Min(Scenario.Pace.MarkerMs, 20) };
        Cluster.Transactions.UnavailableUntilMs = 0;
        foreach (PipelineSpec hop in Scenario.Hops)
        {
            Cluster.Group(hop.Group).UnavailableUntilMs = 0;
        }

        foreach (ModelTopic topic in Cluster.Topics.Values)
        {
            topic.ReplicationLagMs = 0;
            foreach (ModelLog log in topic.Logs)
            {
                log.UnavailableUntilMs = Math.Min(log.UnavailableUntilMs, World.NowMs);
            }
        }

        foreach (Instance instance in _instances)
        {
            if (instance.Process is { } process)
            {
                process.FrozenUntilMs = Math.Min(process.FrozenUntilMs, World.NowMs);
                process.WallOffsetMs = 0;
            }

            instance.Start();
        }
    }

    /// <summary>SIGTERM for all: they end in order within 10 s and a few time-outs.</summary>
    public void StopAll()
    {
        World.Trace.Mix(Point.Phase, 2);
        Note("PHASE", "stop");
        foreach (Instance instance in _instances)
        {
            instance.IsWanted = false;
            instance.Stop();
        }

        World.RunUntil(
            World.NowMs + 60_000,
            () =>
                _violation is not null || _instances.TrueForAll(static instance => !instance.IsUp),
            MaxSteps
        );
        if (_violation is null && _instances.Exists(static instance => instance.IsUp))
        {
            Break(new Violation("I6", "a process did not stop within 60 s of being asked to"));
        }

        // The markers of the last transactions are still being written.
        World.RunUntil(World.NowMs + 60_000, () => !Cluster.Transactions.AnyPending, MaxSteps);
    }
}
