using Dedup.Simulation.Faults;
using Dedup.Simulation.Scenarios;
using Dedup.Topology.Proof;

namespace Dedup.Simulation.Runs;

/// <summary>
/// Looks for a smaller run of the same seed that breaks the same invariant: fewer kinds of fault, fewer faults, fewer records,
/// processes, lanes, partitions. Greedy; each step is kept only if the run still fails.
/// </summary>
public sealed class Shrinker
{
    /// <summary>Most runs: a few seconds.</summary>
    private const int MaxRuns = 400;

    private readonly ulong _seed;
    private readonly string _invariant;
    private readonly PlantedBug _bug;

    /// <summary>Makes a shrinker of a failure.</summary>
    public Shrinker(RunResult failure, Overrides overrides, PlantedBug bug = PlantedBug.None)
    {
        _seed = failure.Seed;
        _invariant = failure.Violation!.Invariant;
        _bug = bug;
        Smallest = overrides;
        Result = failure;
    }

    /// <summary>What is left out in the smallest run found.</summary>
    public Overrides Smallest { get; private set; }

    /// <summary>The smallest run found.</summary>
    public RunResult Result { get; private set; }

    /// <summary>Runs made.</summary>
    public int Runs { get; private set; }

    /// <summary>Shrinks.</summary>
    public void Shrink()
    {
        Try(Smallest with { Tame = true });
        Try(Smallest with { IsSteady = true });
        foreach (int n in new[] { 1, 2 })
        {
            Try(Smallest with { Processes = n });
            Try(Smallest with { Lanes = n });
            Try(Smallest with { Partitions = n });
        }

        ShrinkRecords();
        foreach ((FaultKind kind, int _) in Scenario.Of(_seed, Smallest).Faults)
        {
            Try(Smallest with { Without = [.. Smallest.Without, kind] });
        }

        ShrinkFaults();
        ShrinkRecords();
    }

    private void ShrinkRecords()
    {
        int records = Result.Records;
        for (int step = records / 2; step > 0; step /= 2)
        {
            while (records - step > 0 && Try(Smallest with { Records = records - step }))
            {
                records -= step;
            }
        }
    }

    /// <summary>The last fault that matters, then the first one.</summary>
    private void ShrinkFaults()
    {
        int end = Math.Min(Smallest.EndFault, Result.Faults);
        for (int step = Math.Max(1, end / 2); step > 0; step /= 2)
        {
            while (end - step >= 0 && Try(Smallest with { EndFault = end - step }))
            {
                end -= step;
            }
        }

        int first = Smallest.FirstFault;
        for (int step = Math.Max(1, end / 2); step > 0; step /= 2)
        {
            while (first + step <= end && Try(Smallest with { FirstFault = first + step }))
            {
                first += step;
            }
        }
    }

    private bool Try(Overrides candidate)
    {
        if (Runs >= MaxRuns)
        {
            return false;
        }

        Runs++;
        RunResult result = SimulatedRun.Run(Scenario.Of(_seed, candidate), bug: _bug);
        if (result.Violation?.Invariant != _invariant)
        {
            return false;
        }

        Smallest = candidate;
        Result = result;
        return true;
    }
}
