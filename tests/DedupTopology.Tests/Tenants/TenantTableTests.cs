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
