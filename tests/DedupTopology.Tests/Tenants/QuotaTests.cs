using Dedup.Contracts.Identity;
using Dedup.Topology.Judge;
using Dedup.Topology.Ledger;
using Dedup.Topology.Pipelines;
using Dedup.Topology.Tenants;
using DedupTopology.Tests.Judge;
using Shouldly;

namespace DedupTopology.Tests.Tenants;

/// <summary>What a quota lets through. Window 100, grace 0.</summary>
public sealed class QuotaTests
{
    private static readonly QuotaRules TwoIds = QuotaPipeline.All(new TenantQuota(Ids: 2));

    // Three at once, and then one for each 10 ms of the tenant's own time.
    private static readonly QuotaRules ThreePer30 = QuotaPipeline.All(
        new TenantQuota(Rate: new RateLimit(3, 30))
    );

    private static readonly QuotaRules Waits = QuotaPipeline.All(
        new TenantQuota(Rate: new RateLimit(2, 1_000), OverRate: RateAction.Throttle)
    );

    [Fact]
    public void A_new_id_beyond_the_quota_goes_to_quarantine_and_a_known_one_is_still_a_duplicate()
    {
        using var pipeline = new QuotaPipeline(TwoIds);
        var batch = new MemoryBatch();
        foreach (string id in new[] { "a", "b", "c", "a", "c" })
        {
            _ = batch.Add(id, 1_000, type: "acme", header: "tenant");
        }

        Judgement[] judgements = pipeline.Run(batch);
        string.Concat(judgements.Select(QuotaPipeline.Letter)).ShouldBe("ffqdq");
        judgements[2].Destination.ShouldBe(Destination.Quarantine);
        judgements[2].Verdict.ShouldBe(Verdict.Invalid);
        pipeline.Judge.Overlay.Count.ShouldBe(2);
    }

    [Fact]
    public void A_tenant_under_its_quota_is_not_touched_by_one_that_is_over()
    {
        using var pipeline = new QuotaPipeline(TwoIds);
        pipeline.Letters("acme", ("a", 1_000), ("b", 1_000), ("c", 1_000)).ShouldBe("ffq");
        pipeline.Letters("beta", ("a", 1_000), ("b", 1_000)).ShouldBe("ff");
        pipeline.Letters("acme", ("d", 1_000)).ShouldBe("q");
    }

    [Fact]
    public void Ids_that_have_expired_no_longer_count_in_the_same_transaction_and_in_the_next()
    {
        // Expiry of the first two is 1,100, in a bucket of 15 ms that ends at 1,110.
        using var pipeline = new QuotaPipeline(TwoIds);
        pipeline.Letters("acme", ("a", 1_000), ("b", 1_000), ("c", 1_109)).ShouldBe("ffq");
        pipeline.Letters("acme", ("c", 1_110), ("d", 1_110), ("e", 1_110)).ShouldBe("ffq");
        pipeline.Commit();
        pipeline.Letters("acme", ("e", 1_111), ("c", 1_111)).ShouldBe("qd");
        pipeline.Letters("acme", ("f", 1_300), ("g", 1_300), ("h", 1_300)).ShouldBe("ffq");
    }

    [Fact]
    public void Nothing_of_an_aborted_transaction_counts()
    {
        using var pipeline = new QuotaPipeline(TwoIds);
        for (int i = 0; i < 3; i++)
        {
            pipeline.Letters("acme", ("a", 1_000), ("b", 1_000), ("c", 1_000)).ShouldBe("ffq");
            pipeline.Judge.Abort();
        }

        pipeline.Table.Pending().Tenants.ShouldBeEmpty();
        pipeline.Letters("acme", ("a", 1_000)).ShouldBe("f");
        pipeline.Commit();
        pipeline.Letters("acme", ("b", 1_000), ("c", 1_000)).ShouldBe("fq");
        pipeline.Judge.Abort();
        pipeline.Letters("acme", ("c", 1_000), ("b", 1_000)).ShouldBe("fq");
    }

    [Fact]
    public void What_is_held_survives_a_restart_and_expires_behind_it()
    {
        using var pipeline = new QuotaPipeline(TwoIds);
        pipeline.Letters("acme", ("a", 1_000), ("b", 1_000)).ShouldBe("ff");
        pipeline.Commit();
        pipeline.Restart();
        pipeline.Letters("acme", ("c", 1_000), ("a", 1_000), ("c", 1_110)).ShouldBe("qdf");
    }

    [Fact]
    public void A_rate_is_measured_by_the_times_of_the_tenants_own_records()
    {
        using var pipeline = new QuotaPipeline(ThreePer30);
        pipeline
            .Letters("acme", ("a", 1_000), ("b", 1_000), ("c", 1_000), ("d", 1_009))
            .ShouldBe("fffq");
        pipeline.Letters("acme", ("d", 1_010), ("e", 1_010), ("a", 1_010)).ShouldBe("fqd");
        // Others' times do not fill it, and an old record of its own does not either.
        pipeline.Letters("beta", ("a", 1_090)).ShouldBe("f");
        pipeline.Letters("acme", ("e", 1_010), ("f", 1_005)).ShouldBe("qq");
        // However long it was silent, no more than a full bucket is there.
        pipeline
            .Letters("acme", ("g", 1_090), ("h", 1_090), ("i", 1_090), ("j", 1_090))
            .ShouldBe("fffq");
    }

    [Fact]
    public void A_rate_goes_on_where_it_was_after_an_abort_and_after_a_restart()
    {
        using var pipeline = new QuotaPipeline(ThreePer30);
        pipeline.Letters("acme", ("a", 1_000), ("b", 1_000)).ShouldBe("ff");
        pipeline.Commit();
        pipeline.Letters("acme", ("c", 1_000), ("d", 1_000)).ShouldBe("fq");
        pipeline.Judge.Abort();
        pipeline.Letters("acme", ("d", 1_000), ("c", 1_000)).ShouldBe("fq");
        pipeline.Commit();
        pipeline.Restart();
        pipeline.Letters("acme", ("c", 1_009), ("c", 1_010), ("e", 1_010)).ShouldBe("qfq");
    }

    [Fact]
    public void A_backlog_is_no_flood()
    {
        // A day of one record each 10 ms of its own time, judged in no time at all.
        using var pipeline = new QuotaPipeline(ThreePer30);
        var records = new (string, long)[10_000];
        for (int i = 0; i < records.Length; i++)
        {
            records[i] = ($"id{i}", 1_000 + (10L * i));
        }

        pipeline.Letters("acme", records).ShouldBe(new string('f', records.Length));
    }

    [Fact]
    public void A_tenant_with_a_quota_of_its_own_has_that_and_records_without_a_tenant_are_one()
    {
        using var pipeline = new QuotaPipeline(
            TwoIds with
            {
                Tenants = [new("big", new TenantQuota(Ids: 3)), new("", new TenantQuota(Ids: 1))],
            }
        );
        (string, long)[] four = [("a", 1_000), ("b", 1_000), ("c", 1_000), ("d", 1_000)];
        pipeline.Letters("big", four).ShouldBe("fffq");
        pipeline.Letters("", four).ShouldBe("fqqq");
        pipeline.Letters("other", four).ShouldBe("ffqq");
    }

    [Fact]
    public void A_changed_quota_holds_for_what_is_held_already()
    {
        using var pipeline = new QuotaPipeline(TwoIds);
        pipeline.Letters("acme", ("a", 1_000), ("b", 1_000)).ShouldBe("ff");
        pipeline.Commit();
        pipeline.Restart(QuotaPipeline.All(new TenantQuota(Ids: 3)));
        pipeline.Letters("acme", ("c", 1_000), ("d", 1_000)).ShouldBe("fq");
        pipeline.Commit();
        pipeline.Restart(QuotaPipeline.All(new TenantQuota(Ids: 1)));
        pipeline.Letters("acme", ("d", 1_000), ("a", 1_000)).ShouldBe("qd");
    }

    [Fact]
    public void A_late_record_that_would_be_forwarded_counts_like_a_first()
    {
        using var pipeline = new QuotaPipeline(TwoIds);
        pipeline.Letters("acme", ("a", 1_000), ("b", 950), ("c", 950)).ShouldBe("flq");
    }

    [Fact]
    public void In_shadow_a_record_over_quota_is_counted_and_forwarded()
    {
        using var pipeline = new QuotaPipeline(TwoIds, new PipelineMode(ModeKind.Shadow));
        var batch = new MemoryBatch();
        foreach (string id in new[] { "a", "b", "c" })
        {
            _ = batch.Add(id, 1_000, type: "acme", header: "tenant");
        }

        Judgement last = pipeline.Run(batch)[2];
        (last.Reason, last.Destination, last.IsSpared).ShouldBe(
            (Reason.OverQuota, Destination.Clean, true)
        );
    }

    [Fact]
    public void With_throttle_a_new_id_beyond_the_rate_waits_before_anything_of_it_has_changed()
    {
        using var pipeline = new QuotaPipeline(Waits);
        var batch = new MemoryBatch();
        foreach ((string id, long timeMs) in new[] { ("a", 1_000L), ("b", 1_000), ("a", 1_000) })
        {
            _ = batch.Add(id, timeMs, type: "acme", header: "tenant");
        }

        _ = batch
            .Add("c", 2_000, type: "acme", header: "tenant")
            .Add("a", 1_000, type: "beta", header: "tenant");
        pipeline.Run(batch, out int judged).Length.ShouldBe(3);
        judged.ShouldBe(3);
        // One of two in a second.
        pipeline.Judge.Throttled.WaitMs.ShouldBe(500);
        pipeline.Judge.Clocks.Open(0).ShouldBe(1_000);
        pipeline.Table.Pending().Tenants.Single().Records.ShouldBe(3);

        pipeline.Letters("acme", ("a", 1_000)).ShouldBe("d");
        pipeline.WallClockMs += 499;
        pipeline.Letters("acme", ("c", 1_001)).ShouldBe("");
        pipeline.WallClockMs += 1;
        pipeline.Letters("acme", ("c", 1_001), ("d", 1_001)).ShouldBe("f");
    }

    [Fact]
    public void A_wall_clock_that_is_set_back_makes_nobody_wait_longer_than_the_rate_does()
    {
        using var pipeline = new QuotaPipeline(Waits);
        pipeline.Letters("acme", ("a", 1_000), ("b", 1_000)).ShouldBe("ff");
        pipeline.WallClockMs -= 3_600_000;
        pipeline.Letters("acme", ("c", 1_000)).ShouldBe("");
        pipeline.Judge.Throttled.WaitMs.ShouldBe(500);
        pipeline.WallClockMs += 500;
        pipeline.Letters("acme", ("c", 1_000)).ShouldBe("f");
    }

    [Fact]
    public void In_shadow_nothing_waits()
    {
        using var pipeline = new QuotaPipeline(Waits, new PipelineMode(ModeKind.Shadow));
        pipeline.Letters("acme", ("a", 1_000), ("b", 1_000), ("c", 1_000)).ShouldBe("fff");
    }

    [Fact]
    public void Judging_with_quotas_allocates_nothing_once_the_tenants_are_known()
    {
        using var pipeline = new QuotaPipeline(
            QuotaPipeline.All(new TenantQuota(Ids: 50, Rate: new RateLimit(1_000_000, 1_000)))
        );
        var batch = new MemoryBatch();
        for (int i = 0; i < 100; i++)
        {
            _ = batch.Add($"id{i}", 1_000, type: "acme", header: "tenant");
        }

        var judgements = new Judgement[100];
        var refusals = new Refusals();
        using var store = new EmptyStore();
        long before = 0;
        for (int round = 0; round < 20; round++)
        {
            before = round == 10 ? GC.GetAllocatedBytesForCurrentThread() : before;
            _ = pipeline.Judge.Judge(batch, 0, 100, 10_000, refusals, store, judgements);
            pipeline.Judge.Abort();
        }

        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);
        judgements.Count(static j => j.Reason == Reason.OverQuota).ShouldBe(50);
    }
}
