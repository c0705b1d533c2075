using Dedup.Simulation.Chance;
using Dedup.Topology.Identify;
using Dedup.Topology.Identify.Scopes;
using Dedup.Topology.Identify.Sources;
using Dedup.Topology.Pipelines;
using Dedup.Topology.Tenants;

namespace Dedup.Simulation.Scenarios;

/// <summary>
/// Gives a quarter of the seeds tenants with quotas, beside whatever else they have. Drawn apart, so that the other seeds stay
/// as they were.
/// </summary>
internal static class Quotas
{
    /// <summary>Header that names the tenant.</summary>
    public const string Header = "tenant";

    /// <summary>The tenants of a workload, the first ones with most records; the last one stands for no header.</summary>
    public static IReadOnlyList<string> Names { get; } = ["big", "own", "small", ""];

    /// <summary>The pipeline with the quotas of the seed.</summary>
    public static PipelineSpec Draw(PipelineSpec spec, ulong seed) =>
        Draw(spec, Rng.For(seed, 0x7E4A_4701));

    /// <summary>The same for by-id, where they hold in each partition between the hops.</summary>
    public static PipelineSpec DrawForById(PipelineSpec spec, ulong seed) =>
        Draw(spec, Rng.For(seed, 0x7E4A_B71D));

    private static PipelineSpec Draw(PipelineSpec spec, Rng rng)
    {
        if (!rng.Percent(25) || spec.Mode.Kind == ModeKind.Off)
        {
            return spec;
        }

        Scope scope = new(new ScopePart(new HeaderSource(Header)), null, spec.Recipe.Scope?.Type);
        var recipe = new Recipe([.. spec.Recipe.Sources], scope, spec.Recipe.Fingerprint);
        return spec with
        {
            Recipe =
                spec.Windows.Length > 1
                    ? recipe.WithTypes(new TypePatterns([.. Policies.Types]))
                    : recipe,
            Quota = new QuotaRules(DrawOne(rng), [new("own", DrawOne(rng))]),
        };
    }

    /// <summary>A tenant drawn as often as its place says: half of the records are the first one's.</summary>
    public static string Pick(Rng rng) => Names[Math.Min(Names.Count - 1, rng.Skewed(7) / 2)];

    private static TenantQuota DrawOne(Rng rng) =>
        rng.Below(4) switch
        {
            0 => new TenantQuota(Ids: rng.Below(30)),
            1 => new TenantQuota(Rate: Rate(rng, 3_000)),
            2 => new TenantQuota(Ids: 1 + rng.Skewed(60), Rate: Rate(rng, 3_000)),
            // So slow that it is felt, and so fast that what is left after the storm takes no hour.
            _ => new TenantQuota(Rate: Rate(rng, 300), OverRate: RateAction.Throttle),
        };

    private static RateLimit Rate(Rng rng, int mostMs) =>
        new(rng.Between(1, 12), rng.Between(10, mostMs));
}
