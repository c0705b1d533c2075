using Dedup.Host.Configuration;
using Dedup.Topology.Pipelines;
using Dedup.Topology.Tenants;

namespace Dedup.Host.Tests.Configuration;

/// <summary>Quotas: what they are read as, and every mistake and contradiction with line and fix.</summary>
public sealed class QuotaConfigTests
{
    // Lines 8 and 9; what a test adds begins at line 10.
    private const string Before =
        "scope: { tenant: { header: tenant-id } }\nquarantine: orders.quarantine\n";

    [Fact]
    public void A_quota_is_read_and_a_tenant_of_its_own_takes_over_what_it_leaves_out()
    {
        QuotaRules rules = Load.Pipeline(
                Before
                    + "quota:\n"
                    + "  tenant: { ids: 1_000_000, rate: 1000/s, over: quarantine }\n"
                    + "  tenants:\n"
                    + "    acme: { ids: 5_000_000 }\n"
                    + "    slow.co: { rate: 60_000/m, over: { ids: quarantine, rate: throttle } }\n"
                    + "    free: { ids: none, rate: none }\n"
                    + "    \"\": { ids: 0 }"
            )
            .Quota.ShouldNotBeNull();
        rules.Default.ShouldBe(new TenantQuota(1_000_000, new RateLimit(1_000, 1_000)));
        rules.Tenants.ShouldBe([
            new("acme", new TenantQuota(5_000_000, new RateLimit(1_000, 1_000))),
            new(
                "slow.co",
                new TenantQuota(1_000_000, new RateLimit(60_000, 60_000), RateAction.Throttle)
            ),
            new("free", new TenantQuota()),
            new("", new TenantQuota(0, new RateLimit(1_000, 1_000))),
        ]);
        rules.Throttles.ShouldBeTrue();
    }

    [Fact]
    public void Throttle_alone_needs_no_quarantine_topic() =>
        Load.Pipeline(
                "scope: { tenant: { header: t } }\nquota: { tenant: { rate: 5/h, over: throttle } }"
            )
            .Quota.ShouldNotBeNull()
            .Default.Rate.ShouldBe(new RateLimit(5, 3_600_000));

    [Fact]
    public void Without_quota_there_is_none() => Load.Pipeline("window: 24h").Quota.ShouldBeNull();

    [Theory]
    [InlineData("quota:", "'pipelines.orders.quota' limits nothing", "ids: 1_000_000")]
    [InlineData("quota: 7", "'pipelines.orders.quota' is '7', not a mapping", "tenant, tenants")]
    [InlineData(
        "quota: { tenat: { ids: 7 } }",
        "'tenat' is not a setting of 'pipelines.orders.quota'",
        "did you mean 'tenant'?"
    )]
    [InlineData(
        "quota: { tenant: { id: 7, rate: 1/s } }",
        "'id' is not a setting of 'pipelines.orders.quota.tenant'",
        "did you mean 'ids'?"
    )]
    [InlineData(
        "quota: { tenant: { ids: many } }",
        "'pipelines.orders.quota.tenant.ids' is 'many', which is no count",
        "or none"
    )]
    [InlineData(
        "quota: { tenant: { rate: 1000 } }",
        "'pipelines.orders.quota.tenant.rate' is '1000', which is no rate",
        "1000/s, 50_000/h; or none"
    )]
    [InlineData("quota: { tenant: { rate: 0/s } }", "'0/s', which is no rate", "from 1 to")]
    [InlineData("quota: { tenant: { rate: 1/w } }", "'1/w', which is no rate", "day")]
    [InlineData(
        "quota: { tenant: { rate: 9/s, over: throtle } }",
        "'throtle', which is not one of quarantine, throttle, { ids: quarantine, rate: throttle }",
        "write 'throttle'"
    )]
    [InlineData(
        "quota: { tenant: { rate: 9/s, over: { id: throttle } } }",
        "'pipelines.orders.quota.tenant.over'",
        "write one of them"
    )]
    [InlineData(
        "quota: { tenant: { ids: 9, over: throttle } }",
        "is throttle, and there is no rate to wait for",
        "rate: 1000/s"
    )]
    [InlineData(
        "quota: { tenant: { ids: 9, rate: 9/s, over: throttle } }",
        "its clock stands still, so that no ID would ever expire",
        "write over: { ids: quarantine, rate: throttle }"
    )]
    [InlineData(
        "quota: { tenants: [acme] }",
        "'pipelines.orders.quota.tenants' is",
        "'NAME: { ids: 5_000_000 }' lines"
    )]
    [InlineData("quota: { tenants: {} }", "quota.tenants' is empty", "lines")]
    [InlineData(
        "quota: { tenants: { acme: { idz: 1 } } }",
        "'idz' is not a setting of 'pipelines.orders.quota.tenants.acme'",
        "did you mean 'ids'?"
    )]
    [InlineData("quotas: {}", "'quotas' is not a setting", "did you mean 'quota'?")]
    public void Every_mistake_is_said_with_line_and_fix(string line, string what, string fix) =>
        Load.Text(Load.WithPipelineLines(Before + line))
            .Findings.ShouldSay("dedup.yaml:10", what, fix);

    [Fact]
    public void A_quota_without_a_tenant_in_the_scope_is_refused() =>
        Load.Text(
                Load.WithPipelineLines(
                    "quarantine: q\nscope: { type: { header: t } }\nquota: { tenant: { ids: 9 } }"
                )
            )
            .Findings.ShouldSay(
                "dedup.yaml:10",
                "nothing says what tenant a record has",
                "scope: { tenant: { header: tenant-id } }"
            );

    [Theory]
    [InlineData("{ ids: 9 }")]
    [InlineData("{ rate: 9/s }")]
    [InlineData("{ ids: 9, rate: 9/s, over: { ids: quarantine, rate: throttle } }")]
    public void A_quota_that_quarantines_needs_a_quarantine_topic_by_name(string tenant) =>
        Load.Text(
                Load.WithPipelineLines(
                    "scope: { tenant: { header: t } }\nquota:\n  tenants: { acme: " + tenant + " }"
                )
            )
            .Findings.ShouldSay(
                "dedup.yaml:10",
                "sends events to quarantine, and no quarantine topic is named",
                "add 'quarantine: orders.quarantine'"
            );

    [Fact]
    public void Late_records_go_to_quarantine_only_where_one_is_named()
    {
        Load.Text(Load.WithPipelineLines("window: 1h\nlate: quarantine"))
            .Findings.ShouldSay(
                "dedup.yaml:9",
                "'pipelines.orders.late' sends events to quarantine, and no quarantine topic is named",
                "add 'quarantine: orders.quarantine'"
            );
        Load.Pipeline("late: quarantine\nquarantine: q").Late.ShouldBe(LatePolicy.Quarantine);
    }

    [Fact]
    public void More_tenants_than_markers_are_meant_for_are_refused()
    {
        string lines = string.Concat(
            Enumerable
                .Range(0, QuotaRules.MaxTenants + 1)
                .Select(static i => $"\n    t{i}: {{ ids: 1 }}")
        );
        Load.Text(Load.WithPipelineLines(Before + "quota:\n  tenants:" + lines))
            .Findings.ShouldSay(
                "dedup.yaml:12",
                "has 1001 tenants, more than 1000",
                "most of them"
            );
    }
}
