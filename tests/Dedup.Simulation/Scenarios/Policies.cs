using Dedup.Simulation.Chance;
using Dedup.Topology.Identify;
using Dedup.Topology.Identify.Scopes;
using Dedup.Topology.Identify.Sources;
using Dedup.Topology.Pipelines;
using Dedup.Topology.Windows;

namespace Dedup.Simulation.Scenarios;

/// <summary>
/// Gives a third of the seeds policies beyond the plain ones: windows by type, refresh, conflicts, shadow. Drawn apart, so that
/// the other seeds stay as they were.
/// </summary>
internal static class Policies
{
    /// <summary>Types that have windows of their own; the type of a record is its key.</summary>
    public static IReadOnlyList<string> Types { get; } = ["order-1*", "order-2*"];

    /// <summary>Whether the seed has windows by type.</summary>
    public static bool HasTypes(ulong seed) => Begin(seed, out _, out bool types) && types;

    /// <summary>The pipeline with the policies of the seed.</summary>
    public static PipelineSpec Draw(PipelineSpec spec, ulong seed)
    {
        if (!Begin(seed, out Rng rng, out bool types))
        {
            return spec;
        }

        bool fingerprint = rng.Percent(50);
        bool refresh = rng.Percent(60);
        bool shadow = !types && rng.Percent(25);
        Recipe recipe = new(
            [new KeySource()],
            types ? new Scope(null, null, new ScopePart(new KeySource())) : null,
            fingerprint ? new Fingerprint() : null
        );
        return spec with
        {
            Recipe = types ? recipe.WithTypes(new TypePatterns([.. Types])) : recipe,
            Windows = types ? [spec.Windows[0], OfType(rng, 1), OfType(rng, 2)] : spec.Windows,
            Refresh = refresh,
            Conflict = (ConflictPolicy)rng.Below(3),
            Mode = new PipelineMode(shadow ? ModeKind.Shadow : ModeKind.Enforce),
            // In shadow a record that is too far ahead is forwarded like any other, and near the limit nobody could tell how it
            // was judged: then the limit lies where hardly any record does, which a short window does not allow.
            MaxFutureMs = shadow ? 100L * 366 * 86_400_000 : spec.MaxFutureMs,
        };
    }

    private static bool Begin(ulong seed, out Rng rng, out bool types)
    {
        rng = Rng.For(seed, 0x0901_1C1E);
        bool has = rng.Percent(35);
        types = rng.Percent(50);
        return has;
    }

    private static WindowClass OfType(Rng rng, ushort id)
    {
        long windowMs = rng.Between(500, 60_000);
        return new WindowClass(
            id,
            Types[id - 1],
            windowMs,
            rng.Between(0L, windowMs * WindowClass.MaxGraceWindows)
        );
    }
}
