using Dedup.Contracts.Changelog;
using Dedup.Tests;
using Dedup.Topology.Windows;
using FsCheck;
using FsCheck.Fluent;
using Shouldly;

namespace DedupTopology.Tests.Windows;

/// <summary>The arithmetic that everything about time hangs on.</summary>
public sealed class WindowClassTests
{
    private static readonly Config Many = Config.QuickThrowOnFailure.WithMaxTest(
        Repetitions.Of(3_000)
    );

    private static readonly Gen<WindowClass> Classes =
        from window in Gen.Choose(1, 1_000_000)
        from grace in Gen.Choose(0, 6_000_000)
        select new WindowClass(0, "", window, Math.Min(grace, window * 6L));

    [Fact]
    public void A_record_that_is_not_late_never_misses_a_first_that_it_duplicates() =>
        Prop.ForAll(
                Arb.From(
                    from w in Classes
                    from seen in Gen.Choose(1, 10_000_000)
                    from distance in Gen.Choose(-1_000_000, 1_000_000)
                    from ahead in Gen.Choose(0, 10_000_000)
                    select (w, (long)seen, (long)distance, (long)ahead)
                ),
                static x =>
                {
                    (WindowClass w, long seen, long distance, long ahead) = x;
                    long timestamp = seen + Math.Clamp(distance, -w.WindowMs, w.WindowMs);
                    long clock = Math.Max(Math.Max(seen, timestamp), seen + ahead);
                    return w.IsLate(timestamp, clock) || w.IsLive(seen, clock);
                }
            )
            .Check(Many);

    [Fact]
    public void No_entry_of_an_expired_bucket_counts_and_none_that_counts_lies_in_one() =>
        Prop.ForAll(
                Arb.From(
                    from w in Classes
                    from seen in Gen.Choose(0, 100_000_000)
                    from ahead in Gen.Choose(0, 20_000_000)
                    select (w, (long)seen, (long)ahead)
                ),
                static x =>
                {
                    (WindowClass w, long seen, long ahead) = x;
                    return !(
                        w.IsExpired(w.BucketOf(seen), seen + ahead) && w.IsLive(seen, seen + ahead)
                    );
                }
            )
            .Check(Many);

    [Fact]
    public void A_bucket_is_expired_one_tick_after_its_last_entry() =>
        Prop.ForAll(
                Arb.From(
                    from w in Classes
                    from index in Gen.Choose(0, 100_000)
                    select (w, (long)index)
                ),
                static x =>
                {
                    (WindowClass w, long index) = x;
                    var bucket = new BucketId(0, index);
                    long lastExpiry = ((index + 1) * w.BucketWidthMs) - 1;
                    return !w.IsExpired(bucket, lastExpiry) && w.IsExpired(bucket, lastExpiry + 1);
                }
            )
            .Check(Many);

    [Fact]
    public void At_most_eight_buckets_are_live() =>
        Prop.ForAll(
                Arb.From(
                    from w in Classes
                    from clock in Gen.Choose(10_000_000, 1_000_000_000)
                    select (w, (long)clock)
                ),
                static x =>
                {
                    (WindowClass w, long clock) = x;
                    long oldest = clock - w.RetentionMs;
                    return w.BucketOf(clock).Index - w.BucketOf(oldest).Index <= 7;
                }
            )
            .Check(Many);

    [Fact]
    public void Two_entries_of_one_id_more_than_a_window_apart_lie_in_different_buckets() =>
        Prop.ForAll(
                Arb.From(
                    from w in Classes
                    from seen in Gen.Choose(0, 100_000_000)
                    from more in Gen.Choose(1, 1_000)
                    select (w, (long)seen, (long)more)
                ),
                static x =>
                {
                    (WindowClass w, long seen, long more) = x;
                    return w.BucketOf(seen) != w.BucketOf(seen + w.WindowMs + more);
                }
            )
            .Check(Many);

    [Fact]
    public void An_entry_lies_where_its_expiry_does_also_before_the_epoch() =>
        Prop.ForAll(
                Arb.From(
                    from w in Classes
                    from seen in Gen.Choose(-100_000_000, 100_000_000)
                    select (w, (long)seen)
                ),
                static x =>
                {
                    (WindowClass w, long seen) = x;
                    long begin = w.BucketOf(seen).Index * w.BucketWidthMs;
                    return begin <= w.ExpiryOf(seen) && w.ExpiryOf(seen) < begin + w.BucketWidthMs;
                }
            )
            .Check(Many);

    [Theory]
    [InlineData(1, WindowClass.BucketsPerRetention)]
    [InlineData(4, 7)]
    [InlineData(5, 5)]
    [InlineData(8, 3)]
    [InlineData(WindowClass.MaxClasses, 2)]
    public void Many_classes_are_cut_into_fewer_buckets_each(int classes, int slices)
    {
        WindowClass.SlicesFor(classes).ShouldBe(slices);
        // One more than the slices is live at a time.
        (classes * (slices + 1)).ShouldBeLessThanOrEqualTo(WindowClass.MaxLiveBuckets);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(WindowClass.BucketsPerRetention + 1)]
    public void A_retention_in_no_bucket_or_too_many_is_refused(int slices) =>
        Should
            .Throw<ArgumentOutOfRangeException>(() => new WindowClass(0, "", 1_000, 0, slices))
            .ParamName.ShouldBe("slices");

    [Theory]
    [InlineData(0, 0)]
    [InlineData(-1, 0)]
    [InlineData(1, -1)]
    [InlineData(10, 61)]
    [InlineData(WindowClass.MaxWindowMs + 1, 0)]
    public void Geometry_that_would_break_a_bound_is_refused(long windowMs, long graceMs) =>
        Should.Throw<ArgumentOutOfRangeException>(() => new WindowClass(0, "", windowMs, graceMs));

    [Fact]
    public void Late_begins_one_tick_before_clock_minus_grace()
    {
        var w = new WindowClass(0, "", 100, 50);
        w.IsLate(950, 1_000).ShouldBeFalse();
        w.IsLate(949, 1_000).ShouldBeTrue();
        w.IsLive(850, 1_000).ShouldBeTrue();
        w.IsLive(849, 1_000).ShouldBeFalse();
        WindowClass.IsWithin(900, 1_000, 100).ShouldBeTrue();
        WindowClass.IsWithin(899, 1_000, 100).ShouldBeFalse();
        WindowClass.IsWithin(1_100, 1_000, 100).ShouldBeTrue();
        WindowClass.IsWithin(1_101, 1_000, 100).ShouldBeFalse();
    }
}
