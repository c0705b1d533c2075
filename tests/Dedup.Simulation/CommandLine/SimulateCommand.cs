using System.Diagnostics;
using Dedup.Simulation.Disk;
using Dedup.Simulation.Planting;
using Dedup.Simulation.Runs;
using Dedup.Simulation.Scenarios;
using Dedup.Topology.Pipelines;
using Dedup.Topology.Proof;

namespace Dedup.Simulation.CommandLine;

/// <summary><c>tests/simulate</c>.</summary>
internal static class SimulateCommand
{
    public static int Run(string[] args, TextWriter output, TextWriter errors)
    {
        if (args.Contains("--help"))
        {
            output.WriteLine(SimulateOptions.Help);
            return 0;
        }

        SimulateOptions? options = SimulateOptions.Parse(args, out string? error);
        if (options is null)
        {
            errors.WriteLine(error);
            return 2;
        }

        PlantedBug bug = PlantedBug.None;
        if (
            options.Bug is not null
            && (!Enum.TryParse(options.Bug, ignoreCase: true, out bug) || bug == PlantedBug.None)
        )
        {
            errors.WriteLine(
                $"--bug {options.Bug}: unknown; known are {string.Join(", ", PlantedRuns.All)}"
            );
            return 2;
        }

        using StateRoot? root = options.RealStore ? new StateRoot() : null;
        if (options.Seed is { } seed)
        {
            return RunOne(seed, bug, options, root?.Path, output);
        }

        if (options.Planted)
        {
            return RunPlanted(bug, options, output);
        }

        return RunMany(options, root?.Path, output);
    }

    private static int RunOne(
        ulong seed,
        PlantedBug bug,
        SimulateOptions options,
        string? stateRoot,
        TextWriter output
    )
    {
        Scenario scenario = Scenario.Of(seed, options.Overrides);
        RunResult result = SimulatedRun.Run(
            scenario,
            options.Trace ? output : null,
            bug,
            stateRoot
        );
        output.WriteLine(
            $"seed {seed}: {scenario.Processes} processes, {scenario.Lanes} lanes, {scenario.Partitions} partitions, {result.Records} records, {result.Commits} commits, {result.Steps} steps, {result.WorldMs} ms, {result.Faults} faults, quiet {result.QuietMs} ms, trace {result.TraceHash:x16}"
        );
        PipelineSpec spec = scenario.Spec;
        output.WriteLine(
            $"pipeline: id {spec.Recipe.Text}, windows {string.Join(" ", spec.Windows.Select(static w => $"{w.WindowMs}+{w.GraceMs}"))}, late {spec.Late}, refresh {spec.Refresh}, conflict {spec.Conflict}, mode {spec.Mode.Kind} {spec.Mode.Percent}{string.Concat(scenario.ModeChanges.Select(static c => $", then {c.Mode.Kind} {c.Mode.Percent}"))}, time {spec.Time.Payload?.Path.Text ?? "record"}, headers {spec.Headers}, duplicates {spec.Duplicates ?? "dropped"}"
        );
        if (result.Violation is null)
        {
            output.WriteLine("all invariants held");
            return 0;
        }

        output.WriteLine($"{result.Violation.Invariant} broken: {result.Violation.What}");
        if (!options.Trace && stateRoot is null)
        {
            FailureReport.Write(result, options.Overrides, output, bug);
        }

        return 1;
    }

    private static int RunPlanted(PlantedBug only, SimulateOptions options, TextWriter output)
    {
        IReadOnlyList<PlantedBug> bugs = only == PlantedBug.None ? PlantedRuns.All : [only];
        int seeds = options.HasSeeds ? (int)Math.Min(options.Seeds, 1_000_000) : 2_000;
        IReadOnlyList<PlantedResult> results = PlantedRuns.Run(bugs, seeds, options.Threads);
        int missed = 0;
        foreach (PlantedResult result in results)
        {
            missed += result.Catch is null ? 1 : 0;
            string how = result.Catch is null
                ? $"NOT CAUGHT in {result.Seeds} seeds"
                : $"caught by {result.Catch.Violation!.Invariant, -9} after {result.Seeds, 4} seeds";
            output.WriteLine($"{result.Bug, -26} {how}");
        }

        output.WriteLine(
            $"{bugs.Count - missed} of {bugs.Count} planted bugs caught, at most {seeds} seeds each"
        );
        return missed == 0 ? 0 : 1;
    }

    private static int RunMany(SimulateOptions options, string? stateRoot, TextWriter output)
    {
        var batch = new SeedBatch(options.From, options.Seeds, options.Threads)
        {
            Deadline = options.Minutes > 0 ? TimeSpan.FromMinutes(options.Minutes) : null,
            IsEndless = options.Minutes > 0 && !options.HasSeeds,
            Progress = output,
            Log = options.Log,
            Overrides = options.Overrides,
            StateRoot = stateRoot,
        };
        var watch = Stopwatch.StartNew();
        IReadOnlyList<RunResult> failures = batch.Run();
        double rate = batch.Done / watch.Elapsed.TotalMinutes;
        output.WriteLine(
            $"{batch.Done} seeds from {options.From} in {watch.Elapsed.TotalSeconds:F1} s ({rate:F0} a minute), {batch.Records} records, {batch.Commits} commits, {batch.Faults} faults, {failures.Count} failed; longest quiet phase {batch.LongestQuietMs} ms, in {batch.Rejoined} a lane joined again since partitions belonged to nobody"
        );
        foreach (RunResult failure in stateRoot is null ? failures : [])
        {
            FailureReport.Write(failure, options.Overrides, output);
        }

        return failures.Count == 0 ? 0 : 1;
    }
}
