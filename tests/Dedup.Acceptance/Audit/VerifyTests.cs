using System.Text;
using Confluent.Kafka;
using Dedup.Acceptance.Brokers;
using Dedup.Audit;
using Dedup.Audit.Contents;
using Dedup.Audit.Reports;
using Shouldly;
using static Dedup.Acceptance.Audit.AuditTopicPair;

namespace Dedup.Acceptance.Audit;

/// <summary>`dedup verify` against a real Kafka: what an outsider sees, and that each damage is called by its name.</summary>
public sealed class VerifyTests(RealKafka kafka)
{
    private static readonly long Now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();

    [Fact]
    public async Task Everything_that_a_record_can_carry_compares_equal_on_a_sound_pair()
    {
        using AuditTopicPair pair = await MakeAsync(
            await kafka.BootstrapServersAsync(),
            "sound",
            2
        );
        for (int p = 0; p < 2; p++)
        {
            foreach (Message<byte[]?, byte[]?> record in Corpus())
            {
                pair.ToInput(record, p);
                pair.ToInput(record, p);
                pair.ToClean(record, p);
            }
        }

        AuditReport report = pair.Audit();
        report.IsSound.ShouldBeTrue(Print(report));
        (report.Counts.In, report.Counts.First, report.Counts.Clean).ShouldBe((20, 10, 10));
    }

    [Fact]
    public async Task A_null_in_place_of_an_empty_key_value_or_header_is_seen()
    {
        using AuditTopicPair pair = await MakeAsync(
            await kafka.BootstrapServersAsync(),
            "nulls",
            1
        );
        pair.ToInput(Record("a", "", Now));
        pair.ToInput(Record("b", null, Now));
        pair.ToInput(Record("c", "v", Now, new Headers { { "h", [] } }));
        pair.ToInput(Record("", "v", Now));
        pair.ToClean(Record("a", null, Now));
        pair.ToClean(Record("b", "", Now));
        pair.ToClean(Record("c", "v", Now, new Headers { { "h", null } }));
        pair.ToClean(Record(null, "v", Now));

        AuditReport report = pair.Audit();
        FindingGroup changed = report.Findings.ShouldHaveSingleItem();
        changed
            .Shown.Select(f => f.Changed)
            .ShouldBe([RecordParts.Value, RecordParts.Value, RecordParts.Headers, RecordParts.Key]);
    }

    [Fact]
    public async Task Aborted_transactions_are_invisible_and_control_records_are_no_holes()
    {
        using AuditTopicPair pair = await MakeAsync(
            await kafka.BootstrapServersAsync(),
            "aborted",
            1
        );
        pair.ToInput(Record("a", "1", Now));
        pair.ToInput(Record("b", "1", Now));
        pair.Flush();
        pair.InTransaction(false, Record("a", "1", Now), Record("b", "1", Now)).Dispose();
        pair.InTransaction(true, Record("a", "1", Now)).Dispose();
        pair.InTransaction(false, Record("z", "1", Now)).Dispose();
        pair.InTransaction(true, Record("b", "1", Now)).Dispose();
        pair.InTransaction(false, Record("a", "1", Now)).Dispose();

        AuditReport report = pair.Audit();
        report.IsSound.ShouldBeTrue(Print(report));
        report.Counts.Clean.ShouldBe(2);
    }

    [Fact]
    public async Task What_lies_behind_an_open_transaction_is_unknown_not_lost()
    {
        using AuditTopicPair pair = await MakeAsync(await kafka.BootstrapServersAsync(), "open", 1);
        pair.ToInput(Record("a", "1", Now));
        pair.ToInput(Record("b", "1", Now));
        pair.ToClean(Record("a", "1", Now));
        pair.Flush();
        using IProducer<byte[]?, byte[]?> open = pair.InTransaction(null, Record("b", "1", Now));

        AuditReport report = pair.Audit(r =>
            r with
            {
                PendingTimeout = TimeSpan.FromMilliseconds(500),
            }
        );
        report.IsSound.ShouldBeTrue(Print(report));
        report.Unknown.ShouldBe([new UnknownCount(UnknownReason.CleanPending, 1)]);
        open.CommitTransaction();
        pair.Audit().UnknownTotal.ShouldBe(0);
    }

    [Fact]
    public async Task With_a_group_the_audit_ends_at_its_committed_offsets()
    {
        using AuditTopicPair pair = await MakeAsync(
            await kafka.BootstrapServersAsync(),
            "group",
            1
        );
        for (int i = 0; i < 10; i++)
        {
            pair.ToInput(Record($"k{i}", "v", Now));
        }

        for (int i = 0; i < 6; i++)
        {
            pair.ToClean(Record($"k{i}", "v", Now));
        }

        pair.Flush();
        pair.Commit(6);
        AuditReport bounded = pair.Audit(r => r with { Group = pair.Group });
        bounded.IsSound.ShouldBeTrue(Print(bounded));
        bounded.Counts.In.ShouldBe(6);
        pair.Audit().CountOf(FindingKind.Lost).ShouldBe(4);

        AuditReport waited = pair.Audit(r =>
            r with
            {
                Group = pair.Group,
                Wait = TimeSpan.FromMilliseconds(300),
            }
        );
        waited.Notes.ShouldContain(note =>
            note.Contains("lag of 4 records", StringComparison.Ordinal)
        );
    }

    /// <summary>k0 and its duplicate, then k1 to k9; the first three input records are deleted.</summary>
    [Fact]
    public async Task A_deleted_beginning_of_the_input_is_unknown()
    {
        using AuditTopicPair pair = await MakeAsync(
            await kafka.BootstrapServersAsync(),
            "deleted",
            1
        );
        for (int i = 0; i < 11; i++)
        {
            pair.ToInput(Record($"k{Math.Max(0, i - 1)}", $"v{i}", Now + i));
            if (i != 1)
            {
                pair.ToClean(Record($"k{Math.Max(0, i - 1)}", $"v{i}", Now + i));
            }
        }

        pair.Flush();
        await pair.DeleteAsync(pair.Input, 3);
        AuditReport report = pair.Audit();
        report.IsSound.ShouldBeTrue(Print(report));
        report.Unknown.ShouldBe([new UnknownCount(UnknownReason.InputDeleted, 2)]);
        report.Counts.In.ShouldBe(8);
    }

    [Fact]
    public async Task A_group_that_never_committed_is_refused()
    {
        using AuditTopicPair pair = await MakeAsync(
            await kafka.BootstrapServersAsync(),
            "nogroup",
            1
        );
        pair.ToClean(Record("a", "v", Now));
        Should
            .Throw<AuditException>(() => pair.Audit(r => r with { Group = "never-heard-of" }))
            .Message.ShouldContain("never-heard-of has committed nothing");
    }

    [Fact]
    public async Task A_missing_topic_and_a_missing_broker_are_said_in_one_line()
    {
        using AuditTopicPair pair = await MakeAsync(
            await kafka.BootstrapServersAsync(),
            "missing",
            1
        );
        Should
            .Throw<AuditException>(() => pair.Audit(r => r with { Clean = "not-there" }))
            .Message.ShouldContain("topic not-there cannot be read");
        Should
            .Throw<AuditException>(() => pair.Audit(r => r with { Clean = r.Input }))
            .Message.ShouldContain("name two topics");
    }

    /// <summary>1,000 records, 100 of them duplicates. One removed, one doubled, one changed, two swapped.</summary>
    [Fact]
    public async Task A_broken_clean_topic_is_reported_exactly()
    {
        using AuditTopicPair pair = await MakeAsync(
            await kafka.BootstrapServersAsync(),
            "broken",
            1
        );
        var clean = new List<Message<byte[]?, byte[]?>>();
        for (int i = 0; i < 1000; i++)
        {
            Message<byte[]?, byte[]?> record = Record(
                i % 10 == 9 ? $"k{i - 9}" : $"k{i}",
                $"v{i}",
                Now + i
            );
            pair.ToInput(record);
            if (i % 10 != 9)
            {
                clean.Add(record);
            }
        }

        // Clean index c is input offset c + c / 9.
        (clean[810], clean[811]) = (clean[811], clean[810]);
        clean[630] = Record("k700", "broken", Now + 700);
        clean.Insert(460, clean[450]);
        clean.RemoveAt(180);
        clean.ForEach(record => pair.ToClean(record));

        AuditReport report = pair.Audit();
        report
            .Findings.Select(g => (g.Kind, g.Count))
            .ShouldBe(
                [
                    (FindingKind.Lost, 1),
                    (FindingKind.Twice, 1),
                    (FindingKind.Changed, 1),
                    (FindingKind.OutOfOrder, 1),
                ],
                Print(report)
            );
        Find(report, FindingKind.Lost).InputOffset.ShouldBe(200);
        Finding twice = Find(report, FindingKind.Twice);
        (twice.InputOffset, twice.FirstCleanOffset, twice.CleanOffset).ShouldBe((500, 449, 459));
        Finding changed = Find(report, FindingKind.Changed);
        (changed.InputOffset, changed.CleanOffset, changed.Changed).ShouldBe(
            (700, 630, RecordParts.Value)
        );
        changed.Clean!.Value.ShouldBe("broken");
        changed.Input!.Value.ShouldBe("v700");
        Find(report, FindingKind.OutOfOrder).InputOffset!.Value.ShouldBeOneOf(900, 901);
    }

    private static Finding Find(AuditReport report, FindingKind kind) =>
        report.Findings.Single(g => g.Kind == kind).Shown.ShouldHaveSingleItem();

    private static IEnumerable<Message<byte[]?, byte[]?>> Corpus()
    {
        yield return Record("plain", "value", Now);
        yield return Record("tombstone", null, Now);
        yield return Record("", "empty key", Now);
        yield return Record(
            "old",
            "value",
            Now - 3_600_000,
            new Headers
            {
                { "h", [1] },
                { "h", null },
                { "h", [] },
            }
        );
        yield return Record(
            "bytes",
            "\0\u00ff",
            Now + 1,
            new Headers { { "not utf-8", [0xff, 0xfe] }, { "name", Encoding.UTF8.GetBytes("ü") } }
        );
    }
}
