using System.Collections.Immutable;
using Dedup.Contracts.Changelog;
using Dedup.Topology.Judge;
using Dedup.Topology.Windows;
using Shouldly;

namespace DedupTopology.Tests.Judge;

/// <summary>Classes of a state over restarts with other windows.</summary>
public sealed class WindowClocksTests
{
    private static readonly ImmutableArray<WindowClass> Hour = [new(0, "", 60, 60)];
    private static readonly ImmutableArray<WindowClass> Day = [new(0, "", 1_440, 1_440)];
    private static readonly ImmutableArray<WindowClass> HourAndBeat =
    [
        new(0, "", 60, 60),
        new(1, "beat*", 5, 5),
    ];

    [Fact]
    public void The_same_windows_keep_their_ids_and_clocks()
    {
        ImmutableArray<MarkerClass> made = Made(HourAndBeat, 1_000, 900);
        WindowClocks clocks = Loaded(HourAndBeat, made);
        (clocks[0].Id, clocks[1].Id).ShouldBe(((ushort)0, (ushort)1));
        (clocks.Committed(0), clocks.Committed(1)).ShouldBe((1_000, 900));
        clocks.Pending([]).ShouldBe(made);
    }

    [Fact]
    public void A_changed_window_gets_a_new_id_and_the_old_one_stays_in_the_marker_while_it_has_buckets()
    {
        WindowClocks clocks = Loaded(Day, Made(Hour, 1_000));
        clocks[0].Id.ShouldBe((ushort)1);
        clocks.Committed(0).ShouldBe(1_000);
        MarkerBucket old = new(new BucketId(0, 60), 1, 0);
        ImmutableArray<MarkerClass> pending = clocks.Pending([old]);
        pending
            .Select(static c => (c.Id, c.Pattern, c.IsRetired, c.WindowMs))
            .ShouldBe([((ushort)1, "", false, 1_440), ((ushort)0, "", true, 60)]);
        clocks.Pending([]).Length.ShouldBe(1);
        // Back again: another number, since what has expired meanwhile must not come back to life.
        WindowClocks back = Loaded(Hour, pending);
        back[0].Id.ShouldBe((ushort)2);
        back.Committed(0).ShouldBe(1_000);
    }

    [Fact]
    public void A_retired_bucket_expires_by_the_longer_window_that_took_over_its_name()
    {
        // An entry seen at 1,000 expires at 1,120 by the old window, at 3,880 by the new one; buckets are 18 wide.
        BucketId bucket = Hour[0].BucketOf(1_000);
        WindowClocks clocks = Loaded(Day, Made(Hour, 1_000));
        clocks.IsExpired(bucket).ShouldBeFalse();
        clocks.Counts(bucket.Class, 1_000, 0).ShouldBeTrue();
        See(clocks, 3_880);
        clocks.IsExpired(bucket).ShouldBeFalse();
        See(clocks, 3_880 + Hour[0].BucketWidthMs);
        clocks.IsExpired(bucket).ShouldBeTrue();
    }

    [Fact]
    public void A_bucket_that_had_expired_before_stays_expired_under_a_longer_window() =>
        Loaded(Day, Made(Hour, 2_000)).IsExpired(Hour[0].BucketOf(1_000)).ShouldBeTrue();

    [Fact]
    public void A_retired_bucket_expires_earlier_by_a_shorter_window()
    {
        BucketId bucket = Day[0].BucketOf(1_000);
        WindowClocks clocks = Loaded(Hour, Made(Day, 1_000));
        See(clocks, 1_120 + Day[0].BucketWidthMs);
        clocks.IsExpired(bucket).ShouldBeTrue();
    }

    [Fact]
    public void A_type_that_gets_its_own_window_begins_with_the_clock_of_the_default_one() =>
        Loaded(HourAndBeat, Made(Hour, 1_000)).Committed(1).ShouldBe(1_000);

    [Fact]
    public void Buckets_of_a_type_without_window_any_more_expire_at_the_highest_clock()
    {
        BucketId bucket = HourAndBeat[1].BucketOf(1_000);
        WindowClocks clocks = Loaded(Hour, Made(HourAndBeat, 500, 1_000));
        clocks.IsExpired(bucket with { Class = 1 }).ShouldBeFalse();
        clocks.Counts(1, 1_000, 0).ShouldBeTrue();
        See(clocks, 1_020);
        clocks.Counts(1, 1_000, 0).ShouldBeFalse();
        clocks.IsExpired(bucket with { Class = 1 }).ShouldBeTrue();
    }

    [Fact]
    public void Buckets_of_a_class_that_the_state_does_not_know_are_expired() =>
        Loaded(Hour, Made(Hour, 1_000)).IsExpired(new BucketId(9, 1_000)).ShouldBeTrue();

    [Fact]
    public void The_highest_id_stays_in_the_marker_so_that_it_is_never_given_again()
    {
        ImmutableArray<MarkerClass> made = Loaded(Hour, Made(HourAndBeat, 500, 1_000)).Pending([]);
        made.Select(static c => c.Id).ShouldBe([(ushort)0, (ushort)1]);
        Loaded(Day, made)[0].Id.ShouldBe((ushort)2);
    }

    [Fact]
    public void The_clock_of_an_open_transaction_expires_no_bucket_and_an_abort_takes_it_back()
    {
        BucketId bucket = Hour[0].BucketOf(1_000);
        WindowClocks clocks = Loaded(Day, Made(Hour, 1_000));
        _ = clocks.See(0, 100_000);
        clocks.IsExpired(bucket).ShouldBeFalse();
        clocks.Abort();
        clocks.Open(0).ShouldBe(1_000);
    }

    [Fact]
    public void After_the_last_id_the_lowest_that_is_free_is_taken()
    {
        MarkerClass last = Made(Hour, 1_000)[0] with { Id = ushort.MaxValue };
        Loaded(Day, [last])[0].Id.ShouldBe((ushort)0);
    }

    private static ImmutableArray<MarkerClass> Made(
        ImmutableArray<WindowClass> classes,
        params long[] clocks
    ) =>
        [
            .. classes.Select(
                (c, i) =>
                    new MarkerClass(c.Id, c.Name, c.WindowMs, c.GraceMs, c.BucketWidthMs, clocks[i])
            ),
        ];

    private static WindowClocks Loaded(
        ImmutableArray<WindowClass> configured,
        ImmutableArray<MarkerClass> made
    )
    {
        var clocks = new WindowClocks(configured);
        clocks.Load(made);
        return clocks;
    }

    private static void See(WindowClocks clocks, long timeMs)
    {
        _ = clocks.See(0, timeMs);
        clocks.Commit();
    }
}
