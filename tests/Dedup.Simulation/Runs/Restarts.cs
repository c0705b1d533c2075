using Dedup.Simulation.Scenarios;

namespace Dedup.Simulation.Runs;

/// <summary>Restarts the processes with another mode, as the scenario says. A process that is down at its turn starts with it.</summary>
internal sealed class Restarts(SimulatedRun simulation)
{
    public void Start()
    {
        foreach (ModeChange change in simulation.Scenario.ModeChanges)
        {
            for (int i = 0; i < simulation.Instances.Count; i++)
            {
                Instance instance = simulation.Instances[i];
                long atMs = change.AtMs + (i * (long)change.GapMs);
                simulation.World.After(atMs, () => Restart(instance, change));
            }
        }
    }

    private void Restart(Instance instance, ModeChange change)
    {
        simulation.Note(
            instance.Id,
            $"mode {change.Mode.Kind} {change.Mode.Percent} from its next start"
        );
        instance.Mode = change.Mode;
        if (change.IsKill)
        {
            instance.Kill("for another mode");
        }
        else if (instance.IsUp)
        {
            instance.Stop();
        }
    }
}
