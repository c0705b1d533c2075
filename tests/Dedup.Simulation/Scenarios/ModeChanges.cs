using Dedup.Simulation.Chance;
using Dedup.Topology.Pipelines;

namespace Dedup.Simulation.Scenarios;

/// <summary>Somebody writes another mode into the configuration and restarts the processes, one after the other.</summary>
/// <param name="AtMs">When the first one is restarted, in ms of the world.</param>
/// <param name="GapMs">Time between two of them, in ms; 0 for all at once. Between, both modes are at work on different partitions.</param>
/// <param name="IsKill">kill -9, else SIGTERM.</param>
/// <param name="Mode">The new mode.</param>
public sealed record ModeChange(int AtMs, int GapMs, bool IsKill, PipelineMode Mode);

/// <summary>
/// Gives a seventh of the seeds one or two changes of the mode during the storm, beside whatever else they have. Drawn apart, so
/// that the other seeds stay as they were.
/// </summary>
internal static class ModeChanges
{
    /// <summary>The scenario with the changes of its seed.</summary>
    public static Scenario Draw(Scenario scenario)
    {
        var rng = Rng.For(scenario.Seed, scenario.IsById ? 0x40DE_B71DUL : 0x40DE_C4A6UL);
        PipelineSpec spec = scenario.Spec;
        // Modes other than enforce need a max-future that no window by type allows; see Policies.
        if (!rng.Percent(14) || spec.Windows.Length > 1 || scenario.Overrides.IsSteady)
        {
            return scenario;
        }

        PipelineMode first = rng.Percent(50)
            ? new PipelineMode(ModeKind.Percent, rng.Between(1, 98))
            : spec.Mode;
        int count = rng.Between(1, 2);
        int shareMs = scenario.StormMs / (count + 1);
        var changes = new List<ModeChange>();
        PipelineMode mode = first;
        for (int i = 0; i < count; i++)
        {
            mode = Next(rng, mode, mayBeOff: spec.Quota is null);
            int atMs = (i * shareMs) + rng.Between(shareMs / 2, shareMs);
            int mostGapMs = shareMs / 2 / scenario.Processes;
            int gapMs = rng.Percent(50) ? 0 : rng.Between(0, mostGapMs);
            changes.Add(new ModeChange(atMs, gapMs, rng.Percent(30), mode));
        }

        return scenario with
        {
            Spec = spec with { Mode = first, MaxFutureMs = Policies.FarFutureMs },
            ModeChanges = changes,
        };
    }

    /// <summary>Mostly a higher share, where there is one; else any other mode.</summary>
    private static PipelineMode Next(Rng rng, PipelineMode mode, bool mayBeOff)
    {
        if (mode.Kind == ModeKind.Percent && mode.Percent < 99 && rng.Percent(70))
        {
            return mode with { Percent = rng.Between(mode.Percent + 1, 99) };
        }

        PipelineMode[] others =
        [
            new(ModeKind.Enforce),
            new(ModeKind.Shadow),
            new(ModeKind.Percent, rng.Between(1, 99)),
            .. mayBeOff ? new[] { new PipelineMode(ModeKind.Off) } : [],
        ];
        return rng.Pick([.. others.Where(other => other != mode)]);
    }
}
