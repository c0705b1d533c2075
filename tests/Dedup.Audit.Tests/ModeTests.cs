using System.Security.Cryptography;
using System.Text;
using Dedup.Audit.Contents;
using Dedup.Audit.Reports;
using Dedup.Audit.Tests.Model;
using Dedup.Topology.Identify;
using Dedup.Topology.Identify.Scopes;
using Dedup.Topology.Identify.Sources;
using Dedup.Topology.Pipelines;
using FsCheck;
using FsCheck.Fluent;
using Shouldly;
using static Dedup.Audit.Tests.PolicyTests;

namespace Dedup.Audit.Tests;

/// <summary>Modes and added headers from outside, by-input (0 partitions between the hops) and by-id (2). Window 100, grace 50.</summary>
public sealed class ModeTests
{
    public static TheoryData<int> Partitionings => PolicyTests.Partitionings;

    private static AuditRules Plain { get; } =
        new()
        {
            Recipe = Recipe.Key,
            Window = new AuditWindow(100, 50),
            MaxFutureMs = 3_600_000,
        };

    private static AuditRules In(AuditModeKind kind, int percent = 0) =>
        Plain with
        {
            Mode = new AuditMode(kind, percent),
        };

    [Theory]
    [InlineData(AuditModeKind.Shadow, 0)]
    [InlineData(AuditModeKind.Shadow, 2)]
    [InlineData(AuditModeKind.Off, 0)]
    [InlineData(AuditModeKind.Off, 2)]
    public void Where_nothing_is_enforced_everything_is_on_clean_but_what_no_topic_takes(
        AuditModeKind kind,
        int between
    )
    {
        AuditReport report = Audited(In(kind), between, p => All(p));
        ShouldBeSound(report);
        report.Counts.Clean.ShouldBe(4);
        report.Counts.Quarantined.ShouldBe(1);
        (report.Counts.In, report.Counts.Unjudged).ShouldBe((5, kind == AuditModeKind.Off ? 4 : 0));
    }

    [Theory]
    [InlineData(AuditModeKind.Shadow, 0)]
    [InlineData(AuditModeKind.Shadow, 2)]
    [InlineData(AuditModeKind.Off, 0)]
    [InlineData(AuditModeKind.Off, 2)]
    public void Where_nothing_is_enforced_a_suppressed_record_is_lost(
        AuditModeKind kind,
        int between
    )
    {
        AuditReport report = Audited(In(kind), between, p => All(p).In("a", 1003).Repeats(0));
        report.CountOf(FindingKind.Lost).ShouldBe(1);
        report = Audited(In(kind), between, p => All(p).In("a", 1003));
        Only(report, FindingKind.Lost).InputOffset.ShouldBe(5);
        report = Audited(In(kind), between, p => All(p).In(null, 1003).Quarantined("null-key"));
        report.CountOf(FindingKind.LedgerMismatch).ShouldBe(1);
    }

    [Theory]
    [MemberData(nameof(Partitionings))]
    public void In_percent_only_the_ids_on_its_side_are_deduplicated(int between)
    {
        (string inside, string outside) = Sides(30);
        AuditRules rules = In(AuditModeKind.Percent, 30);
        AuditReport report = Audited(
            rules,
            between,
            p =>
                p.In(inside, 1000)
                    .Clean()
                    .In(outside, 1000)
                    .Clean()
                    .In(inside, 1001)
                    .Repeats(0)
                    .In(outside, 1001)
                    .Clean()
                    .In(null, 1001)
                    .Clean()
        );
        ShouldBeSound(report);
        // By-id does not say which of those that are forwarded were firsts.
        report.Counts.Spared.ShouldBe(between == 0 ? 2 : 3);
        report = Audited(
            rules,
            between,
            p =>
                p.DropDuplicates()
                    .In(inside, 1000)
                    .Clean()
                    .In(outside, 1000)
                    .Clean()
                    .In(inside, 1001)
                    .Clean()
                    .In(outside, 1001)
        );
        (report.CountOf(FindingKind.Twice), report.CountOf(FindingKind.Lost)).ShouldBe((1, 1));
        report.Findings.Count.ShouldBe(2);
    }

    [Fact]
    public void The_audit_and_the_pipeline_put_every_hash_on_the_same_side()
    {
        Gen<(ulong, int)> cases =
            from bits in ArbMap.Default.GeneratorFor<ulong>()
            from shift in Gen.Choose(0, 63)
            from percent in Gen.Choose(1, 99)
            // Also just beside the border of each percent.
            select (
                (bits >> shift) + (ulong)((UInt128)percent * (UInt128.One << 64) / 100),
                percent
            );
        Prop.ForAll(
                cases.ToArbitrary(),
                c =>
                    new AuditMode(AuditModeKind.Percent, c.Item2).IsEnforced(c.Item1)
                    == new PipelineMode(ModeKind.Percent, c.Item2).IsEnforced(c.Item1)
            )
            .QuickCheckThrowOnFailure();
    }

    [Fact]
    public void What_the_mode_hides_of_the_clock_is_unknown_and_not_lost()
    {
        (string inside, string outside) = Sides(30);
        AuditRules rules = In(AuditModeKind.Percent, 30) with
        {
            HasHiddenReasons = true,
            Late = AuditLatePolicy.Drop,
        };
        // The one outside may have been refused for its schema; only if it was not, the last one is late.
        AuditReport report = Audited(
            rules,
            0,
            p => p.In(inside, 1000).Clean().In(outside, 2000).Clean().In(inside + "2", 1101)
        );
        report.CountOf(FindingKind.Lost).ShouldBe(0);
        report.Unknown.ShouldContain(u => u.Reason == UnknownReason.ClockUnsure);
    }

    [Theory]
    [MemberData(nameof(Partitionings))]
    public void Promised_headers_are_there_and_a_record_keeps_its_own(int between)
    {
        AuditRules rules = Scoped();
        ShouldBeSound(
            Audited(rules, between, p => Headed(p, "acme:dedup:::", "1970-01-01T00:00:01.000Z"))
        );
        AuditReport wrong = Audited(
            rules,
            between,
            p => Headed(p, "acme:dedup:::", "1970-01-01T00:00:01.001Z")
        );
        Only(wrong, FindingKind.Changed).Changed.ShouldBe(RecordParts.Headers);
        AuditReport missing = Audited(rules, between, p => p.In("a", 1000).Clean());
        Only(missing, FindingKind.Changed).Changed.ShouldBe(RecordParts.Headers);
    }

    [Theory]
    [MemberData(nameof(Partitionings))]
    public void A_recipe_that_reads_the_headers_that_are_added_reads_what_was_there_before(
        int between
    )
    {
        AuditRules rules = Plain with
        {
            Recipe = new Recipe(new HeaderSource("event-id"), new KeySource()),
            Headers = AuditHeaders.Standard,
        };
        // Of the second source the visible hash is that of tag 0xFF, place and kind 4, and the ID.
        string hash = Convert.ToHexStringLower(SHA256.HashData([0xFF, 4, (byte)'a']));
        ShouldBeSound(
            Audited(
                rules,
                between,
                p =>
                    p.In("a", 1000)
                        .Clean(
                            ("dedupe-key", $"dedup:::{hash}"),
                            ("event-id", "a"),
                            ("event-topic", Pair.InputName),
                            ("event-created-at", "1970-01-01T00:00:01.000Z"),
                            ("retry-count", "0"),
                            ("processing-attempt", "1")
                        )
                        .In("a", 1001)
                        .Repeats(0)
            )
        );
    }

    [Fact]
    public void The_verdict_header_says_what_the_judge_must_have_said()
    {
        AuditRules rules = In(AuditModeKind.Shadow) with { Headers = AuditHeaders.Verdict };
        ShouldBeSound(
            Audited(
                rules,
                0,
                p =>
                    p.In("a", 1000)
                        .Clean(("dedup.verdict", "first"))
                        .In("a", 1001, "v", ("dedup.verdict", "x"u8.ToArray()))
                        .Clean(("dedup.verdict", "duplicate"))
                        .In("b", 900)
                        .Clean(("dedup.verdict", "late"))
                        .In(null, 900)
                        .Clean(("dedup.verdict", "invalid"))
            )
        );
        foreach (string? said in (string?[])["duplicate", "nonsense", null])
        {
            AuditReport report = Audited(
                rules,
                0,
                p => p.In("a", 1000).Clean(said is null ? [] : [("dedup.verdict", said)])
            );
            Finding finding = Only(report, FindingKind.Changed);
            finding.Detail.ShouldContain("it is first");
        }
    }

    [Fact]
    public void Of_by_id_in_shadow_the_verdicts_are_unknown_and_counted()
    {
        AuditRules rules = In(AuditModeKind.Shadow) with { Headers = AuditHeaders.Verdict };
        AuditReport report = Audited(
            rules,
            2,
            p =>
                p.In("a", 1000)
                    .Clean(("dedup.verdict", "first"))
                    .In("a", 1001)
                    .Clean(("dedup.verdict", "duplicate"))
        );
        report.Findings.ShouldBeEmpty();
        report.Unknown.ShouldBe([new UnknownCount(UnknownReason.VerdictUnsure, 2)]);
        report = Audited(
            Plain with
            {
                Headers = AuditHeaders.Verdict,
            },
            2,
            p => p.In("a", 1000).Clean(("dedup.verdict", "duplicate"))
        );
        Only(report, FindingKind.Changed).Changed.ShouldBe(RecordParts.Headers);
    }

    private static Placed All(Placed p) =>
        p.In("a", 1000)
            .Clean()
            .In("a", 1001)
            .Clean()
            .In(null, 1002)
            .Clean()
            .In("b", 900)
            .Clean()
            .In("b", 0)
            .Quarantined("timestamp-missing");

    private static AuditRules Scoped() =>
        Plain with
        {
            Recipe = new Recipe(
                [new KeySource()],
                new Scope(new ScopePart(new HeaderSource("tenant")), null, null)
            ),
            Headers = AuditHeaders.Standard,
        };

    /// <summary>One record with a tenant, and one with a retry count and a topic of its own.</summary>
    private static void Headed(Placed p, string key, string createdAt)
    {
        string hash = Convert.ToHexStringLower(SHA256.HashData("a"u8));
        _ = p.In("a", 1000, "v", ("tenant", "acme"u8.ToArray()))
            .Clean(
                ("tenant-id", "acme"),
                ("dedupe-key", key + hash),
                ("event-id", "a"),
                ("event-topic", Pair.InputName),
                ("event-created-at", createdAt),
                ("retry-count", "0"),
                ("processing-attempt", "1")
            )
            .In(
                "a",
                1000,
                "v",
                ("tenant", "b"u8.ToArray()),
                ("event-topic", "there"u8.ToArray()),
                ("retry-count", "3"u8.ToArray())
            )
            .Clean(
                ("tenant-id", "b"),
                ("dedupe-key", "b:dedup:::" + hash),
                ("event-id", "a"),
                ("event-created-at", "1970-01-01T00:00:01.000Z"),
                ("processing-attempt", "4")
            );
    }

    /// <summary>A key within that percent, and one outside.</summary>
    private static (string Inside, string Outside) Sides(int percent)
    {
        string[] keys = [.. Enumerable.Range(0, 100).Select(static i => $"k{i}")];
        bool IsInside(string key) =>
            new PipelineMode(ModeKind.Percent, percent).IsEnforced(
                Recipe.UnkeyedHash([(byte)IdKind.Bytes, .. Encoding.UTF8.GetBytes(key)])
            );
        // With "2" behind it the key has to be inside as well: a second ID there.
        return (keys.First(k => IsInside(k) && IsInside(k + "2")), keys.First(k => !IsInside(k)));
    }
}
