using System.Text;
using Dedup.Audit.Contents;
using Dedup.Audit.Reports;
using Dedup.Audit.Tests.Model;
using Dedup.Contracts.Headers;
using Dedup.Topology.Identify;
using Shouldly;

namespace Dedup.Audit.Tests;

/// <summary>
/// The audit of a by-id pipeline, 2 input partitions, 2 between the hops; window 100, grace 50. The sound pair, judged in the
/// order of writing: a@1000 in 0, b@1000 in 1, a@1010 in 1 (duplicate), c@1020 in 0, b@1030 in 0 (duplicate), d@1040 in 1.
/// </summary>
public sealed class ByIdTests : IDisposable
{
    private const long Now = Pair.Now;

    private readonly MemoryLog _input = new(Pair.InputName, 2);
    private readonly List<Row>[] _clean =
    [
        [],
        [],
    ];
    private readonly List<(int Partition, Row Row)> _quarantine = [];
    private readonly List<(int Partition, Row Row)> _duplicates = [];
    private bool _withDuplicates;

    [Fact]
    public void A_sound_pair_has_no_findings_and_nothing_unknown()
    {
        AuditReport report = Sound().Audit();
        report.Findings.ShouldBeEmpty();
        report.UnknownTotal.ShouldBe(0);
        (
            report.Counts.In,
            report.Counts.First,
            report.Counts.Duplicates,
            report.Counts.Clean
        ).ShouldBe((6, 4, 2, 4));
    }

    [Fact]
    public void A_record_that_no_partition_has_is_lost()
    {
        Sound();
        _clean[0].RemoveAt(1);
        Finding finding = Only(Audit(), FindingKind.Lost);
        (finding.Partition, finding.InputOffset).ShouldBe((0, 1L));
    }

    [Fact]
    public void Of_an_event_of_which_no_copy_is_on_clean_every_copy_is_lost()
    {
        Sound();
        _clean[0].RemoveAt(0);
        AuditReport report = Audit();
        report.CountOf(FindingKind.Lost).ShouldBe(2);
    }

    [Fact]
    public void Either_copy_may_be_the_first_when_they_are_in_two_partitions()
    {
        Sound();
        // a of partition 1 instead of that of partition 0.
        _clean[0].RemoveAt(0);
        _clean[1].Insert(1, _input.Rows(1)[1]);
        Audit().Findings.ShouldBeEmpty();
    }

    [Fact]
    public void A_later_copy_of_the_same_partition_instead_of_the_first_is_a_loss()
    {
        Put(0, "a", 1_000, "v1", first: false).Put(0, "a", 1_010, "v2");
        Finding finding = Only(Audit(), FindingKind.Lost);
        (finding.InputOffset, finding.Detail).ShouldBe(
            (0L, "only later records of its event in its partition are on clean")
        );
    }

    [Fact]
    public void Copies_in_two_partitions_that_both_came_through_are_twice()
    {
        Sound();
        _clean[1].Insert(1, _input.Rows(1)[1]);
        Finding finding = Only(Audit(), FindingKind.Twice);
        finding.Detail.ShouldContain("the other one is in clean partition");
    }

    [Fact]
    public void The_same_record_on_clean_two_times_is_twice()
    {
        Sound();
        _clean[0].Add(_clean[0][0]);
        Only(Audit(), FindingKind.Twice).CleanOffset.ShouldBe(2);
    }

    [Theory]
    [InlineData(RecordParts.Value)]
    [InlineData(RecordParts.Timestamp)]
    public void A_changed_record_is_told_from_a_foreign_one_while_its_id_holds(RecordParts what)
    {
        Sound();
        Row row = _clean[0][1];
        _clean[0][1] =
            what == RecordParts.Value
                ? row with
                {
                    Value = "x"u8.ToArray(),
                }
                : row with
                {
                    Ts = row.Ts + 1,
                };
        Finding finding = Only(Audit(), FindingKind.Changed);
        (finding.InputOffset, finding.Changed).ShouldBe((1L, what));
    }

    [Fact]
    public void A_record_that_nobody_wrote_to_the_input_is_foreign()
    {
        Sound();
        _clean[1].Add(Row.Of("z", "v", 1_000));
        Only(Audit(), FindingKind.Foreign).Partition.ShouldBe(1);
    }

    [Fact]
    public void A_record_in_the_wrong_clean_partition_is_foreign_there_and_lost_where_it_belongs()
    {
        Sound();
        Row row = _clean[0][1];
        _clean[0].RemoveAt(1);
        _clean[1].Add(row);
        AuditReport report = Audit();
        report.CountOf(FindingKind.Foreign).ShouldBe(1);
        report.CountOf(FindingKind.Lost).ShouldBe(1);
    }

    /// <summary>40 IDs of one partition, put on clean in reverse: those of one route are out of order, whatever lies between.</summary>
    [Fact]
    public void Order_is_asked_for_within_a_route_and_not_beyond_it()
    {
        for (int i = 0; i < 40; i++)
        {
            Put(0, $"k{i}", 1_000 + i);
        }

        // All of one route first, then all of the other: sound.
        _clean[0] = [.. _clean[0].OrderBy(static r => RouteOf(r.KeyText!))];
        _clean[0].Select(static r => RouteOf(r.KeyText!)).Distinct().Count().ShouldBe(2);
        Audit().Findings.ShouldBeEmpty();
        // Two neighbours of one route change places: one of them has moved.
        (_clean[0][0], _clean[0][1]) = (_clean[0][1], _clean[0][0]);
        Audit().CountOf(FindingKind.OutOfOrder).ShouldBe(1);
    }

    /// <summary>Partition 1 is 5,000 behind; its duplicates are duplicates by its own clock.</summary>
    [Fact]
    public void A_partition_that_is_behind_is_judged_by_its_own_clock()
    {
        Put(0, "x", 6_000).Put(1, "a", 1_000).Put(1, "a", 1_090, first: false);
        Audit().Findings.ShouldBeEmpty();
    }

    [Fact]
    public void A_duplicate_of_a_partition_that_is_behind_cannot_be_told_from_one_forgotten_when_it_was_left_out()
    {
        Put(0, "x", 6_000).Put(1, "a", 1_000).Put(1, "a", 1_090);
        AuditReport report = Audit();
        report.Findings.ShouldBeEmpty();
        report.Unknown.ShouldBe([new UnknownCount(UnknownReason.MaybeLeftOut, 1)]);
    }

    [Fact]
    public void The_same_id_beyond_the_window_is_another_event()
    {
        Put(0, "a", 1_000).Put(1, "a", 1_101).Put(0, "a", 1_090, first: false);
        Audit().Findings.ShouldBeEmpty();
    }

    [Fact]
    public void Quarantine_and_duplicates_are_held_against_the_input_over_partitions()
    {
        _withDuplicates = true;
        Put(0, null, 1_000, first: false);
        _quarantine.Add(
            (
                0,
                With(
                    _input.Rows()[0],
                    0,
                    (HeaderNames.Reason, "null-key"),
                    (HeaderNames.SourceTimestamp, "1000")
                )
            )
        );
        Put(0, "a", 1_000).Put(1, "a", 1_010, first: false);
        _duplicates.Add((1, Repeat(_input.Rows(1)[0], 1, firstPartition: 0, firstOffset: 1)));
        Audit().Findings.ShouldBeEmpty();
        _duplicates[0] = (1, Repeat(_input.Rows(1)[0], 1, firstPartition: 1, firstOffset: 0));
        Only(Audit(), FindingKind.LedgerMismatch).Detail.ShouldContain("does not repeat");
        _duplicates.Clear();
        Only(Audit(), FindingKind.LedgerMismatch)
            .Detail.ShouldContain("is a duplicate, but not in");
        _quarantine.Clear();
        Audit().CountOf(FindingKind.Lost).ShouldBe(1);
    }

    public void Dispose() => _input.Dispose();

    private ByIdTests Sound() =>
        Put(0, "a", 1_000)
            .Put(1, "b", 1_000)
            .Put(1, "a", 1_010, first: false)
            .Put(0, "c", 1_020)
            .Put(0, "b", 1_030, first: false)
            .Put(1, "d", 1_040);

    private ByIdTests Put(
        int partition,
        string? key,
        long ts,
        string value = "v",
        bool first = true
    )
    {
        var row = Row.Of(key, value, ts);
        long offset = _input.Add(row, partition);
        if (first)
        {
            _clean[partition].Add(row with { Offset = offset });
        }

        return this;
    }

    private AuditReport Audit()
    {
        var clean = new MemoryLog("orders.clean", 2);
        for (int p = 0; p < 2; p++)
        {
            _clean[p].ForEach(r => clean.Add(r, p));
        }

        var rules = new AuditRules { Recipe = Recipe.Key, Window = new AuditWindow(100, 50) };
        var topics = new AuditTopics
        {
            Input = _input,
            Clean = clean,
            Quarantine = Side("orders.quarantine", _quarantine),
            Duplicates = _withDuplicates ? Side("orders.duplicates", _duplicates) : null,
            RepartitionPartitions = 2,
        };
        return new AuditEngine(
            rules,
            topics,
            new AuditLimits(1L << 30, Path.GetTempPath()),
            new FixedTime()
        ).Run(null, TestContext.Current.CancellationToken);
    }

    private static MemoryLog Side(string name, List<(int Partition, Row Row)> rows)
    {
        var log = new MemoryLog(name, 2);
        rows.ForEach(r => log.Add(r.Row, r.Partition));
        return log;
    }

    private static Row Repeat(Row row, int partition, int firstPartition, long firstOffset) =>
        With(
            row,
            partition,
            (HeaderNames.FirstTopic, Pair.InputName),
            (HeaderNames.FirstPartition, $"{firstPartition}"),
            (HeaderNames.FirstOffset, $"{firstOffset}"),
            (HeaderNames.FirstTimestamp, "1000")
        );

    private static Row With(Row row, int partition, params (string Name, string Value)[] added) =>
        row with
        {
            Headers =
            [
                .. row.Headers,
                (HeaderNames.SourceTopic, Encoding.UTF8.GetBytes(Pair.InputName)),
                (HeaderNames.SourcePartition, Encoding.UTF8.GetBytes($"{partition}")),
                (HeaderNames.SourceOffset, Encoding.UTF8.GetBytes($"{row.Offset}")),
                .. added.Select(static a => (a.Name, (byte[]?)Encoding.UTF8.GetBytes(a.Value))),
            ],
        };

    private static int RouteOf(string key) =>
        (int)(new SipHash(0, 0).Hash([(byte)IdKind.Bytes, .. Encoding.UTF8.GetBytes(key)]).Low % 2);

    private static Finding Only(AuditReport report, FindingKind kind)
    {
        report.Findings.Select(static g => g.Kind).ShouldBe([kind]);
        return report.Findings[0].Shown.ShouldHaveSingleItem();
    }

    private sealed class FixedTime : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => DateTimeOffset.FromUnixTimeMilliseconds(Now);
    }
}
