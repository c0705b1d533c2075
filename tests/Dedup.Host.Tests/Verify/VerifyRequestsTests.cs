using Dedup.Host.Commands;
using Dedup.Host.Configuration;
using Dedup.Host.Tests.Configuration;
using Dedup.Host.Verify;

namespace Dedup.Host.Tests.Verify;

/// <summary>What the audit is asked, and what it refuses rather than report nonsense.</summary>
public sealed class VerifyRequestsTests
{
    [Theory]
    [InlineData("refresh: true", "refresh: true")]
    [InlineData("fingerprint: payload", "fingerprint")]
    [InlineData("time: { payload: $.at }", "time: payload")]
    [InlineData("mode: shadow", "mode")]
    [InlineData("headers: standard\nmode: off", "mode, headers")]
    public async Task Policies_that_the_audit_does_not_know_are_refused_in_one_line(
        string lines,
        string named
    )
    {
        DedupConfig config = Load.Good(Load.WithPipelineLines(lines));
        ProblemException refusal = await Should.ThrowAsync<ProblemException>(() =>
            VerifyRequests.Of(config, config.Pipelines[0], new VerifyOptions())
        );
        refusal.Message.ShouldContain(
            $"pipeline 'orders' has {named}, which this audit does not know"
        );
    }

    [Fact]
    public async Task Windows_by_type_are_audited_by_their_own_window_grace_and_max_future()
    {
        DedupConfig config = Load.Good(
            Load.WithPipelineLines(
                "scope: { type: { header: event-type } }\nwindows: { beat: { window: 5m, grace: 1m } }"
            )
        );
        Audit.AuditRules rules = (
            await VerifyRequests.Of(config, config.Pipelines[0], new VerifyOptions())
        ).Rules;
        rules.WindowOfClass!(0).WindowMs.ShouldBe(86_400_000);
        rules.WindowOfClass(1).ShouldBe(new Audit.AuditWindow(300_000, 60_000));
        rules.MaxFutureOfClass!(1).ShouldBe(75_000);
    }
}
