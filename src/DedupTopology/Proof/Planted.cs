namespace Dedup.Topology.Proof;

/// <summary>Deliberate faults that the simulation must catch: a checker that catches nothing is worth nothing.</summary>
public enum PlantedBug
{
    /// <summary>None.</summary>
    None,
}

/// <summary>
/// Test-only switch for one planted bug on this thread. The AppContext switch <c>Dedup.PlantedBugs</c> is read once: without
/// it every check is a constant false that the compiler removes, so that the product pays nothing.
/// </summary>
public static class Planted
{
    private static readonly bool IsEnabled =
        AppContext.TryGetSwitch("Dedup.PlantedBugs", out bool on) && on;

    [ThreadStatic]
    private static PlantedBug current;

    /// <summary>The bug planted on this thread.</summary>
    public static PlantedBug Current
    {
        get => current;
        set => current = value;
    }

    /// <summary>Whether that bug is planted.</summary>
    public static bool Is(PlantedBug bug) => IsEnabled && current == bug;
}
