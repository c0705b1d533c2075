using Dedup.Simulation.Broker;
using Dedup.Simulation.Faults;
using Dedup.Topology.Ports;

namespace Dedup.Simulation.Clients;

/// <summary>Questions that several ports ask in the same way.</summary>
internal static class Lookups
{
    /// <summary>ListOffsets for earliest and latest, with both isolation levels. Out of reach: Pending once the time is up.</summary>
    public static BoundsLookup Bounds(
        ClientEnvironment env,
        string topic,
        int partition,
        int timeoutMs
    )
    {
        if (env.Cluster.Log(topic, partition) is not { } log)
        {
            // A partition that is not there yet is waited for: topics grow while pipelines run.
            return new BoundsLookup(
                LookupStatus.Pending,
                default,
                $"{topic}/{partition} does not exist"
            );
        }

        long deadlineMs = env.World.NowMs + timeoutMs;
        if (
            !env.WaitFor(log.UnavailableUntilMs, deadlineMs)
            || env.Faults.Happens(FaultKind.LookupPending)
        )
        {
            return new BoundsLookup(LookupStatus.Pending, default, "no leader");
        }

        // Three requests, not one: the ends may move in between, the stable one is asked for before the high one.
        LogBounds before = log.Bounds;
        env.World.Interleave(env.Actor);
        LogBounds bounds = before with { High = log.HighWatermark };
        env.World.Interleave(env.Actor);
        env.Leave();
        return new BoundsLookup(LookupStatus.Found, bounds, null);
    }
}
