using System.Buffers;
using Dedup.Contracts.Changelog;
using Dedup.Contracts.Identity;
using Dedup.Topology.Identify;
using Dedup.Topology.Identify.Scopes;
using Dedup.Topology.Identify.Sources;
using Dedup.Topology.Judge;
using Dedup.Topology.Pipelines;
using Dedup.Topology.Tenants;
using Dedup.Topology.Windows;
using DedupTopology.Tests.Judge;
using Shouldly;

namespace DedupTopology.Tests.Tenants;

/// <summary>A judge with tenants and its store; window 100, grace 0, so buckets of 15. Markers go through their codec.</summary>
internal sealed class QuotaPipeline : IDisposable
{
    private readonly DictionaryStore _store = new();
    private readonly Refusals _refusals = new();
    private PipelineSpec _spec;

    public QuotaPipeline(QuotaRules? rules, PipelineMode mode = default)
    {
        _spec = new PipelineSpec
        {
            Name = "p",
            Input = "in",
            Clean = "out",
            Quarantine = "q",
            Recipe = new Recipe(
                [new KeySource()],
                new Scope(new ScopePart(new HeaderSource("tenant")), null, null)
            ),
            Windows = [new WindowClass(0, "", 100, 0)],
            MaxFutureMs = 1_000,
            Quota = rules,
            Mode = mode,
        };
        Judge = new PartitionJudge(_spec, new SipHash(1, 2));
    }

    public static QuotaRules All(TenantQuota quota) => new(quota, []);

    public PartitionJudge Judge { get; private set; }

    public TenantTable Table => Judge.Tenants.ShouldNotBeNull();

    public long WallClockMs { get; set; } = 10_000_000;

    public Judgement[] Run(MemoryBatch batch) => Run(batch, out _);

    public Judgement[] Run(MemoryBatch batch, out int judged)
    {
        Judgement[] judgements = new Judgement[batch.Count];
        judged = Judge.Judge(batch, 0, batch.Count, WallClockMs, _refusals, _store, judgements);
        return judgements[..judged];
    }

    /// <summary>Judges records of a tenant; what becomes of them as one letter each: f, d, l, or q for over quota.</summary>
    public string Letters(string tenant, params (string Id, long TimeMs)[] records)
    {
        var batch = new MemoryBatch();
        foreach ((string id, long timeMs) in records)
        {
            _ = batch.Add(id, timeMs, type: tenant.Length == 0 ? null : tenant, header: "tenant");
        }

        return string.Concat(Run(batch).Select(Letter));
    }

    public static char Letter(Judgement judgement) =>
        judgement.Reason == Reason.OverQuota ? 'q' : VerdictText.Of(judgement.Verdict)[0];

    public void Commit()
    {
        _ = Marker();
        _store.Add(Judge.Overlay.Entries);
        Judge.Commit();
        _store.DropBuckets([.. _store.Buckets.Where(Judge.Clocks.IsExpired)]);
    }

    /// <summary>A new owner, with what the last marker says.</summary>
    public void Restart(QuotaRules? rules = null)
    {
        Judge.Abort();
        Marker marker = Marker();
        _spec = _spec with { Quota = rules ?? _spec.Quota };
        Judge = new PartitionJudge(_spec, new SipHash(1, 2));
        Judge.Load(marker);
    }

    public void Dispose() => _store.Dispose();

    private Marker Marker()
    {
        var writer = new ArrayBufferWriter<byte>();
        MarkerCodec.Write(
            new Marker
            {
                RecipeVersion = 0,
                ClusterId = "",
                InputTopicId = "",
                PartitionCount = 1,
                HashKey0 = 1,
                HashKey1 = 2,
                InputOffset = 0,
                Writer = "",
                Classes = Judge.Clocks.Pending([]),
                Buckets = [],
                Counts = Judge.Ledger.Pending(),
                Usage = Table.Pending(),
            },
            writer
        );
        return MarkerCodec.TryRead(writer.WrittenSpan).ShouldNotBeNull();
    }
}
