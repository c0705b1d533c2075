using System.Collections.Immutable;
using System.Text;
using Dedup.Contracts.Identity;
using Dedup.Topology.Ledger;
using Shouldly;

namespace DedupTopology.Tests.Ledger;

/// <summary>Counts by type: bounded, and no record lost from them.</summary>
public sealed class TypeLedgerTests
{
    [Fact]
    public void The_hundred_largest_types_are_named_and_the_rest_are_others()
    {
        // Type i has i records: 1 + 2 + … + 150 = 11,325, of which 51 to 150 are named: 10,050.
        var types = new TypeLedger();
        for (int i = 1; i <= 150; i++)
        {
            Count(types, $"t{i}", i);
        }

        ImmutableArray<KeyValuePair<string, long>> counts = Pending(types);
        counts.Length.ShouldBe(TypeLedger.MaxShown + 1);
        counts[0].ShouldBe(new("type.first:t150", 150));
        counts.Single(static c => c.Key == "type-other.first").Value.ShouldBe(1_275);
        counts.Sum(static c => c.Value).ShouldBe(11_325);
    }

    [Fact]
    public void A_type_that_grows_late_is_named_however_many_came_before_it()
    {
        var types = new TypeLedger();
        for (int i = 0; i < 1_000; i++)
        {
            Count(types, $"once{i}", 1);
            types.Commit();
        }

        for (int i = 0; i < 10; i++)
        {
            Count(types, "late", 5);
            types.Commit();
        }

        types.Of("late", Verdict.First).ShouldBe(50);
        ImmutableArray<KeyValuePair<string, long>> counts = Pending(types);
        counts[0].Key.ShouldBe("type.first:late");
        counts.Sum(static c => c.Value).ShouldBe(1_050);
    }

    [Fact]
    public void An_abort_takes_back_what_was_counted_and_a_marker_brings_back_what_was_committed()
    {
        var types = new TypeLedger();
        Count(types, "a:b", 2);
        Count(types, "", 1);
        types.Commit();
        Count(types, "a:b", 7);
        types.Abort();
        types.Count(types.NumberOf("a:b"u8), Verdict.Duplicate);
        types.Commit();
        var again = new TypeLedger();
        again.Load(Pending(types));
        again.Of("a:b", Verdict.First).ShouldBe(2);
        again.Of("a:b", Verdict.Duplicate).ShouldBe(1);
        again.Of("", Verdict.First).ShouldBe(1);
        Pending(again).ShouldBe(Pending(types));
    }

    [Fact]
    public void A_type_that_is_too_long_counts_as_other()
    {
        var types = new TypeLedger();
        Count(types, new string('x', TypeLedger.MaxNameBytes + 1), 3);
        Count(types, new string('x', TypeLedger.MaxNameBytes), 2);
        types.Commit();
        types.OfOthers(Verdict.First).ShouldBe(3);
    }

    private static void Count(TypeLedger types, string type, int records)
    {
        int number = types.NumberOf(Encoding.UTF8.GetBytes(type));
        for (int i = 0; i < records; i++)
        {
            types.Count(number, Verdict.First);
        }
    }

    private static ImmutableArray<KeyValuePair<string, long>> Pending(TypeLedger types)
    {
        var counts = ImmutableArray.CreateBuilder<KeyValuePair<string, long>>();
        types.AddPending(counts);
        return counts.ToImmutable();
    }
}
