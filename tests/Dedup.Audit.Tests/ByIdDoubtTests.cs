using Dedup.Audit.Reports;
using Dedup.Audit.Tests.Model;
using Dedup.Topology.Identify;
using Shouldly;
using static Dedup.Audit.Tests.PolicyTests;

namespace Dedup.Audit.Tests;

/// <summary>
/// By-id with a clock that nobody can know: "big" is refused by clean, so that it may have moved the clock of its partition or
/// not. Window 100, grace 0.
/// </summary>
public sealed class ByIdDoubtTests
{
    private static readonly UnknownCount _one = new(UnknownReason.ClockUnsure, 1);

    private static AuditRules Plain { get; } =
        new()
        {
            Recipe = Recipe.Key,
            Window = new AuditWindow(100, 0),
            MaxFutureMs = 3_600_000,
        };

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_repeats_only_by_a_clock_in_doubt_may_be_a_first_that_was_lost(bool isDropped)
    {
        // At 1200 the first has expired, and the second belongs on clean; at 1000 it is a duplicate.
        AuditReport report = Audited(
            Plain,
            2,
            p => _ = isDropped ? Unsure(p, 1200).DropDuplicates() : Unsure(p, 1200).Repeats(0)
        );
        report.Findings.ShouldBeEmpty();
        report.Unknown.ShouldBe([_one]);
        (report.Counts.Undecided, report.Counts.Duplicates).ShouldBe(isDropped ? (1, 0) : (0, 1));
    }

    /// <summary>At 1200 the first no longer counts by the clock of their partition. The other one may be behind, where it does.</summary>
    [Theory]
    [InlineData("on clean")]
    [InlineData("in the duplicates topic")]
    [InlineData("nowhere")]
    public void What_repeats_only_if_the_other_partition_is_behind_may_have_done_so(string place)
    {
        AuditReport report = Audited(
            Plain,
            2,
            p =>
            {
                _ = p.In("a", 1000).Clean().In("b", 1200).Clean().In("a", 1050);
                _ = place switch
                {
                    "on clean" => p.Clean(),
                    "nowhere" => p.DropDuplicates(),
                    _ => p.Repeats(0),
                };
            }
        );
        report.Findings.ShouldBeEmpty();
        report.Unknown.ShouldBe(
            place == "nowhere" ? [new UnknownCount(UnknownReason.MaybeExpired, 1)] : []
        );
        (report.Counts.Late, report.Counts.Duplicates, report.Counts.Undecided).ShouldBe(
            place switch
            {
                "on clean" => (1, 0, 0),
                "nowhere" => (0, 0, 1),
                _ => (0, 1, 0),
            }
        );
    }

    [Fact]
    public void In_neither_place_it_is_reported_whatever_the_clock() =>
        Only(Audited(Plain, 2, static p => Unsure(p, 1200)), FindingKind.LedgerMismatch)
            .InputOffset.ShouldBe(2);

    [Fact]
    public void What_repeats_by_either_clock_is_a_duplicate()
    {
        AuditReport report = Audited(Plain, 2, static p => Unsure(p, 1100).DropDuplicates());
        ShouldBeSound(report);
        report.Counts.Duplicates.ShouldBe(1);
    }

    [Fact]
    public void One_that_counts_whatever_the_clock_is_enough()
    {
        // The other partition's 1110 is near as well, and counts at 1200, too.
        AuditReport report = Audited(
            Plain,
            2,
            static p => Unsure(p, 1200).In(1, "a", 1110).Clean().DropDuplicates()
        );
        ShouldBeSound(report);
        report.Counts.Duplicates.ShouldBe(1);
    }

    [Fact]
    public void A_first_that_had_perhaps_expired_when_it_came_leaves_what_follows_in_doubt()
    {
        AuditReport report = Audited(
            Plain,
            2,
            static p =>
                p.In("big", 1200)
                    .Quarantined("refused-too-large")
                    .In("a", 1000)
                    .Clean()
                    .In(1, "a", 1050)
                    .DropDuplicates()
        );
        report.Findings.ShouldBeEmpty();
        report.Unknown.ShouldBe([_one]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_later_one_of_its_partition_is_none_that_it_repeats(bool isNearAnEarlierOne)
    {
        // At 1200 all are firsts. 1120 counts at 1200 still, but came after 1050.
        AuditReport report = Audited(
            Plain,
            2,
            p =>
            {
                _ = isNearAnEarlierOne ? p.In("a", 1000).Clean() : p;
                _ = p.In("big", 1200)
                    .Quarantined("refused-too-large")
                    .In("a", 1050)
                    .In("a", 1120)
                    .Clean()
                    .DropDuplicates();
            }
        );
        report.Findings.ShouldBeEmpty();
        report.Unknown.ShouldBe([_one]);
    }

    [Fact]
    public void With_refresh_the_doubt_goes_on_along_the_chain()
    {
        // The clock of partition 1 is known; what 1140 repeats is in doubt, and what 1220 repeats with it.
        static AuditReport Chain(long refusedMs) =>
            Audited(
                Plain with
                {
                    Refresh = true,
                },
                2,
                p =>
                    _ = Unsure(p, refusedMs)
                        .In(1, "a", 1140)
                        .In(1, "a", 1220)
                        .In(1, "b", 1230)
                        .Clean()
                        .DropDuplicates()
            );

        AuditReport report = Chain(1200);
        report.Findings.ShouldBeEmpty();
        report.Unknown.ShouldBe([_one with { Count = 3 }]);
        // And where the refused record is too early to matter, all three repeat.
        report = Chain(1100);
        ShouldBeSound(report);
        report.Counts.Duplicates.ShouldBe(3);
    }

    private static Placed Unsure(Placed p, long refusedMs) =>
        p.In("a", 1000).Clean().In("big", refusedMs).Quarantined("refused-too-large").In("a", 1050);
}
