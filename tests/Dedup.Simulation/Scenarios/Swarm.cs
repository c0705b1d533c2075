using Dedup.Simulation.Chance;
using Dedup.Simulation.Faults;

namespace Dedup.Simulation.Scenarios;

/// <summary>Draws which faults are on, and how often they happen.</summary>
internal static class Swarm
{
    /// <summary>For each kind: most and fewest opportunities between two of them. Frequent opportunities have large numbers.</summary>
    private static readonly (FaultKind Kind, int Often, int Seldom)[] Ranges =
    [
        (FaultKind.Crash, 400, 20_000),
        (FaultKind.Freeze, 1_500, 30_000),
        (FaultKind.HeartbeatLoss, 20, 400),
        (FaultKind.EndTxnLost, 5, 200),
        (FaultKind.EndTxnLate, 5, 200),
        (FaultKind.EndTxnAnswerLost, 5, 200),
        (FaultKind.EndTxnRepeated, 3, 100),
        (FaultKind.ProduceLate, 1, 4),
        (FaultKind.Retriable, 3, 100),
        (FaultKind.TransactionCoordinatorMove, 20, 400),
        (FaultKind.GroupCoordinatorMove, 20, 400),
        (FaultKind.LeaderLoss, 20, 400),
        (FaultKind.Rebalance, 10, 300),
        (FaultKind.Scale, 30, 600),
        (FaultKind.StaticDuplicate, 60, 800),
        (FaultKind.Abortable, 5, 200),
        (FaultKind.FatalProducer, 60, 2_000),
        (FaultKind.DiskLost, 1, 6),
        (FaultKind.DiskCorrupt, 2, 30),
        (FaultKind.DiskFull, 1_000, 30_000),
        (FaultKind.DiskLocked, 1, 20),
        (FaultKind.ClockJump, 20, 400),
        (FaultKind.SlowMarkers, 20, 300),
        (FaultKind.SlowReplication, 20, 300),
        (FaultKind.Compaction, 5, 200),
        (FaultKind.Retention, 10, 200),
        (FaultKind.FencerFails, 2, 30),
        (FaultKind.LookupPending, 3, 100),
        (FaultKind.SlowFetch, 2, 50),
        (FaultKind.TransientSourceFault, 50, 2_000),
        (FaultKind.DiskBlockCorrupt, 200, 5_000),
        (FaultKind.SeekFails, 20, 500),
    ];

    public static IReadOnlyList<(FaultKind Kind, int OneIn)> Draw(Rng rng, Overrides overrides)
    {
        // One seed in twelve has no faults at all: the plain path deserves a check, too.
        int percent = rng.OneIn(12) ? 0 : rng.Between(10, 70);
        var drawn = new List<(FaultKind, int)>();
        foreach ((FaultKind kind, int often, int seldom) in Ranges)
        {
            bool on = rng.Percent(percent);
            int oneIn = often + rng.Skewed(seldom - often);
            if (on && !overrides.Without.Contains(kind))
            {
                drawn.Add((kind, oneIn));
            }
        }

        return drawn;
    }
}
