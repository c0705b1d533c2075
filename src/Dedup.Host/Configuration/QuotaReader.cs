using System.Collections.Immutable;
using System.Globalization;
using Dedup.Topology.Pipelines;
using Dedup.Topology.Tenants;

namespace Dedup.Host.Configuration;

/// <summary>Reads <c>quota</c>: what each tenant may use, what some may, and what contradicts that.</summary>
internal static class QuotaReader
{
    private const string Quota = "quota";
    private const string Tenant = "tenant";
    private const string Tenants = "tenants";
    private const string Ids = "ids";
    private const string Rate = "rate";
    private const string Over = "over";
    private const string None = "none";
    private const string Quarantine = "quarantine";
    private const string Throttle = "throttle";
    private const string Both = "{ ids: quarantine, rate: throttle }";
    private const string TenantPath = $"pipelines.*.{Quota}.{Tenant}";

    private static readonly (string Unit, long Ms)[] Units =
    [
        ("s", 1_000),
        ("m", 60_000),
        ("h", 3_600_000),
        ("d", RateLimit.MaxPerMs),
    ];

    /// <summary>The settings of it.</summary>
    public static ImmutableArray<Setting> Settings { get; } =
    [
        new()
        {
            Path = $"pipelines.*.{Quota}",
            Kind = SettingKind.Section,
            Default = None,
            RangeText = "tenant, tenants",
            Meaning =
                "What tenants may use of each partition; `scope.tenant` says whose a record is. Records without a tenant together are one.",
            Consequence =
                "It holds in each partition by itself: a tenant whose records lie in several may use as much in each of them.",
        },
        new()
        {
            Path = TenantPath,
            Kind = SettingKind.Section,
            Default = "no limit",
            RangeText = "ids, rate, over",
            Meaning = "The quota of every tenant that has none of its own.",
            Consequence =
                "Only new IDs count: a duplicate is suppressed whether its tenant is over its quota or not.",
        },
        new()
        {
            Path = $"{TenantPath}.{Ids}",
            Kind = SettingKind.Text,
            Default = None,
            RangeText = $"`{None}` \\| a count such as 1_000_000",
            Meaning = "Most IDs that a tenant holds in a partition.",
            Consequence =
                "A new ID beyond it goes to quarantine as over-quota, until others have expired (window + grace).",
        },
        new()
        {
            Path = $"{TenantPath}.{Rate}",
            Kind = SettingKind.Text,
            Default = None,
            RangeText =
                $"`{None}` \\| a count for a second, minute, hour, or day: 1000/s, 50_000/h",
            Meaning =
                "Most new IDs of a tenant in a time: so many may come at once, and no more than that on average.",
            Consequence =
                "What happens beyond it says `over`. A longer unit allows larger bursts at the same average.",
        },
        new()
        {
            Path = $"{TenantPath}.{Over}",
            Kind = SettingKind.Text,
            Default = Quarantine,
            RangeText = $"`{Quarantine}` \\| `{Throttle}` (a rate only) \\| `{Both}`",
            Meaning = "What happens to a new ID beyond the quota.",
            Consequence =
                "quarantine: nobody waits; a rate is measured by the times of the tenant's own records. throttle: the partition waits, and all of its tenants with it; a rate is measured by the wall clock.",
        },
        new()
        {
            Path = $"pipelines.*.{Quota}.{Tenants}",
            Kind = SettingKind.Text,
            Default = None,
            RangeText = "up to 1_000 lines `NAME: { ids: …, rate: …, over: … }`",
            Meaning = "Quotas of some tenants; what one leaves out is as in `quota.tenant`.",
            Consequence =
                "These tenants are counted apart however small they are. `\"\"` is the quota of records without a tenant.",
        },
    ];

    /// <summary>The pipeline with its quotas; what is wrong is said.</summary>
    public static PipelineSpec Apply(PipelineSpec spec, SectionReader section)
    {
        if (section.Find(Quota) is not { } node)
        {
            return spec;
        }

        var quota = new SectionReader(
            node,
            section.PathOf(Quota),
            $"pipelines.*.{Quota}",
            section.Context
        );
        TenantQuota all = One(quota.Find(Tenant), quota.PathOf(Tenant), TenantQuota.None, section);
        ImmutableArray<KeyValuePair<string, TenantQuota>> some = Some(quota, all);
        quota.RefuseUnknown();
        var rules = new QuotaRules(all, some);
        CheckTogether(spec, rules, section);
        return spec with { Quota = rules };
    }

    private static void CheckTogether(PipelineSpec spec, QuotaRules rules, SectionReader section)
    {
        if (spec.Recipe.Scope?.Tenant is null)
        {
            Error(
                section,
                section.Where(Quota),
                $"'{section.PathOf(Quota)}' limits tenants, and nothing says what tenant a record has",
                "add it to the scope: scope: { tenant: { header: tenant-id } }"
            );
        }

        TenantQuota[] all = [rules.Default, .. rules.Tenants.Select(static t => t.Value)];
        if (all.All(static q => q.Ids == long.MaxValue && q.Rate is null))
        {
            Error(
                section,
                section.Where(Quota),
                $"'{section.PathOf(Quota)}' limits nothing",
                $"write {Quota}: {{ {Tenant}: {{ {Ids}: 1_000_000 }} }}, or take it out"
            );
        }
        else if (
            section.Find(Quarantine) is null
            && all.Any(static q =>
                q.Ids != long.MaxValue || q is { Rate: not null, OverRate: RateAction.Quarantine }
            )
        )
        {
            Error(
                section,
                section.Where(Quota),
                $"'{section.PathOf(Quota)}' sends events to quarantine, and no quarantine topic is named",
                $"add '{Quarantine}: {spec.Quarantine}', so that somebody looks there"
            );
        }
    }

    private static ImmutableArray<KeyValuePair<string, TenantQuota>> Some(
        SectionReader quota,
        TenantQuota all
    )
    {
        ConfigNode? node = quota.Find(Tenants);
        if (node is null)
        {
            return [];
        }

        if (node.Kind != NodeKind.Mapping || node.Members.Length == 0)
        {
            Error(
                quota,
                quota.Where(Tenants),
                $"'{quota.PathOf(Tenants)}' is {(node.Kind == NodeKind.Mapping ? "empty" : node.Describe())}",
                "write it as 'NAME: { ids: 5_000_000 }' lines"
            );
            return [];
        }

        if (node.Members.Length > QuotaRules.MaxTenants)
        {
            Error(
                quota,
                quota.Where(Tenants),
                $"'{quota.PathOf(Tenants)}' has {node.Members.Length} tenants, more than {QuotaRules.MaxTenants}: each is part of every marker",
                $"give '{Tenant}' the quota that most of them have"
            );
            return [];
        }

        return
        [
            .. node.Members.Select(m => new KeyValuePair<string, TenantQuota>(
                m.Name,
                One(m.Value, $"{quota.PathOf(Tenants)}.{m.Name}", all, quota)
            )),
        ];
    }

    private static TenantQuota One(
        ConfigNode? node,
        string path,
        TenantQuota otherwise,
        SectionReader section
    )
    {
        if (node is null)
        {
            return otherwise;
        }

        var tenant = new SectionReader(node, path, TenantPath, section.Context);
        var quota = new TenantQuota(
            IdsOf(tenant, otherwise.Ids),
            RateOf(tenant, otherwise.Rate),
            OverOf(tenant, otherwise.OverRate, out bool idsToo)
        );
        tenant.RefuseUnknown();
        if (quota.OverRate == RateAction.Throttle && tenant.Find(Over) is not null)
        {
            if (quota.Rate is null)
            {
                Error(
                    tenant,
                    tenant.Where(Over),
                    $"'{tenant.PathOf(Over)}' is throttle, and there is no rate to wait for",
                    $"add '{Rate}: 1000/s', or write {Over}: {Quarantine}"
                );
            }
            else if (idsToo && quota.Ids != long.MaxValue)
            {
                Error(
                    tenant,
                    tenant.Where(Over),
                    $"'{tenant.PathOf(Over)}' is throttle for '{Ids}' too: while a partition waits its clock stands still, so that no ID would ever expire",
                    $"write {Over}: {Both}"
                );
            }
        }

        return quota;
    }

    private static long IdsOf(SectionReader tenant, long otherwise)
    {
        switch (tenant.Find(Ids))
        {
            case null:
                return otherwise;
            case { Text: None }:
                return long.MaxValue;
            case { Text: { } text } when Quantities.TryCount(text, out long ids):
                return ids;
            case { } node:
                Error(
                    tenant,
                    tenant.Where(Ids),
                    $"'{tenant.PathOf(Ids)}' is {node.Describe()}, which is no count",
                    $"write {Quantities.CountHelp}, or {None}"
                );
                return otherwise;
        }
    }

    private static RateLimit? RateOf(SectionReader tenant, RateLimit? otherwise)
    {
        ConfigNode? node = tenant.Find(Rate);
        if (node is null or { Text: None })
        {
            return node is null ? otherwise : null;
        }

        string[] parts = node.Text?.Split('/') ?? [];
        if (
            parts.Length == 2
            && Quantities.TryCount(parts[0].Trim(), out long count)
            && count is > 0 and <= RateLimit.MaxCount
            && Array.Find(Units, u => u.Unit == parts[1].Trim()) is { Ms: > 0 } unit
        )
        {
            return new RateLimit(count, unit.Ms);
        }

        Error(
            tenant,
            tenant.Where(Rate),
            $"'{tenant.PathOf(Rate)}' is {node.Describe()}, which is no rate",
            string.Create(
                CultureInfo.InvariantCulture,
                $"write a count from 1 to {Quantities.Count(RateLimit.MaxCount)} for a second, minute, hour, or day: 1000/s, 50_000/h; or {None}"
            )
        );
        return otherwise;
    }

    private static RateAction OverOf(SectionReader tenant, RateAction otherwise, out bool idsToo)
    {
        ConfigNode? node = tenant.Find(Over);
        idsToo = node is { Text: Throttle };
        switch (node)
        {
            case null:
                return otherwise;
            case { Text: Quarantine }:
                return RateAction.Quarantine;
            case { Text: Throttle }:
                return RateAction.Throttle;
            default:
                break;
        }

        Dictionary<string, string?> parts = node.Members.ToDictionary(
            static m => m.Name,
            static m => m.Value.Text
        );
        bool isKnown =
            parts.Count > 0
            && parts.All(static p =>
                (p.Key == Ids && p.Value is Quarantine or Throttle)
                || (p.Key == Rate && p.Value is Quarantine or Throttle)
            );
        if (!isKnown)
        {
            string? near = node.Text is null ? null : Nearest.To(node.Text, [Quarantine, Throttle]);
            Error(
                tenant,
                tenant.Where(Over),
                $"'{tenant.PathOf(Over)}' is {node.Describe()}, which is not one of {Quarantine}, {Throttle}, {Both}",
                near is null ? "write one of them" : $"write '{near}'"
            );
            return otherwise;
        }

        idsToo = parts.GetValueOrDefault(Ids) == Throttle;
        bool throttles = parts.GetValueOrDefault(Rate) == Throttle || idsToo;
        return throttles ? RateAction.Throttle : RateAction.Quarantine;
    }

    private static void Error(SectionReader section, string where, string what, string fix) =>
        section.Context.Findings.Error(where, what, fix);
}
