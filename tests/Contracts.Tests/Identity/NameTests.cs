using System.Buffers;
using System.Collections.Immutable;
using Dedup.Contracts.Changelog;
using Dedup.Contracts.Identity;
using FsCheck;
using FsCheck.Fluent;
using Shouldly;

namespace Contracts.Tests.Identity;

/// <summary>Order and names of keys, buckets, and reasons.</summary>
public sealed class NameTests
{
    private static readonly Config Many = Config.QuickThrowOnFailure.WithMaxTest(2_000);

    [Fact]
    public void An_event_key_is_ordered_as_its_bytes_are() =>
        Prop.ForAll(
                ArbMap.Default.ArbFor<(ulong, ulong)>(),
                ArbMap.Default.ArbFor<(ulong, ulong)>(),
                static (a, b) =>
                {
                    var first = new EventKey(a.Item1, a.Item2);
                    var second = new EventKey(b.Item1, b.Item2);
                    byte[] x = new byte[EventKey.Size];
                    byte[] y = new byte[EventKey.Size];
                    first.Write(x);
                    second.Write(y);
                    return EventKey.Read(x) == first
                        && Math.Sign(first.CompareTo(second))
                            == Math.Sign(x.AsSpan().SequenceCompareTo(y))
                        && first < second == x.AsSpan().SequenceCompareTo(y) < 0;
                }
            )
            .Check(Many);

    [Fact]
    public void Buckets_and_event_keys_are_ordered_and_printed_by_their_parts()
    {
        BucketId[] buckets = [new(0, 5), new(1, -1), new(1, 4)];
        EventKey[] keys = [new(1, 9), new(2, 0), new(2, 1)];
        for (int i = 0; i < 3; i++)
        {
            for (int j = 0; j < 3; j++)
            {
                (buckets[i] < buckets[j]).ShouldBe(i < j);
                (buckets[i] > buckets[j]).ShouldBe(i > j);
                (buckets[i] <= buckets[j]).ShouldBe(i <= j);
                (buckets[i] >= buckets[j]).ShouldBe(i >= j);
                (keys[i] < keys[j]).ShouldBe(i < j);
                (keys[i] > keys[j]).ShouldBe(i > j);
                (keys[i] <= keys[j]).ShouldBe(i <= j);
                (keys[i] >= keys[j]).ShouldBe(i >= j);
            }
        }

        buckets[1].ToString().ShouldBe("1/-1");
        new EventKey(0xAB, 1).ToString().ShouldBe("00000000000000ab0000000000000001");
    }

    [Fact]
    public void Every_reason_is_named_as_it_is_spelt_and_stays_so()
    {
        // Names are in headers of quarantined records and in dashboards: a change breaks somebody.
        foreach (Reason reason in Enum.GetValues<Reason>())
        {
            string expected = string.Concat(
                reason
                    .ToString()
                    .Select(
                        static (c, i) =>
                            char.IsUpper(c) ? (i > 0 ? "-" : "") + char.ToLowerInvariant(c) : $"{c}"
                    )
            );
            ReasonText.Of(reason).ShouldBe(expected);
        }
    }

    [Fact]
    public void Every_reason_has_a_name_of_its_own()
    {
        Reason[] reasons = Enum.GetValues<Reason>();
        reasons.Length.ShouldBe(ReasonText.Count);
        reasons.Select(ReasonText.Of).Distinct().Count().ShouldBe(ReasonText.Count);
    }
}
