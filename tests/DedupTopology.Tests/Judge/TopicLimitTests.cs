using Dedup.Contracts.Identity;
using Dedup.Topology.Identify;
using Dedup.Topology.Judge;
using Dedup.Topology.Ledger;
using Dedup.Topology.Pipelines;
using Dedup.Topology.Windows;
using Shouldly;

namespace DedupTopology.Tests.Judge;

/// <summary>Records that no topic would take: known before they are tried.</summary>
public sealed class TopicLimitTests
{
    private const int CleanBytes = 1_000;
    private const long NowMs = 1_000_000;

    /// <summary>Key and value of this length are a batch of 1,000 bytes at the least, of 1,001 with the longer length of the value.</summary>
    private const int AtTheEdge = CleanBytes - TopicLimits.LeastOverhead;

    [Fact]
    public void A_record_that_clean_cannot_take_is_quarantined_and_leaves_no_trace()
    {
        PartitionJudge judge = Judge(ModeKind.Enforce);
        Judgement[] judgements = Run(
            judge,
            Record("a", AtTheEdge + 1, ageMs: 0),
            Record("a", 10, ageMs: 50),
            Record("a", AtTheEdge + 1, ageMs: 0)
        );

        judgements
            .Select(static j => (j.Verdict, j.Destination, j.Reason))
            .ShouldBe([
                (Verdict.Invalid, Destination.Quarantine, Reason.RefusedTooLarge),
                (Verdict.First, Destination.Clean, Reason.None),
                (Verdict.Invalid, Destination.Quarantine, Reason.RefusedTooLarge),
            ]);
        judge.Overlay.Entries.Length.ShouldBe(1);
        judge.Clocks.Open(0).ShouldBe(NowMs - 50);
    }

    [Fact]
    public void A_record_that_may_fit_is_tried()
    {
        Run(Judge(ModeKind.Enforce), Record("a", AtTheEdge, ageMs: 0))[0]
            .Destination.ShouldBe(Destination.Clean);
    }

    [Fact]
    public void No_mode_sends_on_what_clean_cannot_take()
    {
        foreach (ModeKind mode in (ModeKind[])[ModeKind.Shadow, ModeKind.Off])
        {
            Judgement[] judgements = Run(
                Judge(mode),
                Record("a", AtTheEdge + 1, ageMs: 0),
                Record("a", AtTheEdge, ageMs: 0)
            );
            judgements
                .Select(static j => j.Destination)
                .ShouldBe([Destination.Quarantine, Destination.Clean]);
            judgements[0].Reason.ShouldBe(Reason.RefusedTooLarge);
        }
    }

    [Fact]
    public void Where_limits_are_not_known_everything_is_tried()
    {
        Run(Judge(ModeKind.Enforce, default), Record("a", 5_000_000, ageMs: 0))[0]
            .Destination.ShouldBe(Destination.Clean);
    }

    private static (string Key, int Bytes, long TimestampMs) Record(
        string key,
        int bytes,
        long ageMs
    ) => (key, bytes, NowMs - ageMs);

    private static Judgement[] Run(
        PartitionJudge judge,
        params (string Key, int Bytes, long TimestampMs)[] records
    )
    {
        using var store = new DictionaryStore();
        var batch = new MemoryBatch();
        foreach ((string key, int bytes, long timestampMs) in records)
        {
            _ = batch.Add(key, timestampMs, new string('v', bytes - key.Length));
        }

        var judgements = new Judgement[records.Length];
        _ = judge.Judge(batch, 0, records.Length, NowMs, new Refusals(), store, judgements);
        return judgements;
    }

    private static PartitionJudge Judge(ModeKind mode) =>
        Judge(mode, new TopicLimits(CleanBytes, CleanBytes));

    private static PartitionJudge Judge(ModeKind mode, TopicLimits limits) =>
        new(
            new PipelineSpec
            {
                Name = "p",
                Input = "in",
                Clean = "clean",
                Quarantine = "quarantine",
                Recipe = Recipe.Key,
                Windows = [new WindowClass(0, "", 10_000, 10_000)],
                Mode = new PipelineMode(mode),
                Limits = limits,
            },
            new SipHash(1, 2)
        );
}
