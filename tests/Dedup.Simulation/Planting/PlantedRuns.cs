using Dedup.Simulation.Runs;
using Dedup.Simulation.Scenarios;
using Dedup.Topology.Proof;

namespace Dedup.Simulation.Planting;

/// <summary>How a planted bug fared.</summary>
/// <param name="Bug">The bug.</param>
/// <param name="Seeds">Seeds run, the one that caught it included.</param>
/// <param name="Catch">The run that caught it; null when none did.</param>
public sealed record PlantedResult(PlantedBug Bug, int Seeds, RunResult? Catch);

/// <summary>
/// Runs seeds with a bug in the product until an invariant breaks. A checker that catches nothing is worth nothing.
/// </summary>
public static class PlantedRuns
{
    /// <summary>All bugs.</summary>
    public static IReadOnlyList<PlantedBug> All { get; } =
    [.. Enum.GetValues<PlantedBug>().Where(static bug => bug != PlantedBug.None)];

    /// <summary>Bugs that only the second hop of by-id can have.</summary>
    public static bool IsOfById(PlantedBug bug) =>
        bug is PlantedBug.QuotaBySource or PlantedBug.ExpiredByOwnClock;

    /// <summary>Runs one bug on the seeds 1, 2, 3, …; with the real store when there is a directory for it.</summary>
    public static PlantedResult Run(PlantedBug bug, int maxSeeds, string? stateRoot = null)
    {
        var overrides = new Overrides { ById = IsOfById(bug) };
        for (int seed = 1; seed <= maxSeeds; seed++)
        {
            Scenario scenario = Scenario.Of((ulong)seed, overrides);
            RunResult result = SimulatedRun.Run(scenario, bug: bug, stateRoot: stateRoot);
            // The same seed without the bug has to be sound: else it is not the planted bug that was caught.
            if (
                result.Violation is not null
                && SimulatedRun.Run(scenario, stateRoot: stateRoot).Violation is null
            )
            {
                return new PlantedResult(bug, seed, result);
            }
        }

        return new PlantedResult(bug, maxSeeds, null);
    }

    /// <summary>Runs many bugs on several threads; results in order of the bugs.</summary>
    public static IReadOnlyList<PlantedResult> Run(
        IReadOnlyList<PlantedBug> bugs,
        int maxSeeds,
        int threads
    )
    {
        var results = new PlantedResult[bugs.Count];
        int next = -1;
        var workers = new Thread[threads];
        for (int i = 0; i < threads; i++)
        {
            workers[i] = new Thread(() =>
            {
                int index;
                while ((index = Interlocked.Increment(ref next)) < bugs.Count)
                {
                    results[index] = Run(bugs[index], maxSeeds);
                }
            });
            workers[i].Start();
        }

        foreach (Thread worker in workers)
        {
            worker.Join();
        }

        return results;
    }
}
