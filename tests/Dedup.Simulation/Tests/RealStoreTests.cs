using Dedup.Simulation.Disk;
using Dedup.Simulation.Planting;
using Dedup.Simulation.Runs;
using Dedup.Simulation.Scenarios;
using Dedup.Topology.Proof;
using Shouldly;

namespace Dedup.Simulation.Tests;

/// <summary>The same seeds with the product's store on a real disk instead of the model's.</summary>
public sealed class RealStoreTests
{
    private static readonly bool IsLong = Environment.GetEnvironmentVariable("DEDUP_LONG") == "1";

    /// <summary>A seed takes fifty times as long as with the model: a store is opened, synced, and copied dozens of times.</summary>
    private static readonly int Seeds = IsLong ? 2_000 : 100;

    private const int MaxPlantedSeeds = 400;

    [Fact]
    public void All_invariants_hold_with_the_real_store()
    {
        using var root = new StateRoot();
        var batch = new SeedBatch(1, Seeds, Environment.ProcessorCount) { StateRoot = root.Path };

        IReadOnlyList<RunResult> failures = batch.Run();

        failures
            .Select(static f => $"{f.Seed}: {f.Violation!.Invariant}: {f.Violation.What}")
            .ShouldBeEmpty();
        batch.Done.ShouldBe(Seeds);
        Directory.EnumerateFileSystemEntries(root.Path).ShouldBeEmpty();
    }

    /// <summary>What lies on disk after a death is really looked at: a seal that was torn, entries that are missing.</summary>
    [Theory]
    [InlineData(PlantedBug.StoreNotTold)]
    [InlineData(PlantedBug.ReplaySealsTooHigh)]
    [InlineData(PlantedBug.FloorBeforeBuckets)]
    public void Planted_bugs_of_the_real_store_are_caught(PlantedBug bug)
    {
        using var root = new StateRoot();

        PlantedResult result = PlantedRuns.Run(bug, MaxPlantedSeeds, root.Path);

        result.Catch.ShouldNotBeNull();
        result.Catch.Violation!.Invariant.ShouldBe("I5", result.Catch.Violation.What);
    }

    /// <summary>The worker is a thread of its own; that it goes on only when it is told to is what makes a seed mean anything.</summary>
    [Fact]
    public void The_same_seed_gives_the_same_run_with_the_real_store()
    {
        using var root = new StateRoot();
        for (ulong seed = 1; seed <= 5; seed++)
        {
            ulong first = SimulatedRun.Run(Scenario.Of(seed), stateRoot: root.Path).TraceHash;

            SimulatedRun
                .Run(Scenario.Of(seed), stateRoot: root.Path)
                .TraceHash.ShouldBe(first, $"seed {seed}");
        }
    }
}
