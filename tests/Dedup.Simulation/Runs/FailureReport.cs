using Dedup.Simulation.Faults;
using Dedup.Simulation.Scenarios;
using Dedup.Topology.Proof;

namespace Dedup.Simulation.Runs;

/// <summary>Says what broke, and gives the command that shows it.</summary>
public static class FailureReport
{
    /// <summary>Writes the report of a failed seed, and of the smallest run of it that fails alike.</summary>
    public static void Write(
        RunResult failure,
        Overrides overrides,
        TextWriter output,
        PlantedBug bug = PlantedBug.None
    )
    {
        output.WriteLine();
        output.WriteLine($"seed {failure.Seed}: {failure.Violation!.Invariant} broken");
        output.WriteLine($"  {failure.Violation.What}");
        output.WriteLine($"  replay: {Command(failure.Seed, overrides, bug)}");
        var shrinker = new Shrinker(failure, overrides, bug);
        shrinker.Shrink();
        Scenario scenario = Scenario.Of(failure.Seed, shrinker.Smallest);
        string faults = string.Join(
            ", ",
            shrinker
                .Result.FaultCounts.Select(static (count, kind) => (count, Kind: (FaultKind)kind))
                .Where(static pair => pair.count > 0)
                .Select(static pair => $"{pair.count} {pair.Kind}")
        );
        output.WriteLine(
            $"  smallest in {shrinker.Runs} runs: {scenario.Processes} processes of {scenario.Lanes} lanes, {scenario.Partitions} partitions, {scenario.Records} records; faults: {(faults.Length == 0 ? "none" : faults)}"
        );
        output.WriteLine($"  {shrinker.Result.Violation!.What}");
        output.WriteLine($"  replay: {Command(failure.Seed, shrinker.Smallest, bug)}");
    }

    /// <summary>The command that replays a run with its trace.</summary>
    public static string Command(ulong seed, Overrides overrides, PlantedBug bug = PlantedBug.None)
    {
        List<string> parts = ["tests/simulate", "--seed", $"{seed}", "--trace"];
        Add(parts, "--records", overrides.Records);
        Add(parts, "--processes", overrides.Processes);
        Add(parts, "--lanes", overrides.Lanes);
        Add(parts, "--partitions", overrides.Partitions);
        if (overrides.ById)
        {
            parts.Add("--by-id");
        }

        if (overrides.IsSteady)
        {
            parts.Add("--steady");
        }

        if (overrides.Tame)
        {
            parts.Add("--tame");
        }

        if (overrides.Without.Count > 0)
        {
            parts.Add("--without");
            parts.Add(
                string.Join(
                    ",",
                    overrides.Without.Select(static kind => Enum.GetName<FaultKind>(kind))
                )
            );
        }

        if (overrides.FirstFault > 0 || overrides.EndFault < int.MaxValue)
        {
            parts.Add("--faults");
            parts.Add($"{overrides.FirstFault}-{overrides.EndFault}");
        }

        if (bug != PlantedBug.None)
        {
            parts.Add("--bug");
            parts.Add($"{bug}");
        }

        return string.Join(" ", parts);
    }

    private static void Add(List<string> parts, string name, int? value)
    {
        if (value is { } number)
        {
            parts.Add(name);
            parts.Add($"{number}");
        }
    }
}
