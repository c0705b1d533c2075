using Dedup.Audit.Reports;
using Dedup.Audit.Tests.Model;
using Shouldly;

namespace Dedup.Audit.Tests;

/// <summary>Records that a tenant's quota kept from clean. Window 100, grace 50.</summary>
public sealed class QuotaTests
{
    private static Pair With(AuditLatePolicy late = AuditLatePolicy.Forward)
    {
        var pair = new Pair(100, 50, late) { WithQuarantine = true };
        _ = pair.OverQuota.Add("x");
        return pair;
    }

    [Fact]
    public void A_record_in_quarantine_as_over_quota_is_not_lost_and_not_remembered()
    {
        Pair pair = With().Put("a", 1000).Put("x", 1001);
        _ = pair.OverQuota.Remove("x");
        AuditReport report = pair.Put("x", 1002).Put("x", 1003).Audit();
        report.IsSound.ShouldBeTrue();
        (report.Counts.First, report.Counts.Duplicates, report.Counts.InQuarantineTopic).ShouldBe(
            (2, 1, 1)
        );
    }

    [Fact]
    public void It_was_judged_and_moves_the_clock()
    {
        Pair pair = With(AuditLatePolicy.Drop).Put("a", 1000).Put("x", 1060).Put("late", 1009);
        AuditReport report = pair.Audit();
        report.IsSound.ShouldBeTrue();
        report.Counts.Dropped.ShouldBe(1);
    }

    [Fact]
    public void One_without_an_id_cannot_be_over_a_quota()
    {
        var pair = new Pair(100, 50) { WithQuarantine = true };
        _ = pair.Put("a", 1000).Put((string?)null, 1000);
        pair.Quarantine[0] = pair.Quarantined(pair.Input.Rows()[1], "over-quota");
        pair.Audit().IsSound.ShouldBeFalse();
    }

    [Fact]
    public void A_record_that_was_replayed_out_of_quarantine_keeps_its_headers_of_then_as_its_own()
    {
        var pair = new Pair(100, 50) { WithQuarantine = true };
        _ = pair.OverQuota.Add("x");
        Row once = pair.Quarantined(Row.Of("x", "v", 1000), "no-id");
        _ = pair.Put("a", 1000).Put(once with { Ts = 1001 });
        Row again = pair.Quarantined(Row.Of("x", "v", 1000), "over-quota");
        _ = pair.Put(again with { Ts = 1002 });
        AuditReport report = pair.Audit();
        report.IsSound.ShouldBeTrue();
        report.Counts.InQuarantineTopic.ShouldBe(2);
    }
}
