using Dedup.Audit.Reports;
using Dedup.Audit.Tests.Model;
using Shouldly;

namespace Dedup.Audit.Tests;

/// <summary>What cannot be told from outside is unknown, never lost or twice. Window 100, grace 50.</summary>
public sealed class HistoryTests
{
    [Fact]
    public void A_missing_record_near_a_deleted_beginning_may_repeat_a_deleted_one()
    {
        // Offset 0 (a@10) is deleted; a@30 is its duplicate and now looks like a first.
        Pair pair = new Pair(100, 50).Put("a", 10).Put("b", 20).Put("a", 30).Put("c", 40);
        pair.Input.DeleteBefore(1);
        AuditReport report = pair.Audit();
        report.IsSound.ShouldBeTrue();
        report.Unknown.ShouldBe([
            new UnknownCount(UnknownReason.InputHistoryDeleted, 1),
            new UnknownCount(UnknownReason.InputDeleted, 1),
        ]);
    }

    [Fact]
    public void What_the_pipeline_did_there_is_followed()
    {
        // a@30 repeats the deleted a@10; a@115 is first again, though it repeats the a@30 that is left.
        Pair pair = new Pair(100, 50).Put("a", 10).Put("a", 30).Put("a", 115).Put("b", 120);
        pair.Input.DeleteBefore(1);
        AuditReport report = pair.Audit();
        report.IsSound.ShouldBeTrue();
        report.Counts.First.ShouldBe(2);
    }

    [Fact]
    public void A_record_beyond_window_and_grace_of_the_beginning_is_lost()
    {
        // First that is left: 20. 20 + 100 + 50 = 170 is the last in doubt.
        Pair pair = new Pair(100, 50).Put("a", 10).Put("b", 20).Put("c", 170).Put("d", 171);
        pair.Input.DeleteBefore(1);
        _ = pair.Clean.RemoveAll(r => r.KeyText is "c" or "d" or "a");
        AuditReport report = pair.Audit();
        report.CountOf(FindingKind.Lost).ShouldBe(1);
        report.Findings[0].Shown[0].InputOffset.ShouldBe(3);
        report.Unknown.ShouldBe([new UnknownCount(UnknownReason.InputHistoryDeleted, 1)]);
    }

    [Fact]
    public void A_foreign_record_behind_the_beginning_stays_foreign()
    {
        Pair pair = new Pair(100, 50).Put("a", 10).Put("b", 20).Put("c", 40);
        pair.Input.DeleteBefore(1);
        pair.Clean.Insert(2, Row.Of("z", "z", 30));
        AuditReport report = pair.Audit();
        report.CountOf(FindingKind.Foreign).ShouldBe(1);
        report.Findings.Count.ShouldBe(1);
        report.Unknown.ShouldBe([new UnknownCount(UnknownReason.InputDeleted, 1)]);
    }

    [Fact]
    public void A_deleted_beginning_of_clean_is_unknown_and_only_that()
    {
        Pair pair = new Pair(100, 50).Put("a", 10).Put("b", 20).Put("c", 30).Put("d", 40);
        pair.CleanDeleted = 2;
        pair.Audit().Unknown.ShouldBe([new UnknownCount(UnknownReason.CleanDeleted, 2)]);
        _ = pair.Clean.RemoveAll(r => r.KeyText == "d");
        DamageTests.Lost(pair.Audit()).ShouldBe([3]);
    }

    [Fact]
    public void Compaction_of_the_input_leaves_no_finding()
    {
        Pair pair = new Pair(100, 50)
            .Put("x", 5)
            .Put("a", 10)
            .Put("b", 20)
            .Put("a", 30)
            .Put("c", 40);
        pair.Input.Compact(r => r.Offset == 1);
        AuditReport report = pair.Audit();
        report.IsSound.ShouldBeTrue();
        report.UnknownTotal.ShouldBe(2);
    }

    [Fact]
    public void Holes_in_an_input_that_is_not_compacted_are_no_excuse()
    {
        var pair = new Pair(100, 50);
        _ = pair.Put(Row.Of("a", "v", 10))
            .Put(Row.Of("b", "v", 20), skip: 3)
            .Put(Row.Of("c", "v", 30), skip: 1);
        pair.Clean.RemoveAt(1);
        DamageTests.Lost(pair.Audit()).ShouldBe([4]);
    }

    [Fact]
    public void A_compacted_clean_topic_makes_missing_records_unknown()
    {
        Pair pair = new Pair(100, 50).Put("a", 10).Put("b", 20).Put("a", 200);
        pair.CleanCompacted = true;
        pair.Clean.RemoveAt(0);
        pair.Audit().Unknown.ShouldBe([new UnknownCount(UnknownReason.Compacted, 1)]);
    }

    [Fact]
    public void An_open_transaction_on_clean_makes_what_is_behind_it_unknown()
    {
        Pair pair = new Pair(100, 50).Put("a", 10).Put("b", 20).Put("c", 30);
        pair.CleanLastStable = 2;
        AuditReport report = pair.Audit();
        report.Unknown.ShouldBe([new UnknownCount(UnknownReason.CleanPending, 1)]);
        report.Notes.ShouldHaveSingleItem().ShouldContain("transaction stays open");
    }

    [Fact]
    public void Behind_the_committed_offset_nothing_is_lost_and_what_is_on_clean_already_is_not_foreign()
    {
        Pair pair = new Pair(100, 50).Put("a", 10).Put("b", 20).Put("c", 30).Put("d", 40);
        pair.Clean.RemoveAt(3);
        pair.Committed = new Dictionary<int, long> { [0] = 2 };
        pair.CommittedNow = _ => 3;
        AuditReport report = pair.Audit();
        report.IsSound.ShouldBeTrue();
        (report.Counts.In, report.Counts.Clean, report.Counts.CleanAhead).ShouldBe((2, 3, 1));
    }

    [Fact]
    public void A_group_without_offsets_audits_nothing()
    {
        Pair pair = new Pair(100, 50).Put("a", 10);
        pair.Clean.Clear();
        pair.Committed = new Dictionary<int, long>();
        AuditReport report = pair.Audit();
        report.Counts.In.ShouldBe(0);
        report.IsSound.ShouldBeTrue();
    }
}
