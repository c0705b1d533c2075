using Dedup.Simulation.Planting;
using Dedup.Simulation.Runs;
using Dedup.Simulation.Scenarios;
using Dedup.Topology.Proof;
using Shouldly;

namespace Dedup.Simulation.Tests;

public sealed class PlantedTests
{
    private static readonly bool IsLong = Environment.GetEnvironmentVariable("DEDUP_LONG") == "1";

    /// <summary>One of each part of the product; with --long all of them, 2,000 seeds each.</summary>
    private static readonly PlantedBug[] Sample =
    [
        PlantedBug.StoreBeforeCommit,
        PlantedBug.OverlayKeptAfterAbort,
        PlantedBug.ClockKeptAfterAbort,
        PlantedBug.UnknownIsSuccess,
        PlantedBug.UnknownIsFailure,
        PlantedBug.RestoreToLastStable,
        PlantedBug.HashKeyChanged,
        PlantedBug.SequenceUsedTwice,
        PlantedBug.BucketDroppedEarly,
        PlantedBug.SealedForgottenEarly,
        PlantedBug.QuotaKeptAfterAbort,
        PlantedBug.RestoreForgetsUsage,
        PlantedBug.ThrottledForEver,
        PlantedBug.PercentByKey,
        PlantedBug.TimeBucketChain,
        PlantedBug.ClockByRecordTime,
    ];

    [Fact]
    public void Planted_bugs_are_caught()
    {
        IReadOnlyList<PlantedBug> bugs = IsLong ? PlantedRuns.All : Sample;

        IReadOnlyList<PlantedResult> results = PlantedRuns.Run(
            bugs,
            IsLong ? 2_000 : 300,
            Environment.ProcessorCount
        );

        results
            .Where(static result => result.Catch is null)
            .Select(static result => result.Bug)
            .ShouldBeEmpty();
    }

    [Fact]
    public void At_least_forty_bugs_are_planted() =>
        PlantedRuns.All.Count.ShouldBeGreaterThanOrEqualTo(40);

    [Fact]
    public void A_failure_is_shrunk_and_reported_with_a_command_that_replays_it()
    {
        PlantedResult caught = PlantedRuns.Run(PlantedBug.RecordSkipped, 300);
        var report = new StringWriter();

        FailureReport.Write(caught.Catch!, new Overrides(), report, PlantedBug.RecordSkipped);

        string text = report.ToString();
        text.ShouldContain($"seed {caught.Catch!.Seed}: I2 broken");
        text.ShouldContain($"tests/simulate --seed {caught.Catch.Seed} --trace");
        // The 61st record is what it takes.
        var shrinker = new Shrinker(caught.Catch, new Overrides(), PlantedBug.RecordSkipped);
        shrinker.Shrink();
        shrinker.Result.Violation!.Invariant.ShouldBe("I2");
        shrinker.Result.Faults.ShouldBe(0);
        shrinker.Result.Records.ShouldBeLessThan(caught.Catch.Records + 1);
    }
}
