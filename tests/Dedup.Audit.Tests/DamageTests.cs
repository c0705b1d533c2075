using Dedup.Audit.Contents;
using Dedup.Audit.Reports;
using Dedup.Audit.Tests.Model;
using Shouldly;

namespace Dedup.Audit.Tests;

/// <summary>
/// Window 100, grace 50. The sound pair: a@10 b@20 a@30(duplicate of a) c@40 d@50 e@60 a@115(first again: 105 from 10).
/// Input offsets 0 to 6, clean offsets: a=0 b=1 c=2 d=3 e=4 a=5.
/// </summary>
public sealed class DamageTests
{
    private static Pair Sound() =>
        new Pair(100, 50)
            .Put("a", 10)
            .Put("b", 20, "vb", ("h", "1"u8.ToArray()), ("h", null), ("h", []))
            .Put("a", 30)
            .Put("c", 40, null)
            .Put("d", 50, "")
            .Put("e", 60)
            .Put("a", 115);

    [Fact]
    public void A_sound_pair_has_no_findings_and_nothing_unknown()
    {
        AuditReport report = Sound().Audit();
        report.Findings.ShouldBeEmpty();
        report.UnknownTotal.ShouldBe(0);
        report.Counts.In.ShouldBe(7);
        report.Counts.First.ShouldBe(6);
        report.Counts.Duplicates.ShouldBe(1);
        report.Counts.Clean.ShouldBe(6);
        report.RecordsRead.ShouldBe(13);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(2, 3)]
    [InlineData(5, 6)]
    public void A_removed_record_is_lost(int clean, long input)
    {
        Pair pair = Sound();
        pair.Clean.RemoveAt(clean);
        Finding finding = Only(pair.Audit(), FindingKind.Lost);
        finding.InputOffset.ShouldBe(input);
        finding.CleanOffset.ShouldBeNull();
        finding.Input.ShouldNotBeNull();
    }

    [Theory]
    [InlineData(1, 2, 1)]
    [InlineData(1, 6, 1)]
    [InlineData(4, 1, 4)]
    public void A_doubled_record_is_twice_wherever_the_second_copy_stands(
        int clean,
        int at,
        int which
    )
    {
        Pair pair = Sound();
        pair.Clean.Insert(at, pair.Clean[clean]);
        Finding finding = Only(pair.Audit(), FindingKind.Twice);
        // The copy that stands out of place is the damage: inserted before the record, it has its own index.
        finding.CleanOffset.ShouldBe(at);
        finding.FirstCleanOffset.ShouldBe(at <= clean ? clean + 1 : which);
    }

    [Fact]
    public void A_suppressed_duplicate_on_clean_is_twice()
    {
        Pair pair = Sound();
        pair.Clean.Insert(2, pair.Input.Rows()[2]);
        Finding finding = Only(pair.Audit(), FindingKind.Twice);
        finding.InputOffset.ShouldBe(2);
        finding.FirstCleanOffset.ShouldBe(0);
    }

    [Fact]
    public void A_first_beyond_the_window_doubled_is_twice_of_that_one()
    {
        Pair pair = Sound();
        pair.Clean.Add(pair.Clean[5]);
        Only(pair.Audit(), FindingKind.Twice).InputOffset.ShouldBe(6);
    }

    [Fact]
    public void A_changed_value_is_changed() =>
        Changed(1, r => r with { Value = "other"u8.ToArray() }).ShouldBe(RecordParts.Value);

    [Fact]
    public void A_null_value_made_empty_is_changed() =>
        Changed(2, r => r with { Value = [] }).ShouldBe(RecordParts.Value);

    [Fact]
    public void An_empty_value_made_null_is_changed() =>
        Changed(3, r => r with { Value = null }).ShouldBe(RecordParts.Value);

    [Fact]
    public void A_changed_key_is_changed_though_its_id_is_another_one() =>
        Changed(1, r => r with { Key = "x"u8.ToArray() }).ShouldBe(RecordParts.Key);

    [Fact]
    public void A_key_made_null_is_changed() =>
        Changed(1, r => r with { Key = null }).ShouldBe(RecordParts.Key);

    [Fact]
    public void A_key_changed_into_another_known_one_is_changed() =>
        Changed(1, r => r with { Key = "e"u8.ToArray() }).ShouldBe(RecordParts.Key);

    [Fact]
    public void A_changed_timestamp_is_changed() =>
        Changed(4, r => r with { Ts = r.Ts + 1 }).ShouldBe(RecordParts.Timestamp);

    [Fact]
    public void Swapped_repeated_headers_are_changed() =>
        Changed(1, r => r with { Headers = [r.Headers[1], r.Headers[0], r.Headers[2]] })
            .ShouldBe(RecordParts.Headers);

    [Fact]
    public void A_null_header_made_empty_is_changed() =>
        Changed(1, r => r with { Headers = [r.Headers[0], ("h", []), r.Headers[2]] })
            .ShouldBe(RecordParts.Headers);

    [Fact]
    public void An_added_header_is_changed() =>
        Changed(0, r => r with { Headers = [("new", null)] }).ShouldBe(RecordParts.Headers);

    [Fact]
    public void A_record_that_no_input_explains_is_foreign()
    {
        Pair pair = Sound();
        pair.Clean.Insert(3, Row.Of("z", "q", 45));
        Finding finding = Only(pair.Audit(), FindingKind.Foreign);
        finding.CleanOffset.ShouldBe(3);
        finding.Clean!.Key.ShouldBe("z");
    }

    [Fact]
    public void Two_neighbours_swapped_are_one_record_out_of_order()
    {
        Pair pair = Sound();
        (pair.Clean[2], pair.Clean[3]) = (pair.Clean[3], pair.Clean[2]);
        Only(pair.Audit(), FindingKind.OutOfOrder).CleanOffset.ShouldBeOneOf(2, 3);
    }

    [Fact]
    public void A_record_moved_far_is_the_only_one_out_of_order()
    {
        Pair pair = Sound();
        Row moved = pair.Clean[0];
        pair.Clean.RemoveAt(0);
        pair.Clean.Insert(4, moved);
        Finding finding = Only(pair.Audit(), FindingKind.OutOfOrder);
        (finding.CleanOffset, finding.InputOffset).ShouldBe((4, 0));
    }

    [Fact]
    public void Twenty_of_each_kind_are_shown_and_all_are_counted()
    {
        var pair = new Pair(100, 50);
        for (int i = 0; i < 50; i++)
        {
            _ = pair.Put($"k{i}", 1000 + i);
        }

        pair.Clean.Clear();
        AuditReport report = pair.Audit();
        report.CountOf(FindingKind.Lost).ShouldBe(50);
        report.Findings[0].Shown.Count.ShouldBe(FindingLog.ShownOfEach);
    }

    [Fact]
    public void Pictures_cut_and_escape_what_cannot_be_printed()
    {
        Pair pair = new Pair(100, 50).Put(
            new Row(0, [0x01, 0xff, (byte)'a'], new byte[200], 10, [])
        );
        pair.Clean.Clear();
        RecordPicture picture = Only(pair.Audit(), FindingKind.Lost).Input!;
        picture.Key.ShouldBe("\\x01\\xffa");
        picture.Value!.Length.ShouldBeLessThan(100);
        picture.Value.ShouldEndWith("…");
    }

    internal static Finding Only(AuditReport report, FindingKind kind)
    {
        FindingGroup group = report.Findings.ShouldHaveSingleItem();
        group.Kind.ShouldBe(kind);
        report.UnknownTotal.ShouldBe(0);
        return group.Shown.ShouldHaveSingleItem();
    }

    internal static IEnumerable<long> Lost(AuditReport report)
    {
        FindingGroup group = report.Findings.ShouldHaveSingleItem();
        group.Kind.ShouldBe(FindingKind.Lost);
        return group.Shown.Select(f => f.InputOffset!.Value);
    }

    private static RecordParts Changed(int clean, Func<Row, Row> change)
    {
        Pair pair = Sound();
        Row before = pair.Clean[clean];
        pair.Clean[clean] = change(before);
        Finding finding = Only(pair.Audit(), FindingKind.Changed);
        (finding.CleanOffset, finding.InputOffset).ShouldBe((clean, before.Offset));
        return finding.Changed;
    }
}
