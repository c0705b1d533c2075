using Dedup.Audit.Reports;
using Dedup.Audit.Tests.Model;
using Dedup.Topology.Identify;
using Dedup.Topology.Identify.Sources;
using Shouldly;
using static Dedup.Audit.Tests.PolicyTests;

namespace Dedup.Audit.Tests;

/// <summary>
/// Equal input records of which the definition alone does not say who came through: a record on clean is evidence for one of
/// them. By-input; window 100, grace 500, unless it says otherwise.
/// </summary>
public sealed class EqualCopiesTests
{
    private static AuditRules Refreshed { get; } =
        new()
        {
            Recipe = Recipe.Key,
            Window = new AuditWindow(100, 500),
            MaxFutureMs = 3_600_000,
            Refresh = true,
        };

    [Theory]
    [InlineData(AuditLatePolicy.Drop, false)]
    [InlineData(AuditLatePolicy.Drop, true)]
    [InlineData(AuditLatePolicy.Forward, true)]
    [InlineData(AuditLatePolicy.Quarantine, true)]
    public void The_firsts_own_record_on_clean_is_none_of_an_equal_one_that_came_too_late(
        AuditLatePolicy late,
        bool isDuplicate
    )
    {
        // At 1700 the first has expired; what the window counted from at 1080 is there or has been replaced.
        AuditReport report = Audited(
            Refreshed with
            {
                Late = late,
            },
            0,
            p => _ = isDuplicate ? Again(p).Repeats(0) : Again(p)
        );
        report.Findings.ShouldBeEmpty();
        report.Unknown.ShouldBe([new UnknownCount(UnknownReason.MaybeReplaced, 1)]);
        (report.Counts.First, report.Counts.Undecided).ShouldBe((2, isDuplicate ? 0 : 1));
    }

    [Fact]
    public void Both_on_clean_are_told_from_one_more()
    {
        AuditReport report = Audited(Refreshed, 0, static p => Again(p).Clean());
        report.Findings.ShouldBeEmpty();
        report.Unknown.ShouldBe([new UnknownCount(UnknownReason.MaybeReplaced, 1)]);
        (report.Counts.First, report.Counts.Clean).ShouldBe((3, 3));
        Only(Audited(Refreshed, 0, static p => Again(p).Clean().Clean()), FindingKind.Twice)
            .CleanOffset.ShouldBe(3);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_first_is_lost_where_nothing_equal_stands_in_its_place(bool isLaterOneThere)
    {
        AuditReport report = Audited(
            Refreshed,
            0,
            p =>
            {
                Placed again = Chain(p.In("a", 1000)).In("b", 1700).Clean().In("a", 1000);
                _ = isLaterOneThere ? again.Clean() : again;
            }
        );
        Only(report, FindingKind.Lost).InputOffset.ShouldBe(0);
        report.Unknown.ShouldBe([new UnknownCount(UnknownReason.MaybeReplaced, 1)]);
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void Either_of_two_may_be_the_one_that_came_through(bool isEarlier, bool isLater)
    {
        // Both are near what the window has counted from in between (1080 to 1240), and near nothing that is sure.
        AuditReport report = Audited(
            Refreshed,
            0,
            p =>
            {
                _ = Chain(p.DropDuplicates().In("a", 1000).Clean()).In("a", 1130);
                _ = isEarlier ? p.Clean() : p;
                _ = p.In("b", 1325).Clean().In("a", 1130);
                _ = isLater ? p.Clean() : p;
            }
        );
        report.Findings.ShouldBeEmpty();
        report.Unknown.ShouldBe([new UnknownCount(UnknownReason.MaybeReplaced, 2)]);
    }

    [Fact]
    public void With_conflicts_forwarded_a_first_on_clean_does_not_make_an_equal_one_a_conflict()
    {
        AuditRules rules = Refreshed with
        {
            Recipe = new Recipe([new KeySource()], null, new Fingerprint()),
            Conflict = AuditConflictPolicy.Clean,
        };
        // The last repeats the first; whether something later and of other content is compared with is unknown because of y.
        AuditReport report = Audited(
            rules,
            0,
            static p =>
                Chain(p.DropDuplicates().In("a", 1000).Clean())
                    .In("a", 1130, "y")
                    .Clean()
                    .In("a", 1000)
        );
        report.Findings.ShouldBeEmpty();
        report.Unknown.ShouldBe([new UnknownCount(UnknownReason.MaybeReplaced, 2)]);
    }

    [Theory]
    [InlineData(AuditLatePolicy.Drop)]
    [InlineData(AuditLatePolicy.Quarantine)]
    public void Near_a_deleted_beginning_a_late_one_is_not_lost_because_an_equal_one_is_on_clean(
        AuditLatePolicy late
    )
    {
        Pair pair = new Pair(100, 50, late)
            .Put("x", 10)
            .Put("a", 20)
            .Put("b", 400)
            .Put("a", 20)
            .Put("c", 401);
        pair.Input.DeleteBefore(1);
        AuditReport report = pair.Audit();
        report.Findings.ShouldBeEmpty();
        report.Unknown.ShouldBe(
            [
                new UnknownCount(UnknownReason.InputHistoryDeleted, 1),
                new UnknownCount(UnknownReason.InputDeleted, 1),
            ],
            ignoreOrder: true
        );
    }

    [Fact]
    public void Near_a_deleted_beginning_the_later_of_two_may_be_the_one_that_came_through()
    {
        // The first a that is left repeats the deleted one; that has expired when the same comes again.
        Pair pair = new Pair(100, 50)
            .Put("a", 10)
            .Put("a", 20)
            .Put("b", 200)
            .Put("a", 20)
            .Put("c", 201);
        pair.Input.DeleteBefore(1);
        AuditReport report = pair.Audit();
        report.Findings.ShouldBeEmpty();
        report
            .Unknown.Single(static u => u.Reason == UnknownReason.InputHistoryDeleted)
            .Count.ShouldBe(2);
    }

    [Fact]
    public void Near_a_deleted_beginning_equal_ones_in_time_are_a_first_and_its_duplicate()
    {
        Pair pair = new Pair(100, 50).Put("x", 10).Put("a", 20).Put("a", 20).Put("b", 40);
        pair.Input.DeleteBefore(1);
        AuditReport report = pair.Audit();
        report.Findings.ShouldBeEmpty();
        report.Unknown.ShouldBe([new UnknownCount(UnknownReason.InputDeleted, 1)]);
        report.Counts.Duplicates.ShouldBe(1);
    }

    private static Placed Again(Placed p) =>
        Chain(p.In("a", 1000).Clean()).In("b", 1700).Clean().In("a", 1000);

    private static Placed Chain(Placed p)
    {
        foreach (long timeMs in (long[])[1080, 1160, 1240, 1320])
        {
            _ = p.In("a", timeMs).Repeats(0);
        }

        return p;
    }
}
