using Dedup.Audit.Reports;
using Dedup.Audit.Tests.Model;
using Dedup.Topology.Identify;
using Dedup.Topology.Identify.Json;
using Dedup.Topology.Identify.Sources;
using Shouldly;

namespace Dedup.Audit.Tests;

/// <summary>
/// The policies of docs/policies.md from outside, for by-input (0 partitions between the hops) and by-id (2). Window 100,
/// grace 500, unless it says otherwise. Each sound placement reports nothing, each damaged one exactly the damage.
/// </summary>
public sealed class PolicyTests
{
    public static TheoryData<int> Partitionings => [0, 2];

    private static AuditRules Plain { get; } =
        new()
        {
            Recipe = Recipe.Key,
            Window = new AuditWindow(100, 500),
            MaxFutureMs = 3_600_000,
        };

    private static AuditRules Compared { get; } =
        Plain with
        {
            Recipe = new Recipe([new KeySource()], null, new Fingerprint()),
        };

    [Theory]
    [MemberData(nameof(Partitionings))]
    public void With_refresh_the_window_counts_from_the_last_occurrence(int between)
    {
        AuditRules rules = Plain with { Refresh = true };
        AuditReport report = Audited(rules, between, p => Chain(p).In("a", 1261).Clean());
        ShouldBeSound(report);
        (report.Counts.First, report.Counts.Duplicates).ShouldBe((2, 2));
        // Without refresh the third would be a first again.
        Audited(Plain, between, p => Chain(p).In("a", 1261).Clean())
            .CountOf(FindingKind.Lost)
            .ShouldBe(1);
    }

    [Theory]
    [MemberData(nameof(Partitionings))]
    public void With_refresh_one_that_is_let_through_is_twice_and_one_suppressed_too_much_is_lost(
        int between
    )
    {
        AuditRules rules = Plain with { Refresh = true };
        AuditReport twice = Audited(
            rules,
            between,
            p =>
                p.DropDuplicates()
                    .In("a", 1000)
                    .Clean()
                    .In("a", 1080)
                    .Repeats(0)
                    .In("a", 1160)
                    .Clean()
        );
        Only(twice, FindingKind.Twice).InputOffset.ShouldBe(2);
        AuditReport lost = Audited(rules, between, p => Chain(p).In("a", 1261).Repeats(0));
        Only(lost, FindingKind.Lost).InputOffset.ShouldBe(3);
    }

    [Fact]
    public void With_refresh_one_near_an_occurrence_that_may_have_been_replaced_is_unknown()
    {
        AuditRules rules = Plain with { Refresh = true };
        foreach (bool isFirst in (bool[])[true, false])
        {
            // 1130 is more than 100 from the first (1000) and from the last (1320), and near two in between.
            AuditReport report = Audited(
                rules,
                0,
                p =>
                {
                    _ = Chain(p).In("a", 1240).Repeats(0).In("a", 1320).Repeats(0);
                    _ = isFirst ? p.In("a", 1130).Clean() : p.In("a", 1130).Repeats(0);
                }
            );
            report.Findings.ShouldBeEmpty();
            report.Unknown.ShouldBe([new UnknownCount(UnknownReason.MaybeReplaced, 1)]);
        }
    }

    [Fact]
    public void With_refresh_one_on_clean_that_may_be_a_conflict_is_not_taken_to_be_remembered()
    {
        AuditRules rules = Compared with
        {
            Refresh = true,
            Conflict = AuditConflictPolicy.Clean,
            Late = AuditLatePolicy.Quarantine,
        };
        // Both y are near what the window has counted from in between (1080 to 1240), and near nothing that is sure: conflicts,
        // which are not remembered. So at 1725 the x near them is near nothing that still counts, and late.
        AuditReport report = Audited(
            rules,
            0,
            p =>
                LongChain(p)
                    .In("b", 1700)
                    .Clean()
                    .In("a", 1130, "y")
                    .Clean()
                    .In("a", 1131, "y")
                    .Clean()
                    .In("c", 1725)
                    .Clean()
                    .In("a", 1031, "x")
                    .Quarantined("late")
        );
        report.Findings.ShouldBeEmpty();
        report.Unknown.ShouldBe([new UnknownCount(UnknownReason.MaybeReplaced, 2)]);
    }

    [Fact]
    public void With_refresh_one_on_clean_that_cannot_be_a_conflict_is_remembered_as_a_first()
    {
        AuditRules rules = Compared with { Refresh = true, Conflict = AuditConflictPolicy.Clean };
        AuditReport report = Audited(
            rules,
            0,
            p => LongChain(p.DropDuplicates()).In("a", 1130, "x").Clean().In("a", 1131, "x").Clean()
        );
        Only(report, FindingKind.Twice).InputOffset.ShouldBe(6);
    }

    [Theory]
    [MemberData(nameof(Partitionings))]
    public void With_refresh_a_late_one_that_nothing_remembers_does_not_hide_the_chain_before_it(
        int between
    )
    {
        // At 1615 the window still counts from 1030, and no longer from the first: 960 repeats the one that moved it. The last
        // had expired itself when it came, so that it stands on clean between the two and is no part of the chain.
        static void Place(Placed p) =>
            p.In("a", 1000)
                .Clean()
                .In("a", 1030)
                .Repeats(0)
                .In("b", 1615)
                .Clean()
                .In("a", 960)
                .Repeats(0)
                .In("c", 1640)
                .Clean()
                .In("a", 1010)
                .Clean();
        AuditReport report = Audited(Plain with { Refresh = true }, between, Place);
        ShouldBeSound(report);
        (report.Counts.Duplicates, report.Counts.Late).ShouldBe((2, 1));
        report = Audited(Plain, between, Place);
        if (between == 0)
        {
            Only(report, FindingKind.Lost).InputOffset.ShouldBe(3);
            return;
        }

        // The duplicates topic has it as a repeat of the first at 1000: kept for the other partition, which had sent nothing.
        ShouldBeSound(report);
    }

    [Theory]
    [MemberData(nameof(Partitionings))]
    public void A_conflict_belongs_where_its_policy_says(int between)
    {
        ShouldBeSound(
            Audited(Compared, between, p => Known(p).In("a", 1002, "y").Quarantined("conflict"))
        );
        ShouldBeSound(
            Audited(
                Compared with
                {
                    Conflict = AuditConflictPolicy.Duplicate,
                },
                between,
                p => Known(p).In("a", 1002, "y").Repeats(0)
            )
        );
        AuditReport forwarded = Audited(
            Compared with
            {
                Conflict = AuditConflictPolicy.Clean,
            },
            between,
            p => Known(p).In("a", 1002, "y").Clean()
        );
        ShouldBeSound(forwarded);
        forwarded.Counts.Clean.ShouldBe(2);
    }

    [Theory]
    [MemberData(nameof(Partitionings))]
    public void A_conflict_elsewhere_is_reported(int between)
    {
        AuditReport nowhere = Audited(Compared, between, p => Known(p).In("a", 1002, "y"));
        Only(nowhere, FindingKind.Lost).InputOffset.ShouldBe(2);
        AuditReport asDuplicate = Audited(
            Compared,
            between,
            p => Known(p).In("a", 1002, "y").Repeats(0)
        );
        asDuplicate.CountOf(FindingKind.Lost).ShouldBe(1);
        asDuplicate.CountOf(FindingKind.LedgerMismatch).ShouldBe(1);
        AuditReport missing = Audited(
            Compared with
            {
                Conflict = AuditConflictPolicy.Clean,
            },
            between,
            p => Known(p).In("a", 1002, "y")
        );
        Only(missing, FindingKind.Lost).InputOffset.ShouldBe(2);
    }

    [Theory]
    [MemberData(nameof(Partitionings))]
    public void A_quarantine_as_conflict_without_another_content_does_not_hold(int between)
    {
        AuditReport report = Audited(
            Compared,
            between,
            p => p.In("a", 1000, "x").Clean().In("a", 1001, "x").Quarantined("conflict")
        );
        Only(report, FindingKind.LedgerMismatch).Detail.ShouldContain("conflict");
        // Nor where nothing is compared.
        report = Audited(
            Plain,
            between,
            p => p.In("a", 1000, "x").Clean().In("a", 1001, "y").Quarantined("conflict")
        );
        Only(report, FindingKind.LedgerMismatch).InputOffset.ShouldBe(1);
    }

    [Theory]
    [MemberData(nameof(Partitionings))]
    public void Time_buckets_take_the_place_of_the_window_without_chains(int between)
    {
        AuditRules rules = Plain with
        {
            Recipe = new Recipe(new ContentSource(new ContentOptions { BucketMs = 10 })),
        };
        // Buckets 100, 101, 102, 100: the third is a neighbour of the duplicate only.
        ShouldBeSound(
            Audited(
                rules,
                between,
                p =>
                    p.In("a", 1009)
                        .Clean()
                        .In("b", 1010)
                        .Repeats(0)
                        .In("c", 1020)
                        .Clean()
                        .In("d", 1001)
                        .Repeats(0)
            )
        );
        AuditReport report = Audited(
            rules,
            between,
            p => p.DropDuplicates().In("a", 1009).Clean().In("b", 1010).Clean()
        );
        Only(report, FindingKind.Twice).InputOffset.ShouldBe(1);
        report = Audited(
            rules,
            between,
            p => p.In("a", 1009).Clean().In("b", 1010).Repeats(0).In("c", 1020).Repeats(0)
        );
        report.Findings.Count.ShouldBe(1);
        report.Findings[0].Shown[0].InputOffset.ShouldBe(2);
    }

    [Theory]
    [MemberData(nameof(Partitionings))]
    public void The_time_in_the_payload_counts_where_the_pipeline_goes_by_it(int between)
    {
        AuditRules rules = Plain with { Time = new PayloadTime(AtPath(), JsonLimits.Default) };
        ShouldBeSound(
            Audited(
                rules,
                between,
                p =>
                    p.In("a", 9000, """{"at":1000}""")
                        .Clean()
                        .In("a", 1, """{"at":1100}""")
                        .Repeats(0)
                        .In("a", 9000, """{"at":1101}""")
                        .Clean()
                        .In("a", 9000, """{"no":1}""")
                        .Quarantined("timestamp-missing")
                        .In("a", 9000, """{"at"x""")
                        .Quarantined("malformed-json")
            )
        );
        AuditReport report = Audited(
            rules,
            between,
            p => p.In("a", 9000, """{"at":1000}""").Clean().In("a", 9000, """{"at":1101}""")
        );
        Only(report, FindingKind.Lost).InputOffset.ShouldBe(1);
        report = Audited(
            rules,
            between,
            p =>
                p.DropDuplicates()
                    .In("a", 1000, """{"at":1000}""")
                    .Clean()
                    .In("a", 5000, """{"at":1100}""")
                    .Clean()
        );
        Only(report, FindingKind.Twice).InputOffset.ShouldBe(1);
    }

    [Fact]
    public void A_late_time_in_the_payload_moves_no_clock_and_the_records_time_does_not_count()
    {
        AuditRules rules = Plain with
        {
            Time = new PayloadTime(AtPath(), JsonLimits.Default),
            Late = AuditLatePolicy.Quarantine,
        };
        ShouldBeSound(
            Audited(
                rules,
                0,
                p =>
                    p.In("a", 9000, """{"at":2000}""")
                        .Clean()
                        .In("b", 9000, """{"at":1400}""")
                        .Quarantined("late")
                        .In("c", 1, """{"at":1500}""")
                        .Clean()
            )
        );
    }

    [Theory]
    [MemberData(nameof(Partitionings))]
    public void Refused_with_and_without_payload_a_record_is_in_quarantine_also_when_invalid(
        int between
    ) =>
        ShouldBeSound(
            Audited(
                Plain,
                between,
                p =>
                    p.In(null, 1000, "x", ("h", [1]))
                        .QuarantinedWithoutPayload("refused-too-large")
                        .In("a", 1001)
                        .QuarantinedWithoutPayload("refused-too-large")
                        .In(null, 1002)
                        .Quarantined("refused-too-large")
            )
        );

    private static Placed Chain(Placed p) =>
        p.In("a", 1000).Clean().In("a", 1080).Repeats(0).In("a", 1160).Repeats(0);

    private static Placed LongChain(Placed p) =>
        p.In("a", 1000, "x")
            .Clean()
            .In("a", 1080, "x")
            .Repeats(0)
            .In("a", 1160, "x")
            .Repeats(0)
            .In("a", 1240, "x")
            .Repeats(0)
            .In("a", 1320, "x")
            .Repeats(0);

    private static Placed Known(Placed p) =>
        p.In("a", 1000, "x").Clean().In("a", 1001, "x").Repeats(0);

    private static JsonPath AtPath() =>
        JsonPathParser.TryParse("$.at", out JsonPath? path, out _)
            ? path!
            : throw new InvalidOperationException("no path");

    internal static AuditReport Audited(
        AuditRules rules,
        int between,
        Action<Placed> place,
        int partitions = 2
    )
    {
        using var placed = new Placed(rules, between == 0 ? null : between, partitions);
        place(placed);
        return placed.Audit();
    }

    internal static void ShouldBeSound(AuditReport report)
    {
        report
            .Findings.SelectMany(static g => g.Shown)
            .Select(static f => $"{f.Kind} {f.InputOffset} {f.Detail}")
            .ShouldBeEmpty();
        report.Unknown.ShouldBeEmpty();
    }

    internal static Finding Only(AuditReport report, FindingKind kind)
    {
        report.Findings.Select(static g => g.Kind).ShouldBe([kind]);
        return report.Findings[0].Shown.ShouldHaveSingleItem();
    }
}
