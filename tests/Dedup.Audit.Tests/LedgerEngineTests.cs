using System.Buffers;
using System.Text;
using Dedup.Audit.Ledger;
using Dedup.Audit.Tests.Model;
using Dedup.Contracts.Changelog;
using Dedup.Contracts.Headers;
using Shouldly;

namespace Dedup.Audit.Tests;

/// <summary>
/// The ledger of two partitions against their topics. Sound: partition 0 consumed 4 = 2 clean + 1 duplicate + 1 quarantined, up
/// to offset 5 (offset 2 is a control record); partition 1 consumed 2 = 1 clean + 1 dropped, up to 2.
/// </summary>
public sealed class LedgerEngineTests : IDisposable
{
    private readonly MemoryLog _input = new(Pair.InputName, 2);
    private readonly MemoryLog _clean = new("orders.clean", 2);
    private readonly MemoryLog _quarantine = new("orders.quarantine", 2);
    private readonly MemoryLog _duplicates = new("orders.duplicates", 2);
    private readonly MemoryLog _changelog = new("dedup-orders-changelog", 2);
    private readonly Dictionary<int, long> _committed = new() { [0] = 5, [1] = 2 };

    [Fact]
    public void A_sound_ledger_adds_up_in_each_partition_and_in_sum()
    {
        LedgerReport report = Sound().Compare();
        report.Mismatches.ShouldBeEmpty();
        report.Unknown.ShouldBeEmpty();
        report.Sum.ShouldBe(
            new LedgerCounts
            {
                Consumed = 6,
                Clean = 3,
                Duplicates = 1,
                Quarantined = 1,
                Dropped = 1,
            }
        );
        report.Partitions.Select(static p => p.Records).ShouldBe([4L, 2L]);
    }

    [Fact]
    public void A_record_missing_on_clean_is_a_mismatch_of_its_partition_with_both_numbers()
    {
        Sound();
        _ = _clean.Add(Row.Of("x", "v", 1), 1);
        Only()
            .ShouldBe(
                new LedgerMismatch(1, "to clean, and records of orders.clean", Ledger: 1, Found: 2)
            );
    }

    [Fact]
    public void A_record_missing_aside_is_a_mismatch_of_the_partition_that_it_came_from()
    {
        Sound();
        _quarantine.Compact(static _ => true);
        _quarantine.IsCompacted = false;
        Only()
            .ShouldBe(
                new LedgerMismatch(0, "to quarantine, and records of orders.quarantine", 1, 0)
            );
    }

    [Fact]
    public void A_duplicate_too_many_is_a_mismatch()
    {
        Sound();
        Aside(_duplicates, 1, 0);
        Only()
            .ShouldBe(
                new LedgerMismatch(1, "to duplicates, and records of orders.duplicates", 0, 1)
            );
    }

    [Fact]
    public void A_group_that_stands_elsewhere_than_the_marker_is_a_mismatch()
    {
        Sound();
        _committed[0] = 4;
        Only()
            .ShouldBe(
                new LedgerMismatch(0, "offset of the marker, and the group's committed one", 5, 4)
            );
        _ = _committed.Remove(0);
        Only().Found.ShouldBe(-1);
    }

    [Fact]
    public void Counts_that_do_not_add_up_are_a_mismatch_in_the_partition_and_in_sum()
    {
        Sound();
        Mark(1, 2, ("consumed", 3), ("to.clean", 1), ("to.late-dropped", 1));
        Compare()
            .Mismatches.ShouldBe([
                new LedgerMismatch(1, "consumed, and where it went", 3, 2),
                new LedgerMismatch(1, "consumed, and records read", 3, 2),
                new LedgerMismatch(null, "consumed, and where it went", 7, 6),
            ]);
    }

    [Fact]
    public void Only_the_last_marker_counts_however_much_lies_behind_it()
    {
        Sound();
        for (int i = 0; i < 2_000; i++)
        {
            _ = _changelog.Add(new Row(0, [1, 2, 3], [], 1, []), 0);
        }

        Compare().Mismatches.ShouldBeEmpty();
    }

    [Fact]
    public void What_was_deleted_is_unknown_and_too_much_is_still_a_mismatch()
    {
        Sound();
        _input.DeleteBefore(1);
        _clean.DeleteBefore(1);
        LedgerReport report = Compare();
        report.Mismatches.ShouldBeEmpty();
        report.Unknown.Select(static u => u.Partition).ShouldBe([0, 0]);
        _ = _clean.Add(Row.Of("x", "v", 1), 0);
        _ = _clean.Add(Row.Of("y", "v", 1), 0);
        Only().ShouldBe(new LedgerMismatch(0, "to clean, and records of orders.clean", 2, 3));
    }

    [Fact]
    public void A_partition_that_was_committed_to_meanwhile_is_unknown()
    {
        Sound();
        _committed[1] = 77;
        LedgerReport report = Compare(inMotion: [1]);
        report.Mismatches.ShouldBeEmpty();
        report.Unknown.ShouldHaveSingleItem().Partition.ShouldBe(1);
    }

    [Fact]
    public void Where_the_first_run_began_decides_what_was_consumed()
    {
        Sound();
        LedgerReport report = Compare(begins: 1);
        report
            .Mismatches.Select(static m => (m.Partition, m.Ledger, m.Found))
            .ShouldBe([(0, 4, 3), (1, 2, 1)]);
        Compare(begins: null).Unknown.Count.ShouldBe(2);
    }

    [Fact]
    public void A_damaged_marker_is_an_error_with_its_place()
    {
        Sound();
        _ = _changelog.Add(new Row(0, [0], [9, 9, 9], 1, []), 1);
        Should
            .Throw<AuditException>(() => Compare())
            .Message.ShouldContain("dedup-orders-changelog-1");
    }

    [Fact]
    public void Nothing_consumed_and_nothing_there_is_sound()
    {
        _committed.Clear();
        _committed[1] = 0;
        LedgerReport report = Compare();
        report.Mismatches.ShouldBeEmpty();
        report.Unknown.ShouldBeEmpty();
    }

    /// <summary>
    /// By-id: the first hop consumed 6 of both partitions, handed on 5 and quarantined 1; the second judged 4 of them (3 clean, 1
    /// duplicate), and one still lies between.
    /// </summary>
    [Fact]
    public void The_two_hops_of_by_id_are_compared_with_one_another_and_with_the_topics_in_sum()
    {
        ById().Mismatches.ShouldBeEmpty();
        _ = _clean.Add(Row.Of("x", "v", 1), 0);
        ById()
            .Mismatches.ShouldBe([
                new LedgerMismatch(null, "to clean, and records of orders.clean", 3, 4),
            ]);
    }

    [Fact]
    public void A_record_lost_between_the_hops_is_a_mismatch() =>
        ById(between: 0)
            .Mismatches.ShouldBe([
                new LedgerMismatch(
                    null,
                    "handed on by the first hop, and judged by the second or still in between",
                    5,
                    4
                ),
            ]);

    public void Dispose()
    {
        _input.Dispose();
        _clean.Dispose();
        _quarantine.Dispose();
        _duplicates.Dispose();
        _changelog.Dispose();
    }

    private LedgerEngineTests Sound()
    {
        _ = _input.Add(Row.Of("a", "v", 1));
        _ = _input.Add(Row.Of("a", "v", 2));
        _ = _input.Add(Row.Of(null, "v", 3), 0, skip: 1);
        _ = _input.Add(Row.Of("b", "v", 4));
        _ = _input.Add(Row.Of("c", "v", 1), 1);
        _ = _input.Add(Row.Of("d", "v", 1), 1);
        // Not consumed yet.
        _ = _input.Add(Row.Of("e", "v", 5));
        _ = _clean.Add(Row.Of("a", "v", 1));
        _ = _clean.Add(Row.Of("b", "v", 4));
        _ = _clean.Add(Row.Of("c", "v", 1), 1);
        Aside(_duplicates, 0, 1);
        Aside(_quarantine, 0, 3);
        Mark(0, 2, ("consumed", 2), ("to.clean", 1), ("to.duplicate", 1));
        Mark(0, 5, ("consumed", 4), ("to.clean", 2), ("to.duplicate", 1), ("to.quarantine", 1));
        Mark(1, 2, ("consumed", 2), ("to.clean", 1), ("to.late-dropped", 1));
        return this;
    }

    private LedgerReport ById(int between = 1)
    {
        using var rekey = new MemoryLog("dedup-orders-rekey-changelog", 2);
        using var repartition = new MemoryLog("between", 1);
        using var judged = new MemoryLog("dedup-orders-changelog", 1);
        if (_input.Rows().Count == 0)
        {
            _ = Sound();
        }

        Mark(rekey, 0, 5, ("consumed", 4), ("to.repartition", 3), ("to.quarantine", 1));
        Mark(rekey, 1, 2, ("consumed", 2), ("to.repartition", 2));
        Mark(judged, 0, 4, ("consumed", 4), ("to.clean", 3), ("to.duplicate", 1));
        for (int i = 0; i < 4 + between; i++)
        {
            _ = repartition.Add(Row.Of($"{i}", "v", 1));
        }

        // Judged records are purged.
        repartition.DeleteBefore(4);
        return new LedgerEngine(
            new LedgerTopics
            {
                Input = Pair.InputName,
                Hops =
                [
                    new LedgerHop
                    {
                        Changelog = rekey,
                        Reads = _input,
                        Committed = _committed,
                    },
                    new LedgerHop
                    {
                        Changelog = judged,
                        Reads = repartition,
                        Committed = new Dictionary<int, long> { [0] = 4 },
                    },
                ],
                Clean = _clean,
                Quarantine = _quarantine,
                Duplicates = _duplicates,
            }
        ).Run(TestContext.Current.CancellationToken);
    }

    private LedgerMismatch Only() => Compare().Mismatches.ShouldHaveSingleItem();

    private LedgerReport Compare(long? begins = 0, int[]? inMotion = null) =>
        new LedgerEngine(
            new LedgerTopics
            {
                Input = Pair.InputName,
                Hops =
                [
                    new LedgerHop
                    {
                        Changelog = _changelog,
                        Reads = _input,
                        Committed = _committed,
                        Begins = _ => begins,
                    },
                ],
                Clean = _clean,
                Quarantine = _quarantine,
                Duplicates = _duplicates,
                InMotion = (inMotion ?? []).ToHashSet(),
            }
        ).Run(TestContext.Current.CancellationToken);

    private static void Aside(MemoryLog log, int partition, long offset) =>
        _ = log.Add(
            new Row(
                0,
                [],
                [],
                1,
                [
                    (HeaderNames.SourceTopic, Encoding.UTF8.GetBytes(Pair.InputName)),
                    (HeaderNames.SourcePartition, Encoding.UTF8.GetBytes($"{partition}")),
                    (HeaderNames.SourceOffset, Encoding.UTF8.GetBytes($"{offset}")),
                ]
            )
        );

    private void Mark(int partition, long offset, params (string Name, long Value)[] counts) =>
        Mark(_changelog, partition, offset, counts);

    private static void Mark(
        MemoryLog changelog,
        int partition,
        long offset,
        params (string Name, long Value)[] counts
    )
    {
        var value = new ArrayBufferWriter<byte>();
        MarkerCodec.Write(
            new Marker
            {
                RecipeVersion = 1,
                ClusterId = "c",
                InputTopicId = "t",
                PartitionCount = 2,
                HashKey0 = 1,
                HashKey1 = 2,
                InputOffset = offset,
                Writer = "w",
                Classes = [],
                Buckets = [],
                Counts =
                [
                    .. counts.Select(static c => new KeyValuePair<string, long>(c.Name, c.Value)),
                ],
            },
            value
        );
        _ = changelog.Add(
            new Row(0, MarkerCodec.Key.ToArray(), value.WrittenSpan.ToArray(), 1, []),
            partition
        );
    }
}
