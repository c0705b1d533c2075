using Dedup.Simulation.Faults;
using Dedup.Simulation.Scenarios;

namespace Dedup.Simulation.Runs;

/// <summary>Says what broke, and gives the command that shows it.</summary>
public static class FailureReport
{
    /// <summary>Writes the report of a failed seed.</summary>
    public static void Write(RunResult failure, Overrides overrides, TextWriter output)
    {
        output.WriteLine();
        output.WriteLine($"seed {failure.Seed}: {failure.Violation!.Invariant} broken");
        output.WriteLine($"  {failure.Violation.What}");
        output.WriteLine($"  replay: {Command(failure.Seed, overrides)}");
    }

    /// <summary>The command that replays a run with its trace.</summary>
    public static string Command(ulong seed, Overrides overrides)
    {
        List<string> parts = ["tests/simulate", "--seed", $"{seed}", "--trace"];
        Add(parts, "--records", overrides.Records);
        Add(parts, "--processes", overrides.Processes);
        Add(parts, "--lanes", overrides.Lanes);
        Add(parts, "--partitions", overrides.Partitions);
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
