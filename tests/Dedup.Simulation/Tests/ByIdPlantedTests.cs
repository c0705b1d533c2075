using Dedup.Simulation.Runs;
using Dedup.Simulation.Scenarios;
using Dedup.Topology.Proof;
using Shouldly;

namespace Dedup.Simulation.Tests;

/// <summary>The checkers of by-id are worth something: faults that both hops share with by-input are caught in their world as well.</summary>
public sealed class ByIdPlantedTests
{
    private const ulong MaxSeeds = 400;

    [Theory]
    [InlineData(PlantedBug.ClockKeptAfterAbort)]
    [InlineData(PlantedBug.RebuildForgetsClocks)]
    [InlineData(PlantedBug.OverlayKeptAfterAbort)]
    [InlineData(PlantedBug.StoreBeforeCommit)]
    [InlineData(PlantedBug.StoreNotTold)]
    [InlineData(PlantedBug.NoRewindAfterAbort)]
    [InlineData(PlantedBug.OffsetsNotSent)]
    [InlineData(PlantedBug.UnknownIsFailure)]
    [InlineData(PlantedBug.RecordSkipped)]
    [InlineData(PlantedBug.SwappedRecords)]
    [InlineData(PlantedBug.LateOneEarly)]
    [InlineData(PlantedBug.BucketDroppedEarly)]
    [InlineData(PlantedBug.QuotaBySource)]
    [InlineData(PlantedBug.ExpiredByOwnClock)]
    [InlineData(PlantedBug.QuotaKeptAfterAbort)]
    [InlineData(PlantedBug.RestoreForgetsUsage)]
    [InlineData(PlantedBug.HeldNeverExpires)]
    [InlineData(PlantedBug.ThrottledForEver)]
    public void A_planted_bug_is_caught_in_the_world_of_by_id(PlantedBug bug)
    {
        var byId = new Overrides { ById = true };
        for (ulong seed = 1; seed <= MaxSeeds; seed++)
        {
            if (SimulatedRun.Run(Scenario.Of(seed, byId), bug: bug).Violation is not null)
            {
                return;
            }
        }

        Assert.Fail($"{bug} was not caught in {MaxSeeds} seeds");
    }
}
