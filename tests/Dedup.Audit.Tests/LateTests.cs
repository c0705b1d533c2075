using Dedup.Audit.Reports;
using Dedup.Audit.Tests.Model;
using Shouldly;

namespace Dedup.Audit.Tests;

/// <summary>Late records and bad timestamps under each policy. Window 100, grace 50: at clock 1000, late is below 950.</summary>
public sealed class LateTests
{
    private static Pair With(AuditLatePolicy policy) =>
        new Pair(100, 50, policy)
            .Put("a", 1000)
            .Put("late", 949)
            .Put("on time", 950)
            .Put("late", 949)
            .Put("b", 1001);

    [Fact]
    public void Forwarded_late_records_belong_on_clean_and_are_remembered()
    {
        Pair pair = With(AuditLatePolicy.Forward);
        AuditReport report = pair.Audit();
        report.IsSound.ShouldBeTrue();
        (report.Counts.Late, report.Counts.Duplicates, report.Counts.First).ShouldBe((1, 1, 3));
        pair.Clean.RemoveAt(1);
        DamageTests.Lost(pair.Audit()).ShouldBe([1]);
    }

    [Fact]
    public void Late_beyond_window_and_grace_comes_through_each_time()
    {
        // 849 + 100 + 50 < 1000: an entry for it would have expired already.
        Pair pair = new Pair(100, 50)
            .Put("a", 1000)
            .Put("late", 849)
            .Put("b", 1000)
            .Put("late", 849)
            .Put("c", 1000);
        AuditReport report = pair.Audit();
        report.IsSound.ShouldBeTrue();
        report.Counts.Late.ShouldBe(2);

        pair.Clean.RemoveAt(1);
        DamageTests.Lost(pair.Audit()).ShouldBe([1]);
    }

    [Fact]
    public void The_second_of_two_equal_late_records_is_the_one_that_is_lost()
    {
        Pair pair = new Pair(100, 50)
            .Put("a", 1000)
            .Put("late", 849)
            .Put("b", 1000)
            .Put("late", 849)
            .Put("c", 1000);
        pair.Clean.RemoveAt(3);
        DamageTests.Lost(pair.Audit()).ShouldBe([3]);
    }

    [Theory]
    [InlineData(AuditLatePolicy.Drop)]
    [InlineData(AuditLatePolicy.Quarantine)]
    public void A_late_record_on_clean_against_the_policy_is_a_ledger_mismatch(
        AuditLatePolicy policy
    )
    {
        Pair pair = With(policy);
        AuditReport report = pair.Audit();
        report.IsSound.ShouldBeTrue();
        (
            policy == AuditLatePolicy.Drop
                ? report.Counts.Dropped
                : report.Counts.QuarantinedUnchecked
        ).ShouldBe(2);
        pair.Clean.Insert(1, pair.Input.Rows()[1]);
        DamageTests.Only(pair.Audit(), FindingKind.LedgerMismatch).CleanOffset.ShouldBe(1);
    }

    [Fact]
    public void Records_that_cannot_be_judged_are_expected_in_quarantine_and_counted_as_unchecked()
    {
        Pair pair = new Pair(100, 50)
            .Put("a", 1000)
            .Put((string?)null, 1000)
            .Put("b", 0)
            .Put("c", -1)
            .Put("d", Pair.Now + 3_600_001)
            .Put("e", 1001);
        AuditReport report = pair.Audit();
        report.IsSound.ShouldBeTrue();
        (report.Counts.Quarantined, report.Counts.QuarantinedUnchecked).ShouldBe((4, 4));
        report.Counts.First.ShouldBe(2);
    }

    [Fact]
    public void One_of_them_on_clean_is_a_ledger_mismatch()
    {
        Pair pair = new Pair(100, 50).Put("a", 1000).Put((string?)null, 1000).Put("e", 1001);
        pair.Clean.Insert(1, pair.Input.Rows()[1]);
        DamageTests.Only(pair.Audit(), FindingKind.LedgerMismatch).InputOffset.ShouldBe(1);
    }

    [Fact]
    public void A_lone_leap_of_time_that_is_missing_is_unknown_without_quarantine_and_known_with_it()
    {
        // Processed when the wall clock stood at 2000; max-future 1000; the audit comes much later.
        var pair = new Pair(100, 50) { MaxFuture = 1000, WallClock = 2000 };
        _ = pair.Put("a", 1900).Put("leap", 3001).Put("b", 1901).Put("b", 1902).Put("c", 1903);
        AuditReport blind = pair.Audit();
        blind.IsSound.ShouldBeTrue();
        blind.Unknown[0].Reason.ShouldBe(UnknownReason.TimestampMaybeTooFar);

        pair.WithQuarantine = true;
        AuditReport report = pair.Audit();
        report.IsSound.ShouldBeTrue();
        report.UnknownTotal.ShouldBe(0);
        (report.Counts.Quarantined, report.Counts.InQuarantineTopic).ShouldBe((1, 1));
    }

    [Fact]
    public void A_leap_of_the_whole_stream_excuses_nothing()
    {
        var pair = new Pair(100, 50) { MaxFuture = 1000 };
        _ = pair.Put("a", 1900).Put("b", 90_000).Put("c", 90_001);
        pair.Clean.RemoveAt(1);
        DamageTests.Lost(pair.Audit()).ShouldBe([1]);
    }
}
