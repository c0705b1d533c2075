using Dedup.Audit.Reports;
using Dedup.Audit.Tests.Model;
using Dedup.Topology.Identify;
using Dedup.Topology.Identify.Sources;
using Shouldly;
using static Dedup.Audit.Tests.PolicyTests;

namespace Dedup.Audit.Tests;

/// <summary>
/// By-id with equal input records (a producer's retries) of which fewer are on clean: which of them it was. Window 100, grace
/// 500, one partition between the hops, so that all order counts. "far" moves a clock to where all else has expired.
/// </summary>
public sealed class ByIdCopiesTests
{
    private static AuditRules Plain { get; } =
        new()
        {
            Recipe = Recipe.Key,
            Window = new AuditWindow(100, 500),
            MaxFutureMs = 3_600_000,
        };

    [Fact]
    public void A_retry_that_came_too_late_is_on_clean_where_the_one_before_repeated_other_contents()
    {
        AuditReport report = Audit(static p =>
            Far(p.In("a", 1000, "x").Clean().In("a", 1050, "y")).In("a", 1050, "y").Clean()
        );
        ShouldBeSound(report);
        (report.Counts.First, report.Counts.Late, report.Counts.Duplicates).ShouldBe((2, 1, 1));
    }

    [Fact]
    public void What_the_one_before_repeated_may_be_of_another_partition()
    {
        AuditReport report = Audit(static p =>
            Far(p.In(1, "a", 1000, "x").Clean().In("a", 1050, "y"), 1).In("a", 1050, "y").Clean()
        );
        ShouldBeSound(report);
        (report.Counts.First, report.Counts.Late, report.Counts.Duplicates).ShouldBe((3, 1, 1));
    }

    [Fact]
    public void One_that_came_through_in_place_of_the_late_one_stands_out_of_order() =>
        Only(
            Audit(static p =>
                Far(p.In("a", 1000, "x").Clean().In("a", 1050, "y").Clean()).In("a", 1050, "y")
            ),
            FindingKind.OutOfOrder
        );

    [Fact]
    public void One_that_came_through_beside_the_late_one_is_twice() =>
        Only(
            Audit(static p =>
                Far(p.In("a", 1000, "x").Clean().In("a", 1050, "y").Clean())
                    .In("a", 1050, "y")
                    .Clean()
            ),
            FindingKind.Twice
        )
            .InputOffset.ShouldBe(1);

    [Fact]
    public void The_only_one_that_came_through_is_twice_where_none_is_late() =>
        Only(
            Audit(static p =>
                p.In("a", 1000, "x")
                    .Clean()
                    .In("a", 1050, "y")
                    .In("a", 1050, "y")
                    .Clean()
                    .In("b", 1060)
                    .Clean()
            ),
            FindingKind.Twice
        )
            .CleanOffset.ShouldBe(1);

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void Which_of_two_late_ones_a_slower_partition_kept_back_does_not_show(
        bool isEarlier,
        bool isLater
    )
    {
        // Partition 1 is at 1000 until it comes to "far": what is remembered counts until then, for partition 0 as well.
        AuditReport report = Audit(p =>
        {
            _ = Far(p.In(1, "c", 1000).Clean().In("a", 1000).Clean()).In("a", 1000);
            _ = isEarlier ? p.Clean() : p;
            _ = p.In("d", 5000).Clean().In(1, "far1", 5000).Clean().In("a", 1000);
            _ = isLater ? p.Clean() : p;
        });
        report.Findings.ShouldBeEmpty();
        report.Unknown.ShouldBe([new UnknownCount(UnknownReason.MaybeExpired, 1)]);
    }

    [Fact]
    public void Late_ones_that_are_all_on_clean_have_their_order()
    {
        static AuditReport With(bool isMoved) =>
            Audit(p =>
            {
                Placed two = Far(p.In("a", 1000).Clean()).In("a", 1000).Clean();
                // Before the last of them in the input, and on clean behind it.
                _ = isMoved
                    ? two.In("d", 5000).In("a", 1000).Clean().CleanLater("d", 5000)
                    : two.In("d", 5000).Clean().In("a", 1000).Clean();
            });

        ShouldBeSound(With(isMoved: false));
        Only(With(isMoved: true), FindingKind.OutOfOrder);
    }

    [Fact]
    public void A_late_one_in_the_duplicates_topic_leaves_the_order_of_the_other_known()
    {
        static AuditReport With(bool isMoved) =>
            Audited(
                Plain,
                1,
                p =>
                {
                    _ = Far(p.In("a", 1000).Clean());
                    _ = isMoved
                        ? p.In("d", 5000).In("a", 1000).Clean().CleanLater("d", 5000)
                        : p.In("d", 5000).Clean().In("a", 1000).Clean();
                    _ = p.In("a", 1000).Repeats(0);
                }
            );

        ShouldBeSound(With(isMoved: false));
        Only(With(isMoved: true), FindingKind.OutOfOrder);
    }

    [Fact]
    public void With_conflicts_on_clean_the_one_that_all_else_had_expired_for_came_through()
    {
        AuditReport report = Conflicting(
            1,
            static p => Conflict(p).In("far", 5000).Clean().In("a", 1010, "x").Clean()
        );
        report.Findings.ShouldBeEmpty();
        report.Unknown.ShouldBe([new UnknownCount(UnknownReason.ConflictOrder, 1)]);
        report.Counts.Late.ShouldBe(1);
    }

    [Fact]
    public void With_conflicts_on_clean_one_that_came_through_in_its_place_stands_out_of_order() =>
        Only(
            Conflicting(
                1,
                static p => Conflict(p).Clean().In("far", 5000).Clean().In("a", 1010, "x")
            ),
            FindingKind.OutOfOrder
        );

    [Fact]
    public void With_conflicts_on_clean_one_behind_later_ones_of_its_ID_is_a_later_copy()
    {
        AuditReport report = Conflicting(
            2,
            static p =>
                Far(p.In(1, "a", 1000, "x").Clean().In("a", 1050, "x"), 1)
                    .In("a", 1050, "y")
                    .Clean()
                    .In("a", 1050, "x")
                    .Clean()
        );
        report.Findings.ShouldBeEmpty();
        report.Unknown.ShouldBe([new UnknownCount(UnknownReason.ConflictOrder, 2)]);
    }

    /// <summary>
    /// The first is within a window of x alone, the second of y as well, which has come since and counts then. Unknown are
    /// both: which one is on clean, and whether that conflicts.
    /// </summary>
    [Fact]
    public void Which_of_two_was_a_conflict_with_one_of_another_partition_does_not_show()
    {
        AuditReport report = Conflicting(
            2,
            static p =>
                p.In("a", 1000, "x")
                    .Clean()
                    .In("a", 1090, "x")
                    .In(1, "a", 1180, "y")
                    .Clean()
                    .In("d", 1180)
                    .Clean()
                    .In("a", 1090, "x")
                    .Clean()
        );
        report.Findings.ShouldBeEmpty();
        report.Unknown.ShouldBe([new UnknownCount(UnknownReason.ConflictOrder, 2)]);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Conflicts_on_clean_change_nothing_where_there_are_none(int partitions)
    {
        AuditReport With(bool isFirst) =>
            Conflicting(
                partitions,
                p =>
                {
                    _ = p.In("a", 1000, "x").Clean().In("a", 1050, "x");
                    _ = isFirst ? p.Clean() : p;
                    _ = Far(p, partitions == 2 ? [1] : []).In("a", 1050, "x");
                    _ = isFirst ? p : p.Clean();
                }
            );

        ShouldBeSound(With(isFirst: false));
        Only(With(isFirst: true), FindingKind.OutOfOrder);
    }

    /// <summary>x first, y a conflict with it, and another x that repeats the first; but for the last all on clean.</summary>
    private static Placed Conflict(Placed p) =>
        p.In("a", 1000, "x").Clean().In("a", 1010, "y").Clean().In("a", 1010, "x");

    private static AuditReport Conflicting(int partitions, Action<Placed> place) =>
        Audited(
            Plain with
            {
                Recipe = new Recipe([new KeySource()], null, new Fingerprint()),
                Conflict = AuditConflictPolicy.Clean,
            },
            1,
            p => place(p.DropDuplicates()),
            partitions
        );

    private static AuditReport Audit(Action<Placed> place) =>
        Audited(Plain, 1, p => place(p.DropDuplicates()));

    private static Placed Far(Placed p, params int[] others)
    {
        foreach (int partition in others)
        {
            _ = p.In(partition, $"far{partition}", 5000).Clean();
        }

        return p.In("far", 5000).Clean();
    }
}
