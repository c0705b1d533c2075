using Dedup.Contracts.Identity;
using Dedup.Topology.Identify;
using Dedup.Topology.Judge;
using Dedup.Topology.Ledger;
using Dedup.Topology.Pipelines;
using Dedup.Topology.Windows;
using Shouldly;

namespace DedupTopology.Tests.Judge;

/// <summary>Verdicts as semantics has them; window 100, grace 50 unless a test says otherwise; wall clock 10,000.</summary>
public sealed class PartitionJudgeTests : IDisposable
{
    private readonly DictionaryStore _store = new();

    [Fact]
    public void The_second_of_an_id_within_the_window_is_a_duplicate_also_within_one_batch() =>
        Verdicts(
                Judge(),
                new MemoryBatch().Add("a", 1_000).Add("b", 1_000).Add("a", 1_100).Add("a", 1_101)
            )
            .ShouldBe([Verdict.First, Verdict.First, Verdict.Duplicate, Verdict.First]);

    [Fact]
    public void A_duplicate_does_not_extend_the_window() =>
        Verdicts(Judge(), new MemoryBatch().Add("a", 1_000).Add("a", 1_080).Add("a", 1_160))
            .ShouldBe([Verdict.First, Verdict.Duplicate, Verdict.First]);

    [Fact]
    public void A_duplicate_may_be_older_than_the_first() =>
        Verdicts(Judge(), new MemoryBatch().Add("a", 1_000).Add("a", 960))
            .ShouldBe([Verdict.First, Verdict.Duplicate]);

    [Theory]
    [InlineData(LatePolicy.Forward, Destination.Clean)]
    [InlineData(LatePolicy.Quarantine, Destination.Quarantine)]
    [InlineData(LatePolicy.Drop, Destination.LateDropped)]
    public void An_unknown_id_behind_grace_is_late_and_goes_where_the_policy_says(
        LatePolicy policy,
        Destination expected
    )
    {
        PartitionJudge judge = Judge(policy);
        Judgement[] judgements = Run(judge, new MemoryBatch().Add("a", 1_000).Add("b", 949));
        judgements[1].Verdict.ShouldBe(Verdict.Late);
        judgements[1].Destination.ShouldBe(expected);
    }

    [Fact]
    public void A_late_record_that_was_forwarded_is_remembered_while_it_counts() =>
        Verdicts(Judge(), new MemoryBatch().Add("a", 1_000).Add("b", 900).Add("b", 900))
            .ShouldBe([Verdict.First, Verdict.Late, Verdict.Duplicate]);

    [Fact]
    public void A_late_record_whose_entry_would_be_expired_already_is_not_remembered()
    {
        PartitionJudge judge = Judge();
        Verdicts(judge, new MemoryBatch().Add("a", 1_000).Add("b", 849).Add("b", 849))
            .ShouldBe([Verdict.First, Verdict.Late, Verdict.Late]);
        judge.Overlay.Count.ShouldBe(1);
    }

    [Fact]
    public void A_known_id_that_no_longer_counts_by_arithmetic_is_late_even_if_the_store_still_has_it()
    {
        PartitionJudge judge = Judge();
        Verdicts(judge, new MemoryBatch().Add("a", 1_000)).ShouldBe([Verdict.First]);
        Commit(judge);
        // Clock 1,151 = 1,000 + window + grace + 1.
        Verdicts(judge, new MemoryBatch().Add("b", 1_151).Add("a", 1_000))
            .ShouldBe([Verdict.First, Verdict.Late]);
    }

    [Fact]
    public void Timestamps_that_cannot_be_sent_on_or_would_expire_the_store_are_quarantined_and_move_no_clock()
    {
        PartitionJudge judge = Judge();
        Judgement[] judgements = Run(
            judge,
            new MemoryBatch().Add("a", 0).Add("b", -1).Add("c", 11_001).Add("d", 11_000).Add("e", 1)
        );
        judgements
            .Select(static j => j.Reason)
            .ShouldBe([
                Reason.TimestampMissing,
                Reason.TimestampMissing,
                Reason.TimestampTooFarInFuture,
                Reason.None,
                Reason.None,
            ]);
        judge.Clocks.Open(0).ShouldBe(11_000);
        judgements[4].Verdict.ShouldBe(Verdict.Late);
    }

    [Fact]
    public void A_record_without_an_id_is_quarantined_and_nothing_of_it_is_remembered()
    {
        PartitionJudge judge = Judge();
        Judgement[] judgements = Run(judge, new MemoryBatch().Add(null, 1_000).Add(null, 1_000));
        judgements.ShouldAllBe(static j =>
            j.Destination == Destination.Quarantine && j.Reason == Reason.NullKey
        );
        judge.Overlay.Count.ShouldBe(0);
        judge.Clocks.Open(0).ShouldBe(WindowClocks.Unset);
    }

    [Fact]
    public void An_empty_key_is_an_id_and_a_null_key_is_none() =>
        Verdicts(Judge(), new MemoryBatch().Add("", 1_000).Add("", 1_000).Add(null, 1_000))
            .ShouldBe([Verdict.First, Verdict.Duplicate, Verdict.Invalid]);

    [Fact]
    public void Nothing_of_an_aborted_transaction_influences_the_second_judging()
    {
        PartitionJudge judge = Judge();
        MemoryBatch batch = new MemoryBatch().Add("a", 1_000).Add("b", 5_000).Add(null, 1);
        _ = Run(judge, batch);
        judge.Abort();
        judge.Clocks.Open(0).ShouldBe(WindowClocks.Unset);
        Verdicts(judge, batch).ShouldBe([Verdict.First, Verdict.First, Verdict.Invalid]);
        Commit(judge);
        judge.Ledger.Consumed.ShouldBe(3);
        judge.Ledger.Of(Destination.Clean).ShouldBe(2);
        judge.Ledger.Of(Destination.Quarantine).ShouldBe(1);
        judge.Ledger.Of(Reason.NullKey).ShouldBe(1);
    }

    [Fact]
    public void The_overlay_and_the_store_answer_as_one()
    {
        PartitionJudge split = Judge();
        using var other = new PartitionJudgeTests();
        PartitionJudge whole = other.Judge();
        MemoryBatch batch = new MemoryBatch()
            .Add("a", 1_000)
            .Add("a", 1_120)
            .Add("a", 1_060)
            .Add("b", 1_200)
            .Add("a", 1_055)
            .Add("b", 1_150);
        Verdict[] atOnce = other.Verdicts(whole, batch);
        List<Verdict> one = [];
        for (int i = 0; i < batch.Count; i++)
        {
            Judgement[] judgement = new Judgement[1];
            split.Judge(batch, i, 1, 10_000, new Refusals(), _store, judgement);
            one.Add(judgement[0].Verdict);
            Commit(split);
        }

        one.ShouldBe(atOnce);
    }

    [Fact]
    public void A_refused_record_is_quarantined_under_its_reason_and_its_id_is_free_for_the_next()
    {
        var refusals = new Refusals();
        refusals.Add(0, 0, Reason.RefusedTooLarge).ShouldBeTrue();
        PartitionJudge judge = Judge();
        Judgement[] judgements = new Judgement[2];
        judge.Judge(
            new MemoryBatch().Add("a", 1_000).Add("a", 1_000),
            0,
            2,
            10_000,
            refusals,
            _store,
            judgements
        );
        judgements[0].Reason.ShouldBe(Reason.RefusedTooLarge);
        judgements[1].Verdict.ShouldBe(Verdict.First);
        refusals.IsWithoutPayload(0, 0).ShouldBeFalse();
        refusals.Add(0, 0, Reason.Refused).ShouldBeTrue();
        refusals.IsWithoutPayload(0, 0).ShouldBeTrue();
        refusals.Add(0, 0, Reason.Refused).ShouldBeFalse();
        refusals.ForgetBelow(0, 1);
        refusals.IsEmpty.ShouldBeTrue();
    }

    [Fact]
    public void Judging_allocates_nothing_once_its_arrays_have_grown()
    {
        PartitionJudge judge = Judge();
        var batch = new MemoryBatch();
        for (int i = 0; i < 512; i++)
        {
            batch.Add($"k{i % 300}", 1_000 + i);
        }

        var refusals = new Refusals();
        var store = new EmptyStore();
        Judgement[] judgements = new Judgement[batch.Count];
        for (int i = 0; i < 3; i++)
        {
            judge.Judge(batch, 0, batch.Count, 10_000, refusals, store, judgements);
            judge.Abort();
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        judge.Judge(batch, 0, batch.Count, 10_000, refusals, store, judgements);
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);
    }

    [Fact]
    public void The_overlay_finds_what_was_added_over_many_transactions()
    {
        var overlay = new Overlay();
        for (int round = 0; round < 5; round++)
        {
            for (int i = 0; i < 5_000; i++)
            {
                overlay.Add(
                    new Dedup.Topology.Ports.NewEntry(
                        new EventKey((ulong)i, (ulong)(i * 7)),
                        new SeenEntry(1_000 + round, i, 0, 0),
                        new Dedup.Contracts.Changelog.BucketId(0, 1)
                    )
                );
            }

            for (int i = 0; i < 5_000; i++)
            {
                overlay
                    .TryFind(
                        new EventKey((ulong)i, (ulong)(i * 7)),
                        1_000,
                        100,
                        out SeenEntry entry,
                        out _
                    )
                    .ShouldBeTrue();
                entry.SeenMs.ShouldBe(1_000 + round);
            }

            overlay.TryFind(new EventKey(1, 8), 1_000, 100, out _, out _).ShouldBeFalse();
            overlay.Clear();
            overlay.TryFind(new EventKey(1, 7), 1_000, 100, out _, out _).ShouldBeFalse();
        }
    }

    public void Dispose() => _store.Dispose();

    private static PipelineSpec Spec(LatePolicy late) =>
        new()
        {
            Name = "p",
            Input = "in",
            Clean = "out",
            Quarantine = "q",
            Recipe = Recipe.Key,
            Windows = [new WindowClass(0, "", 100, 50)],
            MaxFutureMs = 1_000,
            Late = late,
        };

    private PartitionJudge Judge(LatePolicy late = LatePolicy.Forward) =>
        new(Spec(late), new SipHash(1, 2));

    private Judgement[] Run(PartitionJudge judge, MemoryBatch batch)
    {
        Judgement[] judgements = new Judgement[batch.Count];
        judge.Judge(batch, 0, batch.Count, 10_000, new Refusals(), _store, judgements);
        return judgements;
    }

    private Verdict[] Verdicts(PartitionJudge judge, MemoryBatch batch) =>
        [.. Run(judge, batch).Select(static j => j.Verdict)];

    private void Commit(PartitionJudge judge)
    {
        _store.Add(judge.Overlay.Entries);
        judge.Commit();
    }
}
