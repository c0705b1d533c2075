using System.Text;
using Dedup.Audit.Reports;
using Dedup.Audit.Tests.Model;
using Dedup.Contracts.Headers;
using Shouldly;

namespace Dedup.Audit.Tests;

/// <summary>With quarantine and duplicates topics every record consumed has to be in exactly one place. Offsets: a=0 a=1(dup) null key=2 b=3 a=4(dup) c=5.</summary>
public sealed class LedgerTests
{
    private static Pair Sound() =>
        new Pair(100, 50) { WithQuarantine = true, WithDuplicates = true }
            .Put("a", 1000, "v", ("own", [1]), (HeaderNames.Reason, "replayed"u8.ToArray()))
            .Put("a", 1001, null)
            .Put(
                (string?)null,
                1002,
                "v",
                ("own", null),
                (HeaderNames.Reason, "replayed"u8.ToArray())
            )
            .Put("b", 1003)
            .Put("a", 1004)
            .Put("c", 1005);

    [Fact]
    public void A_sound_ledger_adds_up()
    {
        AuditReport report = Sound().Audit();
        report.Findings.ShouldBeEmpty();
        (
            report.Counts.First,
            report.Counts.InDuplicatesTopic,
            report.Counts.InQuarantineTopic
        ).ShouldBe((3, 2, 1));
        report.Counts.QuarantinedUnchecked.ShouldBe(0);
    }

    [Fact]
    public void Headers_of_ours_that_a_producer_has_forged_are_the_records_own()
    {
        AuditReport report = new Pair(100, 50) { WithQuarantine = true, WithDuplicates = true }
            .Put(
                (string?)null,
                1000,
                "v",
                (HeaderNames.SourceTopic, "elsewhere"u8.ToArray()),
                (HeaderNames.FirstOffset, null),
                (HeaderNames.Verdict, [])
            )
            .Audit();
        report.Findings.ShouldBeEmpty();
        report.Counts.InQuarantineTopic.ShouldBe(1);
    }

    [Fact]
    public void A_record_missing_in_quarantine_is_lost()
    {
        Pair pair = Sound();
        pair.Quarantine.Clear();
        Finding finding = DamageTests.Only(pair.Audit(), FindingKind.Lost);
        finding.InputOffset.ShouldBe(2);
        finding.Detail.ShouldContain("null-key");
    }

    [Fact]
    public void A_duplicate_missing_in_its_topic_is_a_mismatch()
    {
        Pair pair = Sound();
        pair.Duplicates.RemoveAt(1);
        DamageTests.Only(pair.Audit(), FindingKind.LedgerMismatch).InputOffset.ShouldBe(4);
    }

    [Fact]
    public void A_side_record_twice_is_a_mismatch()
    {
        Pair pair = Sound();
        pair.Quarantine.Add(pair.Quarantine[0]);
        Mismatch(pair).ShouldContain("more than once");
        pair = Sound();
        pair.Duplicates.Add(pair.Duplicates[1]);
        Mismatch(pair).ShouldContain("more than once");
    }

    [Fact]
    public void A_changed_side_record_is_a_mismatch()
    {
        Pair pair = Sound();
        pair.Quarantine[0] = pair.Quarantine[0] with { Value = "x"u8.ToArray() };
        Mismatch(pair).ShouldContain("Value");
        pair = Sound();
        pair.Duplicates[0] = pair.Duplicates[0] with { Ts = 1 };
        Mismatch(pair).ShouldContain("Timestamp");
        pair = Sound();
        pair.Quarantine[0] = pair.Quarantine[0] with { Headers = pair.Quarantine[0].Headers[1..] };
        Mismatch(pair).ShouldContain("Headers");
    }

    [Fact]
    public void A_side_record_of_nothing_is_a_mismatch()
    {
        Pair pair = Sound();
        _ = pair.Put(Row.Of("d", "v", 1006), skip: 2);
        pair.Quarantine.Add(pair.Quarantined(Row.Of("z", "v", 1006) with { Offset = 7 }, "no-id"));
        Mismatch(pair).ShouldContain("no committed record");
    }

    [Fact]
    public void A_quarantine_without_cause_is_a_mismatch()
    {
        Pair pair = Sound();
        pair.Clean.RemoveAt(1);
        pair.Quarantine.Add(pair.Quarantined(pair.Input.Rows()[3], "no-id"));
        Mismatch(pair).ShouldContain("no-id");
    }

    [Theory]
    [InlineData("refused-too-large")]
    [InlineData("refused-timestamp")]
    [InlineData("refused")]
    [InlineData("schema-invalid")]
    public void A_record_that_was_refused_for_good_is_accepted_in_quarantine(string reason)
    {
        Pair pair = Sound();
        pair.Clean.RemoveAt(1);
        pair.Quarantine.Add(pair.Quarantined(pair.Input.Rows()[3], reason));
        pair.Audit().IsSound.ShouldBeTrue();

        pair.WithQuarantine = false;
        Finding lost = DamageTests.Only(pair.Audit(), FindingKind.Lost);
        lost.Detail.ShouldContain("quarantine");
    }

    [Fact]
    public void A_refused_record_is_not_remembered()
    {
        Pair pair = new Pair(100, 50) { WithQuarantine = true }
            .Put("a", 1000)
            .Put("b", 1001);
        pair.Quarantine.Add(pair.Quarantined(pair.Clean[0], "refused-too-large"));
        pair.Clean.RemoveAt(0);
        Row again = Row.Of("a", "small", 1002);
        pair.Clean.Add(again with { Offset = pair.Input.Add(again) });
        pair.Audit().IsSound.ShouldBeTrue();
    }

    [Fact]
    public void A_first_put_into_duplicates_is_lost_and_the_detail_says_where_it_is()
    {
        Pair pair = Sound();
        Row first = pair.Clean[1];
        pair.Clean.RemoveAt(1);
        Row model = pair.Duplicates[0];
        pair.Duplicates.Insert(
            1,
            first with
            {
                Headers =
                [
                    .. first.Headers,
                    .. model.Headers.Select(h =>
                        h.Name == HeaderNames.SourceOffset
                            ? (h.Name, Encoding.UTF8.GetBytes("3"))
                            : h
                    ),
                ],
            }
        );
        DamageTests.Only(pair.Audit(), FindingKind.Lost).Detail.ShouldContain("orders.duplicates");
    }

    [Fact]
    public void A_duplicate_that_names_a_wrong_first_is_a_mismatch()
    {
        Pair pair = Sound();
        pair.Duplicates[1] = pair.Duplicates[1] with
        {
            Headers =
            [
                .. pair.Duplicates[1]
                    .Headers.Select(h =>
                        h.Name == HeaderNames.FirstOffset ? (h.Name, "3"u8.ToArray()) : h
                    ),
            ],
        };
        Mismatch(pair).ShouldContain("does not repeat");
    }

    [Fact]
    public void Records_on_clean_and_aside_are_mismatches()
    {
        Pair pair = Sound();
        pair.Quarantine.Add(pair.Quarantined(pair.Input.Rows()[3], "refused"));
        Mismatch(pair).ShouldContain("is on clean");
    }

    [Fact]
    public void Side_records_of_other_topics_are_left_alone()
    {
        Pair pair = Sound();
        pair.Quarantine.Add(
            pair.Quarantine[0] with
            {
                Headers =
                [
                    .. pair.Quarantine[0]
                        .Headers.Select(h =>
                            h.Name == HeaderNames.SourceTopic ? (h.Name, "other"u8.ToArray()) : h
                        ),
                ],
            }
        );
        pair.Quarantine.Add(Row.Of("x", "y", 5));
        AuditReport report = pair.Audit();
        report.IsSound.ShouldBeTrue();
        report.Notes.ShouldHaveSingleItem().ShouldContain("1 records of orders.quarantine");
    }

    private static string Mismatch(Pair pair) =>
        DamageTests.Only(pair.Audit(), FindingKind.LedgerMismatch).Detail;
}
