using Dedup.Simulation.Chance;
using Dedup.Topology.Identify;
using Dedup.Topology.Identify.Json;
using Dedup.Topology.Identify.Scopes;
using Dedup.Topology.Identify.Sources;
using Dedup.Topology.Pipelines;
using Dedup.Topology.Windows;

namespace Dedup.Simulation.Scenarios;

/// <summary>
/// Gives a third of the seeds policies beyond the plain ones: windows by type, refresh, conflicts, modes, time buckets, time in
/// the payload, added headers; of by-id half of them. Drawn apart, so that the other seeds stay as they were.
/// </summary>
internal static class Policies
{
    /// <summary>A hundred years: no record is too far ahead.</summary>
    public const long FarFutureMs = 100L * 366 * 86_400_000;

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
        PipelineSpec drawn = spec with
        {
            Recipe = types ? recipe.WithTypes(new TypePatterns([.. Types])) : recipe,
            Windows = types ? [spec.Windows[0], OfType(rng, 1), OfType(rng, 2)] : spec.Windows,
            Refresh = refresh,
            Conflict = (ConflictPolicy)rng.Below(3),
            Mode = new PipelineMode(shadow ? ModeKind.Shadow : ModeKind.Enforce),
            // In shadow a record that is too far ahead is forwarded like any other, and near the limit nobody could tell how it
            // was judged: then the limit lies where hardly any record does, which a short window does not allow.
            MaxFutureMs = shadow ? FarFutureMs : spec.MaxFutureMs,
        };
        return DrawMore(drawn, seed);
    }

    /// <summary>The policies of a seed of by-id: all but windows by type.</summary>
    public static PipelineSpec DrawForById(PipelineSpec spec, ulong seed)
    {
        var rng = Rng.For(seed, 0x0901_B71D);
        if (!rng.Percent(50))
        {
            return spec;
        }

        bool fingerprint = rng.Percent(40);
        bool shadow = rng.Percent(15);
        return DrawMore(
            spec with
            {
                Recipe = new Recipe(
                    [new KeySource()],
                    null,
                    fingerprint ? new Fingerprint() : null
                ),
                Refresh = rng.Percent(40),
                Conflict = (ConflictPolicy)rng.Below(3),
                Mode = new PipelineMode(shadow ? ModeKind.Shadow : ModeKind.Enforce),
                MaxFutureMs = shadow ? FarFutureMs : spec.MaxFutureMs,
            },
            seed
        );
    }

    /// <summary>Time buckets, time in the payload, the other modes, added headers: drawn behind the rest, so that that stays.</summary>
    private static PipelineSpec DrawMore(PipelineSpec spec, ulong seed)
    {
        var rng = Rng.For(seed, 0x0902_B0CE);
        bool types = spec.Windows.Length > 1;
        bool bucket = rng.Percent(20) && !types && spec.Recipe.Fingerprint is null;
        bool payload = rng.Percent(25) && !bucket;
        bool off = rng.Percent(10) && !types;
        bool percent = rng.Percent(30) && !types && !off && spec.Mode.Kind == ModeKind.Enforce;
        int share = rng.Between(1, 99);
        long width = rng.Between(1L, Math.Max(1, spec.Windows[0].WindowMs / 2));
        bool standard = rng.Percent(20) && !types;
        bool verdict = rng.Percent(30) && !off;
        return spec with
        {
            Recipe = bucket
                ? new Recipe(new ContentSource(new ContentOptions { BucketMs = width }))
                : spec.Recipe,
            Refresh = spec.Refresh && !bucket,
            Time = payload ? new TimeRule(Payload: PayloadTimeOf("$.at")) : spec.Time,
            Mode =
                off ? new PipelineMode(ModeKind.Off)
                : percent ? new PipelineMode(ModeKind.Percent, share)
                : spec.Mode,
            MaxFutureMs = off || percent ? FarFutureMs : spec.MaxFutureMs,
            Headers =
                (standard ? HeaderSets.Standard : HeaderSets.None)
                | (verdict ? HeaderSets.Verdict : HeaderSets.None),
        };
    }

    private static PayloadTime PayloadTimeOf(string path) =>
        JsonPathParser.TryParse(path, out JsonPath? parsed, out string error)
            ? new PayloadTime(parsed!, JsonLimits.Default)
            : throw new InvalidOperationException(error);

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
