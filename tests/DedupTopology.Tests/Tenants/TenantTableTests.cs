using System.Collections.Immutable;
using System.Text;
using Dedup.Contracts.Changelog;
using Dedup.Contracts.Identity;
using Dedup.Topology.Identify;
using Dedup.Topology.Judge;
using Dedup.Topology.Tenants;
using Dedup.Topology.Windows;
using Shouldly;

namespace DedupTopology.Tests.Tenants;

/// <summary>Usage by tenant: bounded, no record lost from it, and exact for whom a quota needs it.</summary>
public sealed class TenantTableTests
{
    private static readonly BucketId Bucket = new(0, 100);
    private static readonly QuotaRules Rules = new(
        new TenantQuota(Ids: 10),
        [new("pinned", new TenantQuota(Ids: 2))]
    );

    private static TenantTable Table(QuotaRules? rules) =>
        new(rules, new WindowClocks([new WindowClass(0, "", 100, 0)]), new SipHash(3, 4));

    private static void Use(TenantTable table, string name, int ids, int duplicates = 0)
    {
        for (int i = 0; i < ids; i++)
        {
            Tenant tenant = table.Find(Encoding.UTF8.GetBytes(name));
            table.Count(tenant, Verdict.First, Reason.None);
            table.Hold(tenant, Bucket);
        }

        for (int i = 0; i < duplicates; i++)
        {
            table.Count(table.Find(Encoding.UTF8.GetBytes(name)), Verdict.Duplicate, Reason.None);
        }
    }

    [Fact]
    public void Records_firsts_duplicates_refusals_and_ids_are_counted_by_tenant()
    {
        TenantTable table = Table(null);
        Use(table, "acme", 2, duplicates: 3);
        table.Count(table.Find("acme"u8), Verdict.Invalid, Reason.OverQuota);
        table.Count(table.Find("acme"u8), Verdict.Invalid, Reason.NoId);
        Use(table, "", 1);
        table.Usage().Largest.ShouldBeEmpty();
        table.Commit();
        table
            .Usage()
            .Largest.ShouldBe([
                new TenantUsage("acme", 7, 2, 3, 1, 2),
                new TenantUsage("", 1, 1, 0, 0, 1),
            ]);
    }

    /// <summary>
    /// By-id an input partition that is many windows behind holds expiry back, so that more buckets are live than a marker
    /// names; a quota has to hold all the same.
    /// </summary>
    [Fact]
    public void Ids_in_more_live_buckets_than_a_marker_names_count_and_are_gone_in_the_end_not_too_late()
    {
        const int Buckets = UsageCodec.MaxBuckets + 72;
        var rules = new QuotaRules(new TenantQuota(Ids: Buckets), []);
        WindowClass window = new(0, "", 100, 0);
        var clocks = new WindowClocks([window]);
        var table = new TenantTable(rules, clocks, new SipHash(3, 4));
        for (int i = 0; i < Buckets; i++)
        {
            // The clock stands: every bucket is live. Half of them come again after an abort.
            Hold(i);
            if (i % 2 == 0)
            {
                table.Abort();
                Hold(i);
            }

            table.Commit();
        }

        Tenant acme = table.Find("acme"u8);
        table.HeldBy(acme).ShouldBe(Buckets);
        table.Admits(acme, 0, -1).ShouldBeFalse();
        MarkerUsage usage = table.Pending();
        usage.Buckets.Length.ShouldBeLessThanOrEqualTo(UsageCodec.MaxBuckets);
        var again = new TenantTable(rules, clocks, new SipHash(3, 4));
        again.Load(usage);
        again.HeldBy(again.Find("acme"u8)).ShouldBe(Buckets);

        for (int i = 0; i < Buckets; i++)
        {
            // Never more than those whose own bucket is still live: nobody under his quota is refused.
            _ = clocks.See(0, (100 + i + 1) * window.BucketWidthMs);
            clocks.Commit();
            table.Commit();
            table.HeldBy(table.Find("acme"u8)).ShouldBeLessThanOrEqualTo(Buckets - i - 1);
        }

        void Hold(int i)
        {
            Tenant tenant = table.Find("acme"u8);
            table.Count(tenant, Verdict.First, Reason.None);
            table.Hold(tenant, new BucketId(0, 100 + i));
        }
    }

    [Fact]
    public void Without_quotas_the_hundred_that_hold_most_are_named_and_the_rest_are_others()
    {
        // Tenant i has i IDs: 1 + 2 + … + 150 = 11,325, of which 51 to 150 are named: 10,050.
        TenantTable table = Table(null);
        for (int i = 1; i <= 150; i++)
        {
            Use(table, $"t{i}", i);
        }

        MarkerUsage pending = table.Pending();
        table.Commit();
        foreach (MarkerUsage usage in new[] { pending, table.Pending() })
        {
            usage.Tenants.Length.ShouldBe(TenantTable.MaxShown);
            usage.Tenants.Sum(static t => t.Ids).ShouldBe(10_050);
            (usage.Others.Ids, usage.Others.Records).ShouldBe((1_275, 1_275));
        }
    }

    [Fact]
    public void With_quotas_a_thousand_are_exact_and_those_with_their_own_always_are()
    {
        TenantTable table = Table(Rules);
        Use(table, "pinned", 1);
        for (int i = 0; i < 1_500; i++)
        {
            Use(table, $"t{i}", i < 500 ? 1 : 2);
        }

        table.Commit();
        MarkerUsage usage = table.Pending();
        usage.Tenants.Length.ShouldBe(TenantTable.MaxCounted + 1);
        usage.Tenants.Count(static t => t.Ids == 2).ShouldBe(1_000);
        usage.Tenants.Single(static t => t.Text == "pinned").Ids.ShouldBe(1);
        usage.Others.Ids.ShouldBe(500);
        table.HasUncounted.ShouldBeTrue();
    }

    [Fact]
    public void A_tenant_that_grows_is_counted_however_many_small_ones_there_are()
    {
        TenantTable table = Table(Rules);
        for (int round = 0; round < 5; round++)
        {
            for (int i = 0; i < 1_200; i++)
            {
                Use(table, $"once-{round}-{i}", 1);
            }

            table.Commit();
        }

        // Never too high, and too low by no more than what it held when it was among the others.
        Use(table, "grows", 10);
        table.Admits(table.Find("grows"u8), 0, 0).ShouldBeFalse();
        table.Commit();
        table.Admits(table.Find("grows"u8), 0, 0).ShouldBeFalse();
    }

    [Fact]
    public void Within_a_transaction_memory_is_bounded_too_and_no_record_is_lost()
    {
        TenantTable table = Table(null);
        for (int i = 0; i < 10_000; i++)
        {
            Use(table, $"t{i}", 1);
        }

        table.Find("one more"u8).ShouldBeSameAs(table.Find("yet another"u8));
        MarkerUsage usage = table.Pending();
        (usage.Others.Records + usage.Tenants.Sum(static t => t.Records)).ShouldBe(10_000);
    }

    [Fact]
    public void A_marker_brings_everything_back_also_more_than_the_table_would_count()
    {
        TenantTable table = Table(Rules);
        for (int i = 0; i < 400; i++)
        {
            Use(table, $"t{i}", 1 + (i % 7), duplicates: i);
        }

        MarkerUsage usage = table.Pending();
        TenantTable same = Table(Rules);
        same.Load(usage);
        Text(same.Pending()).ShouldBe(Text(usage));

        TenantTable smaller = Table(null);
        smaller.Load(usage);
        MarkerUsage kept = smaller.Pending();
        kept.Tenants.Length.ShouldBe(TenantTable.MaxShown);
        (kept.Others.Ids + kept.Tenants.Sum(static t => t.Ids)).ShouldBe(
            usage.Tenants.Sum(static t => t.Ids)
        );
    }

    /// <summary>One ID each: 65 with a second record come first, then 35 by name; 30 are the others.</summary>
    [Fact]
    public void Who_is_named_goes_by_ids_then_records_then_name_and_no_count_of_the_others_is_lost()
    {
        TenantTable table = Table(null);
        for (int i = 0; i < 130; i++)
        {
            string name = $"t{i:000}";
            Use(table, name, 1, duplicates: i % 2);
        }

        foreach (string name in (string[])["t128", "t126"])
        {
            // Refused ones are records too, as many as t001 has; by name they come after all others.
            table.Count(
                table.Find(Encoding.UTF8.GetBytes(name)),
                Verdict.Invalid,
                Reason.OverQuota
            );
        }

        string[] two =
        [
            .. Enumerable
                .Range(0, 130)
                .Where(static i => i % 2 == 1 || i is 126 or 128)
                .Select(static i => $"t{i:000}"),
        ];
        string[] one =
        [
            .. Enumerable
                .Range(0, 130)
                .Where(static i => i % 2 == 0 && i < 126)
                .Select(static i => $"t{i:000}"),
        ];
        MarkerUsage pending = table.Pending();
        pending.Tenants.Select(static t => t.Text).ShouldBe(two.Concat(one.Take(33)).Order());
        (pending.Others.Records, pending.Others.Firsts, pending.Others.Ids).ShouldBe((30, 30, 30));
        table.Commit();
        MarkerUsage committed = table.Pending();
        Text(committed).ShouldBe(Text(pending));
        (ImmutableArray<TenantUsage> largest, TenantUsage others) = table.Usage();
        largest.Select(static t => t.Name).ShouldBe([.. two, .. one.Take(33)]);
        others.ShouldBe(new TenantUsage("", 30, 30, 0, 0, 30));
    }

    [Fact]
    public void The_others_have_every_count_of_those_that_are_not_named()
    {
        TenantTable table = Table(null);
        for (int i = 0; i < 100; i++)
        {
            Use(table, $"large{i}", 3);
        }

        for (int i = 0; i < 10; i++)
        {
            string name = $"small{i}";
            Use(table, name, 2, duplicates: 5);
            table.Count(
                table.Find(Encoding.UTF8.GetBytes(name)),
                Verdict.Invalid,
                Reason.OverQuota
            );
        }

        MarkerTenant others = table.Pending().Others;
        (others.Records, others.Firsts, others.Duplicates, others.OverQuota, others.Ids).ShouldBe(
            (80, 20, 50, 10, 20)
        );
        table.Commit();
        table.Usage().Others.ShouldBe(new TenantUsage("", 80, 20, 50, 10, 20));
        // To people the named ones of a marker and its others are one sum, too.
        TenantTable
            .Sum(new TenantUsage("a", 1, 2, 3, 4, 5), new TenantUsage("b", 10, 20, 30, 40, 50))
            .ShouldBe(new TenantUsage("a", 11, 22, 33, 44, 55));
    }

    [Fact]
    public void A_marker_takes_the_place_of_whatever_was_counted()
    {
        TenantTable table = Table(Rules);
        Use(table, "acme", 3);
        table.Commit();
        MarkerUsage usage = table.Pending();
        Use(table, "other", 2);
        table.Load(usage);
        Text(table.Pending()).ShouldBe(Text(usage));
        table.Load(null);
        table.Pending().Tenants.ShouldBeEmpty();
        table.Pending().Buckets.ShouldBeEmpty();
        table.HeldBy(table.Find("acme"u8)).ShouldBe(0);
    }

    [Fact]
    public void Nobody_is_judged_too_low_where_nobody_is_among_the_others_or_there_are_no_quotas()
    {
        TenantTable few = Table(Rules);
        Use(few, "acme", 3);
        few.Commit();
        few.HasUncounted.ShouldBeFalse();
        TenantTable many = Table(null);
        for (int i = 0; i < 300; i++)
        {
            Use(many, $"t{i}", 1);
        }

        many.Commit();
        many.Usage().Others.Ids.ShouldBeGreaterThan(0);
        many.HasUncounted.ShouldBeFalse();
    }

    [Fact]
    public void A_partition_waits_for_no_tenant_whose_rate_sends_to_quarantine_or_who_has_none()
    {
        var quarantine = new QuotaRules(new TenantQuota(Rate: new RateLimit(1, 1_000)), []);
        quarantine.Throttles.ShouldBeFalse();
        TenantTable table = Table(quarantine);
        Tenant acme = table.Find("acme"u8);
        table.Admits(acme, 1_000, -1).ShouldBeTrue();
        table.Admits(acme, 1_000, -1).ShouldBeFalse();
        table.WaitOf(acme, 1_000, 100).ShouldBe(0);

        var one = new QuotaRules(
            TenantQuota.None,
            [
                new("free", TenantQuota.None),
                new(
                    "slow",
                    new TenantQuota(Rate: new RateLimit(1, 1_000), OverRate: RateAction.Throttle)
                ),
            ]
        );
        one.Throttles.ShouldBeTrue();
        table = Table(one);
        table.WaitOf(table.Find("free"u8), 1_000, 100).ShouldBe(0);
        Tenant slow = table.Find("slow"u8);
        table.WaitOf(slow, 1_000, 100).ShouldBe(0);
        table.Admits(slow, 0, 1_000).ShouldBeTrue();
        table.WaitOf(slow, 1_000, 100).ShouldBeInRange(1, 1_000);
        table.WaitOf(slow, 2_000, 100).ShouldBe(0);
    }

    [Theory]
    [InlineData(TenantTable.MaxNameBytes, false)]
    [InlineData(TenantTable.MaxNameBytes + 1, true)]
    public void Only_a_name_that_is_too_long_is_cut(int length, bool isCut)
    {
        string name = new('x', length);
        var rules = new QuotaRules(TenantQuota.None, [new(name, new TenantQuota(Ids: 1))]);
        foreach (QuotaRules? r in (QuotaRules?[])[null, rules])
        {
            TenantTable table = Table(r);
            Use(table, name, 1);
            table.Commit();
            string shown = table.Usage().Largest.ShouldHaveSingleItem().Name;
            shown.Length.ShouldBe(TenantTable.MaxNameBytes);
            if (isCut)
            {
                shown.ShouldMatch("^x{111}#[0-9a-f]{16}$");
            }
            else
            {
                shown.ShouldBe(name);
            }

            // Its quota is found under the name that it was cut to.
            table.Admits(table.Find(Encoding.UTF8.GetBytes(name)), 0, -1).ShouldBe(r is null);
        }
    }

    [Fact]
    public void Long_names_are_cut_and_stay_apart()
    {
        TenantTable table = Table(null);
        Use(table, new string('x', 5_000) + "a", 1);
        Use(table, new string('x', 5_000) + "b", 2);
        Use(table, new string('x', TenantTable.MaxNameBytes), 3);
        table.Commit();
        ImmutableArray<TenantUsage> usage = table.Usage().Largest;
        usage.Select(static t => t.Ids).ShouldBe([3, 2, 1]);
        usage.ShouldAllBe(static t => t.Name.Length == TenantTable.MaxNameBytes);
    }

    [Fact]
    public void Names_that_are_no_text_stay_apart()
    {
        TenantTable table = Table(null);
        table.Count(table.Find([0xFF]), Verdict.First, Reason.None);
        table.Count(table.Find([0xFE]), Verdict.First, Reason.None);
        MarkerUsage usage = table.Pending();
        TenantTable back = Table(null);
        back.Load(usage);
        back.Pending().Tenants.Length.ShouldBe(2);
    }

    private static string Text(MarkerUsage usage) =>
        string.Join(
            '\n',
            usage.Tenants.Select(t =>
                $"{t.Text} {t.Records} {t.Firsts} {t.Duplicates} {string.Join(',', t.Held)}"
            )
        );
}
