using Dedup.Audit;
using Dedup.Host.Configuration;
using Dedup.Host.Tests.Configuration;
using Dedup.Host.Verify;

namespace Dedup.Host.Tests.Verify;

/// <summary>What the audit is asked: the pipeline's policies, in its own words.</summary>
public sealed class VerifyRequestsTests
{
    [Fact]
    public async Task Every_policy_of_the_configuration_reaches_the_audit()
    {
        (await Rules("refresh: true")).Refresh.ShouldBeTrue();
        (await Rules("fingerprint: payload\nconflict: clean")).Conflict.ShouldBe(
            AuditConflictPolicy.Clean
        );
        (await Rules("fingerprint: payload\nconflict: duplicate")).Conflict.ShouldBe(
            AuditConflictPolicy.Duplicate
        );
        (await Rules("time: { payload: $.at, unit: s }")).Time!.UnitMs.ShouldBe(1000);
        (await Rules("mode: shadow")).Mode.Kind.ShouldBe(AuditModeKind.Shadow);
        (await Rules("mode: off")).Mode.Kind.ShouldBe(AuditModeKind.Off);
        (await Rules("mode: { percent: 12 }")).Mode.ShouldBe(
            new AuditMode(AuditModeKind.Percent, 12)
        );
        (await Rules("headers: [standard, verdict]")).Headers.ShouldBe(
            AuditHeaders.Standard | AuditHeaders.Verdict
        );
        (await Rules("late: drop")).Late.ShouldBe(AuditLatePolicy.Drop);
        (await Rules("")).HasHiddenReasons.ShouldBeFalse();
        (
            await Rules("validate: true\nschema-registry: http://localhost:8081")
        ).HasHiddenReasons.ShouldBeTrue();
        (
            await Rules(
                "quarantine: q\nscope: { tenant: { header: t } }\nquota: { tenant: { ids: 9 } }"
            )
        ).HasHiddenReasons.ShouldBeTrue();
    }

    [Fact]
    public async Task Policies_given_in_options_mean_what_they_mean_in_a_file()
    {
        ConfigResult result = FlagConfig.Load(
            new PipelineFlags
            {
                Bootstrap = "localhost:9092",
                Input = "orders",
                Clean = "orders.clean",
                Id = "key",
                Refresh = "true",
                Time = "payload:$.at",
                Fingerprint = "payload",
                Conflict = "duplicate",
                Mode = "percent:25",
                Headers = "standard,verdict",
            },
            static name => name == "HOME" ? "/home/user" : null
        );
        result.Findings.ShouldBeEmpty();
        DedupConfig config = result.Config!;
        AuditRules rules = (
            await VerifyRequests.Of(config, config.Pipelines[0], new VerifyOptions())
        ).Rules;
        rules.Refresh.ShouldBeTrue();
        rules.Time!.Path.Text.ShouldBe("$.at");
        rules.Conflict.ShouldBe(AuditConflictPolicy.Duplicate);
        rules.Recipe.Fingerprint.ShouldNotBeNull();
        rules.Mode.ShouldBe(new AuditMode(AuditModeKind.Percent, 25));
        rules.Headers.ShouldBe(AuditHeaders.Standard | AuditHeaders.Verdict);
    }

    [Fact]
    public async Task Windows_by_type_are_audited_by_their_own_window_grace_and_max_future()
    {
        AuditRules rules = await Rules(
            "scope: { type: { header: event-type } }\nwindows: { beat: { window: 5m, grace: 1m } }"
        );
        rules.WindowOfClass!(0).WindowMs.ShouldBe(86_400_000);
        rules.WindowOfClass(1).ShouldBe(new AuditWindow(300_000, 60_000));
        rules.MaxFutureOfClass!(1).ShouldBe(75_000);
    }

    private static async Task<AuditRules> Rules(string lines)
    {
        DedupConfig config = Load.Good(Load.WithPipelineLines(lines));
        return (await VerifyRequests.Of(config, config.Pipelines[0], new VerifyOptions())).Rules;
    }
}
