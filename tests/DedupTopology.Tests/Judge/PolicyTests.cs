using Dedup.Contracts.Identity;
using Dedup.Tests;
using Dedup.Topology.Identify;
using Dedup.Topology.Identify.Json;
using Dedup.Topology.Identify.Scopes;
using Dedup.Topology.Identify.Sources;
using Dedup.Topology.Judge;
using Dedup.Topology.Ledger;
using Dedup.Topology.Pipelines;
using Dedup.Topology.Windows;
using FsCheck;
using FsCheck.Fluent;
using Shouldly;

namespace DedupTopology.Tests.Judge;

/// <summary>Modes, counts, and what all policies together cost. What is a repeat of what: PolicyModelTests.</summary>
public sealed class PolicyTests : IDisposable
{
    private static readonly Config Many = Config.QuickThrowOnFailure.WithMaxTest(
        Repetitions.Of(300)
    );

    private static readonly Gen<(string Id, string Type, int TimeMs, string Content)[]> Records = (
        from id in Gen.Choose(0, 3)
        from type in Gen.Choose(0, 2)
        from time in Gen.Choose(-1, 400)
        from content in Gen.Choose(0, 1)
        select ($"id{id}", $"type{type}", time <= 0 ? time : 1_000 + time, $"c{content}")
    )
        .ArrayOf()
        .Resize(80);

    private readonly DictionaryStore _store = new();

    [Fact]
    public void Shadow_and_percent_judge_remember_and_move_clocks_exactly_as_enforce_does() =>
        Prop.ForAll(
                Arb.From(Records),
                records =>
                {
                    (Judgement[] enforced, PartitionJudge strict) = Run(Spec(), records);
                    foreach (
                        PipelineMode mode in new[]
                        {
                            new PipelineMode(ModeKind.Shadow),
                            new PipelineMode(ModeKind.Percent, 50),
                        }
                    )
                    {
                        (Judgement[] spared, PartitionJudge lenient) = Run(
                            Spec() with
                            {
                                Mode = mode,
                            },
                            records
                        );
                        spared
                            .Select(static j => (j.Verdict, j.Reason, j.FirstSeen))
                            .ShouldBe(
                                enforced.Select(static j => (j.Verdict, j.Reason, j.FirstSeen))
                            );
                        lenient
                            .Overlay.Entries.ToArray()
                            .ShouldBe(strict.Overlay.Entries.ToArray());
                        lenient.Clocks.Open(0).ShouldBe(strict.Clocks.Open(0));
                        for (int i = 0; i < spared.Length; i++)
                        {
                            (spared[i].Destination == enforced[i].Destination).ShouldBe(
                                !spared[i].IsSpared
                            );
                            spared[i]
                                .Destination.ShouldBeOneOf(
                                    Destination.Clean,
                                    enforced[i].Destination
                                );
                        }
                    }

                    return true;
                }
            )
            .Check(Many);

    [Fact]
    public void Shadow_forwards_all_but_what_no_topic_takes_unchanged()
    {
        var refusals = new Refusals();
        _ = refusals.Add(0, 3, Reason.RefusedTooLarge);
        MemoryBatch batch = new MemoryBatch()
            .Add("a", 1_000)
            .Add("a", 1_000)
            .Add(null, 1_000)
            .Add("b", 1_000)
            .Add("c", 0)
            .Add("d", 900_000_000)
            .Add("e", 700);
        Judgement[] judgements = Judged(
            Judge(Spec() with { Mode = new PipelineMode(ModeKind.Shadow), Late = LatePolicy.Drop }),
            batch,
            refusals
        );
        judgements
            .Select(static j => (j.Verdict, j.Destination, j.IsSpared))
            .ShouldBe([
                (Verdict.First, Destination.Clean, false),
                (Verdict.Duplicate, Destination.Clean, true),
                (Verdict.Invalid, Destination.Clean, true),
                (Verdict.Invalid, Destination.Quarantine, false),
                (Verdict.Invalid, Destination.Quarantine, false),
                (Verdict.Invalid, Destination.Clean, true),
                (Verdict.Late, Destination.Clean, true),
            ]);
    }

    [Fact]
    public void Off_judges_remembers_and_times_nothing_and_counts_what_it_forwards()
    {
        var refusals = new Refusals();
        _ = refusals.Add(0, 2, Reason.Refused);
        PartitionJudge judge = Judge(Spec() with { Mode = new PipelineMode(ModeKind.Off) });
        Judged(
                judge,
                new MemoryBatch().Add("a", 1_000).Add("a", 1_000).Add("b", 5).Add("c", 0),
                refusals
            )
            .Select(static j => (j.Verdict, j.Destination, j.Reason))
            .ShouldBe([
                (Verdict.Unjudged, Destination.Clean, Reason.None),
                (Verdict.Unjudged, Destination.Clean, Reason.None),
                (Verdict.Invalid, Destination.Quarantine, Reason.Refused),
                (Verdict.Invalid, Destination.Quarantine, Reason.TimestampMissing),
            ]);
        judge.Overlay.Count.ShouldBe(0);
        judge.Clocks.Open(0).ShouldBe(WindowClocks.Unset);
        judge.Commit();
        judge.Ledger.Consumed.ShouldBe(4);
        judge.Ledger.Of(Verdict.Unjudged).ShouldBe(2);
        judge.Ledger.Of(Destination.Clean).ShouldBe(2);
    }

    [Fact]
    public void A_higher_share_keeps_the_ids_that_are_in() =>
        Prop.ForAll(
                Arb.From(
                    from hash in ArbMap.Default.GeneratorFor<ulong>()
                    from percent in Gen.Choose(1, 98)
                    select (hash, percent)
                ),
                static x =>
                    !new PipelineMode(ModeKind.Percent, x.percent).IsEnforced(x.hash)
                    || new PipelineMode(ModeKind.Percent, x.percent + 1).IsEnforced(x.hash)
            )
            .Check(Config.QuickThrowOnFailure.WithMaxTest(Repetitions.Of(3_000)));

    [Fact]
    public void A_share_is_enforced_for_about_as_many_ids_and_for_the_same_in_every_partition()
    {
        var batch = new MemoryBatch();
        for (int i = 0; i < 4_000; i++)
        {
            batch.Add($"id{i / 2}", 1_000);
        }

        PipelineSpec spec = Spec() with { Mode = new PipelineMode(ModeKind.Percent, 30) };
        bool[] here = Enforced(spec, new SipHash(1, 2), batch);
        bool[] there = Enforced(spec, new SipHash(3, 4), batch);
        here.ShouldBe(there);
        // 30 % of 2,000, within five standard deviations of 20.
        here.Count(static e => e).ShouldBeInRange(500, 700);
    }

    [Fact]
    public void Every_record_is_counted_once_by_destination_by_verdict_and_by_type_and_every_quarantined_one_by_reason() =>
        Prop.ForAll(
                Arb.From(
                    from records in Records
                    from mode in Gen.Elements(
                        default,
                        new PipelineMode(ModeKind.Shadow),
                        new PipelineMode(ModeKind.Percent, 40)
                    )
                    select (records, mode)
                ),
                x =>
                {
                    (_, PartitionJudge judge) = Run(Spec() with { Mode = x.mode }, x.records);
                    judge.Abort();
                    judge.Ledger.Pending().ShouldBeEmpty();
                    (_, judge) = Run(Spec() with { Mode = x.mode }, x.records);
                    var counts = judge.Ledger.Pending().ToDictionary();
                    long consumed = counts.GetValueOrDefault("consumed");
                    consumed.ShouldBe(x.records.Length);
                    Sum(counts, "to.").ShouldBe(consumed);
                    Sum(counts, "verdict.").ShouldBe(consumed);
                    Sum(counts, "type.").ShouldBe(consumed);
                    Sum(counts, "reason.").ShouldBe(counts.GetValueOrDefault("to.quarantine"));
                    long forwarded = Sum(counts, "shadow.");
                    counts
                        .GetValueOrDefault("to.clean")
                        .ShouldBe(
                            counts.GetValueOrDefault("verdict.first")
                                + counts.GetValueOrDefault("verdict.late")
                                + forwarded
                                - counts.GetValueOrDefault("shadow.late")
                        );
                    judge.Commit();
                    var again = new PartitionLedger();
                    again.Load(judge.Ledger.Pending());
                    again.Pending().ShouldBe(judge.Ledger.Pending());
                    return true;
                }
            )
            .Check(Many);

    [Fact]
    public void A_time_from_the_payload_decides_and_the_timestamp_only_has_to_be_there()
    {
        JsonPathParser.TryParse("$.at", out JsonPath? path, out _).ShouldBeTrue();
        PartitionJudge judge = Judge(
            Spec() with
            {
                Recipe = Recipe.Key,
                Time = new TimeRule(Payload: new PayloadTime(path!, JsonLimits.Default)),
            }
        );
        Judged(
                judge,
                new MemoryBatch()
                    .Add("a", 5, """{"at": 1000}""")
                    .Add("a", 9_000_000, """{"at": 1100}""")
                    .Add("a", 5, """{"at": 1101}""")
                    .Add("b", 0, """{"at": 1000}""")
                    .Add("b", 5, """{"at": 900000000}""")
                    .Add("b", 5, "{}")
            )
            .Select(static j => (j.Verdict, j.Reason))
            .ShouldBe([
                (Verdict.First, Reason.None),
                (Verdict.Duplicate, Reason.None),
                (Verdict.First, Reason.None),
                (Verdict.Invalid, Reason.TimestampMissing),
                (Verdict.Invalid, Reason.TimestampTooFarInFuture),
                (Verdict.Invalid, Reason.TimestampMissing),
            ]);
        judge.Clocks.Open(0).ShouldBe(1_101);
    }

    [Fact]
    public void A_type_with_a_short_window_has_a_max_future_of_a_quarter_of_it()
    {
        PipelineSpec spec = Spec() with
        {
            Recipe = Spec().Recipe.WithTypes(new TypePatterns(["beat*"])),
            Windows = [new WindowClass(0, "", 100, 50), new WindowClass(1, "beat*", 40, 40)],
            MaxFutureMs = 25,
        };
        Judged(
                Judge(spec),
                new MemoryBatch()
                    .Add("a", 10_025, type: "other")
                    .Add("b", 10_010, type: "beat.1")
                    .Add("c", 10_011, type: "beat.1")
            )
            .Select(static j => j.Reason)
            .ShouldBe([Reason.None, Reason.None, Reason.TimestampTooFarInFuture]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Judging_with_all_policies_allocates_nothing_once_its_arrays_have_grown(bool buckets)
    {
        JsonPathParser.TryParse("$.at", out JsonPath? path, out _).ShouldBeTrue();
        PipelineSpec spec = Spec(buckets) with
        {
            Time = new TimeRule(Payload: new PayloadTime(path!, JsonLimits.Default)),
            Mode = new PipelineMode(ModeKind.Percent, 50),
            Refresh = !buckets,
        };
        PartitionJudge judge = Judge(spec);
        var batch = new MemoryBatch();
        for (int i = 0; i < 400; i++)
        {
            // Every ID repeats within its window: as a key every 50 records, as content every four.
            int type = buckets ? i / 4 % 5 : i % 5;
            batch.Add($"k{i % 50}", 1_000, $$"""{"at": {{1_000 + (i / 4)}}}""", $"type{type}");
        }

        var refusals = new Refusals();
        using var store = new EmptyStore();
        var judgements = new Judgement[batch.Count];
        for (int i = 0; i < 3; i++)
        {
            judge.Judge(batch, 0, batch.Count, 10_000, refusals, store, judgements);
            judge.Abort();
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        judge.Judge(batch, 0, batch.Count, 10_000, refusals, store, judgements);
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);
        judgements.ShouldContain(static j => j.IsSpared);
    }

    public void Dispose() => _store.Dispose();

    private static long Sum(Dictionary<string, long> counts, string prefix) =>
        counts
            .Where(c => c.Key.StartsWith(prefix, StringComparison.Ordinal))
            .Sum(static c => c.Value);

    private static PipelineSpec Spec(bool buckets = false) =>
        new()
        {
            Name = "p",
            Input = "in",
            Clean = "out",
            Quarantine = "q",
            Recipe = new Recipe(
                [
                    buckets
                        ? new ContentSource(new ContentOptions { BucketMs = 10 })
                        : new KeySource(),
                ],
                new Scope(null, null, new ScopePart(new HeaderSource("type"))),
                new Fingerprint()
            ),
            Windows = [new WindowClass(0, "", 100, 50)],
            MaxFutureMs = 1_000_000,
        };

    private static PartitionJudge Judge(PipelineSpec spec) => new(spec, new SipHash(1, 2));

    private Judgement[] Judged(PartitionJudge judge, MemoryBatch batch, Refusals? refusals = null)
    {
        var judgements = new Judgement[batch.Count];
        judge.Judge(batch, 0, batch.Count, 10_000, refusals ?? new Refusals(), _store, judgements);
        return judgements;
    }

    private (Judgement[] Judgements, PartitionJudge Judge) Run(
        PipelineSpec spec,
        (string Id, string Type, int TimeMs, string Content)[] records
    )
    {
        var batch = new MemoryBatch();
        foreach ((string id, string type, int timeMs, string content) in records)
        {
            batch.Add(id, timeMs, content, type);
        }

        PartitionJudge judge = Judge(spec);
        return (Judged(judge, batch), judge);
    }

    /// <summary>Of each pair of records of an ID, whether the second was suppressed.</summary>
    private bool[] Enforced(PipelineSpec spec, SipHash hash, MemoryBatch batch)
    {
        Judgement[] judgements = Judged(new PartitionJudge(spec, hash), batch);
        return
        [
            .. Enumerable
                .Range(0, batch.Count / 2)
                .Select(i => judgements[(2 * i) + 1].Destination == Destination.Duplicate),
        ];
    }
}
