using System.Text;
using Dedup.Contracts.Changelog;
using Dedup.Contracts.Identity;
using Dedup.Contracts.Rekey;
using Dedup.Topology.Identify;
using Dedup.Topology.Judge;
using Dedup.Topology.Ledger;
using Dedup.Topology.Pipelines;
using Dedup.Topology.Ports;
using Dedup.Topology.Records;
using Dedup.Topology.Rekey;
using Dedup.Topology.Windows;
using DedupTopology.Tests.Judge;
using Shouldly;

namespace DedupTopology.Tests.Rekey;

/// <summary>Both hops of by-id in memory, over one partition between them; window 100, grace 50, wall clock 10,000.</summary>
public sealed class TwoHopsTests : IDisposable
{
    private const long WallMs = 10_000;

    internal static readonly PipelineSpec Spec = new()
    {
        Name = "p",
        Input = "in",
        Clean = "clean",
        Quarantine = "q",
        Recipe = Recipe.Key,
        Windows = [new WindowClass(0, "", 100, 50)],
        MaxFutureMs = 1_000,
        Partitioning = Partitioning.ById,
        IdleTimeoutMs = 1_000,
    };

    private readonly DictionaryStore _store = new();
    private Rekeyer _rekeyer = new(Spec.RekeyHop(1));
    private readonly Dictionary<int, WindowClocks> _clocks = [];
    private PartitionJudge _judge = new(Spec.JudgeHop(2), new SipHash(1, 2));
    private long _writtenMs = 1;

    [Fact]
    public void A_duplicate_is_found_in_another_partition_and_names_the_place_of_the_first()
    {
        Judgement[] judged = Run((0, 17, "a", 1_000), (1, 3, "a", 1_010), (0, 18, "b", 1_010));
        judged
            .Select(static j => j.Verdict)
            .ShouldBe([Verdict.First, Verdict.Duplicate, Verdict.First]);
        long place = judged[1].FirstSeen.SourceOffset;
        (SourcePlace.PartitionOf(place), SourcePlace.OffsetOf(place)).ShouldBe((0, 17L));
    }

    /// <summary>Partition 1 is 5,000 behind: 33 windows. Its own clock judges it, and nothing of it expires.</summary>
    [Fact]
    public void An_input_partition_far_behind_the_others_is_judged_completely()
    {
        _ = Run((1, 0, "z", 1_000));
        for (int i = 0; i < 50; i++)
        {
            Judgement[] judged = Run(
                (0, 2 * i, $"other{i}", 6_000 + i),
                (1, 2 * i, $"k{i}", 1_000 + i),
                (0, (2 * i) + 1, $"other{i}", 6_000 + i),
                (1, (2 * i) + 1, i == 0 ? "z" : $"k{i - 1}", 1_000 + i)
            );
            judged
                .Select(static j => j.Verdict)
                .ShouldBe([Verdict.First, Verdict.First, Verdict.Duplicate, Verdict.Duplicate]);
            Commit();
        }

        _judge.Clocks.Committed(0).ShouldBe(1_049);
    }

    [Fact]
    public void Lateness_is_told_by_the_clock_of_the_records_own_partition()
    {
        Judgement[] judged = Run(
            (0, 0, "a", 5_000),
            (1, 0, "b", 1_000),
            (1, 1, "c", 950),
            (1, 2, "d", 949),
            (0, 1, "e", 4_949)
        );
        judged
            .Select(static j => j.Verdict)
            .ShouldBe([Verdict.First, Verdict.First, Verdict.First, Verdict.Late, Verdict.Late]);
    }

    /// <summary>
    /// 1,000 has expired by the clock of partition 0 and lies in one bucket with 1,010, and only it is within a window of 905,
    /// which partition 1 is at (found by the simulator, by-id seed 11342).
    /// </summary>
    [Fact]
    public void A_partition_far_ahead_takes_nothing_from_what_another_one_repeats()
    {
        Spec.Windows[0].BucketOf(1_000).ShouldBe(Spec.Windows[0].BucketOf(1_010));
        _ = Run((0, 0, "a", 1_000));
        Commit();
        Judgement[] ahead = Run((0, 1, "z", 1_155), (0, 2, "a", 1_010));
        Commit();
        Judgement[] behind = Run((1, 0, "a", 905));
        ahead[1].Verdict.ShouldBe(Verdict.Duplicate);
        behind[0].Verdict.ShouldBe(Verdict.Duplicate);
        behind[0].FirstSeen.SeenMs.ShouldBe(1_000);
    }

    [Fact]
    public void A_late_record_is_remembered_as_long_as_state_is_whichever_partition_repeats_it()
    {
        _ = Run((1, 0, "z", 1_000));
        Judgement[] judged = Run(
            (0, 0, "y", 5_000),
            (0, 1, "a", 1_000),
            (0, 2, "a", 1_001),
            (1, 1, "a", 1_002)
        );
        judged
            .Select(static j => j.Verdict)
            .ShouldBe([Verdict.First, Verdict.Late, Verdict.Duplicate, Verdict.Duplicate]);
    }

    /// <summary>Left out at clock 5,000 of the other: whatever is older than 5,000 − grace may have been forgotten.</summary>
    [Fact]
    public void What_comes_back_behind_after_it_was_left_out_is_late_by_the_clock_that_state_expired_by()
    {
        _ = Run((1, 0, "a", 1_000));
        for (int i = 0; i < 12; i++)
        {
            _writtenMs += 100;
            _ = Run((0, i, $"k{i}", 5_000));
        }

        Judgement[] judged = Run((1, 1, "b", 1_001), (1, 2, "c", 4_950), (1, 3, "d", 4_949));
        judged.Select(static j => j.Verdict).ShouldBe([Verdict.Late, Verdict.First, Verdict.Late]);
    }

    /// <summary>The second restart turns the classes round, and has one more: each finds its clocks by its name.</summary>
    [Fact]
    public void A_restart_goes_on_with_the_clocks_of_every_input_partition_and_a_new_class_waits_for_all()
    {
        _ = Run((0, 0, "a", 5_000), (1, 0, "z", 1_000));
        Commit(out Marker marker);
        PartitionJudge again = new(Spec.JudgeHop(2), new SipHash(1, 2));
        again.Load(marker);
        again
            .PendingSources.ShouldNotBeNull()
            .Clocks.Select(static c => (c.Class, c.Partition, c.ClockMs))
            .ShouldBe([((ushort)0, 0, 5_000L), ((ushort)0, 1, 1_000L)]);
        _judge = again;
        // By its own clock it is late, and by the slowest partition's it is still known.
        Run((0, 1, "z", 1_001))[0].Verdict.ShouldBe(Verdict.Duplicate);
        Run((1, 1, "b", 1_100))[0].Verdict.ShouldBe(Verdict.First);
        _judge.Clocks.Open(0).ShouldBe(1_100);

        PipelineSpec two = Spec with
        {
            Windows = [new WindowClass(1, "new", 70, 50), new WindowClass(0, "", 100, 50)],
        };
        again = new PartitionJudge(two.JudgeHop(2), new SipHash(1, 2));
        again.Load(marker);
        ushort kept = again.Clocks[1].Id;
        again
            .PendingSources.ShouldNotBeNull()
            .Clocks.Where(c => c.Class == kept)
            .Select(static c => c.ClockMs)
            .ShouldBe([5_000L, 1_000L]);
        again
            .PendingSources!.Clocks.Where(c => c.Class != kept)
            .ShouldAllBe(static c => c.ClockMs == WindowClocks.Unset);

        again.Load(marker with { Sources = null });
        again.PendingSources!.Clocks.ShouldAllBe(static c => c.ClockMs == WindowClocks.Unset);
    }

    [Fact]
    public void An_abort_leaves_no_trace_in_the_clocks()
    {
        _ = Run((0, 0, "a", 1_000), (1, 0, "b", 1_000));
        _judge.Commit();
        _ = Run((0, 1, "c", 3_000), (1, 1, "d", 3_000));
        _judge.Clocks.Open(0).ShouldBe(3_000);
        _judge.Abort();
        _judge.Clocks.Open(0).ShouldBe(1_000);
        Run((0, 1, "c", 3_000))[0].Verdict.ShouldBe(Verdict.First);
        _judge.Clocks.Open(0).ShouldBe(1_000);
    }

    [Fact]
    public void What_cannot_be_identified_goes_by_its_partition_and_is_quarantined_by_the_second_hop()
    {
        var three = new Rekeyer(Spec.RekeyHop(3));
        PlacedBatch batch = new PlacedBatch().Add(5, 9, (string?)null, 1_000);
        batch.Get(0, out RecordView record);
        three.PartitionFor(record, new WindowClocks(Spec.Windows), WallMs).ShouldBe(2);
        Judgement judged = Run((5, 9, null, 1_000))[0];
        (judged.Verdict, judged.Reason).ShouldBe((Verdict.Invalid, Reason.NullKey));
    }

    [Fact]
    public void A_timestamp_that_is_refused_moves_no_clock_of_either_hop()
    {
        Run((0, 0, "a", 1_000), (1, 0, "b", 1_000), (0, 1, "c", WallMs + 1_001), (0, 2, "d", -1))
            .Select(static j => j.Reason)
            .ShouldBe([
                Reason.None,
                Reason.None,
                Reason.TimestampTooFarInFuture,
                Reason.TimestampMissing,
            ]);
        _clocks[0].Open(0).ShouldBe(1_000);
        _judge.Clocks.Open(0).ShouldBe(1_000);
    }

    /// <summary>The bad one is 4,000 ahead: would it move the clock, the next record of its partition were late.</summary>
    [Fact]
    public void A_payload_is_validated_once_and_one_that_is_refused_moves_no_clock_of_either_hop()
    {
        ByKey validator = Validate(forwards: true);
        Run((0, 0, "bad", 5_000), (0, 1, "a", 1_000), (1, 0, "b", 1_000), (0, 2, "a", 1_001))
            .Select(static j => (j.Verdict, j.Destination, j.Reason))
            .ShouldBe([
                (Verdict.Invalid, Destination.Quarantine, Reason.SchemaInvalid),
                (Verdict.First, Destination.Clean, Reason.None),
                (Verdict.First, Destination.Clean, Reason.None),
                (Verdict.Duplicate, Destination.Duplicate, Reason.None),
            ]);
        _clocks[0].Open(0).ShouldBe(1_001);
        _judge.Clocks.Open(0).ShouldBe(1_000);
        validator.Asked.ShouldBe(4);
        _judge.Commit();
        _judge.Ledger.Of(Reason.SchemaInvalid).ShouldBe(1);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_payload_that_cannot_be_validated_goes_on_or_to_quarantine_as_the_pipeline_says(
        bool forwards
    )
    {
        ByKey validator = Validate(forwards);
        Judgement judged = Run((0, 0, "away", 5_000), (0, 1, "a", 1_000))[0];
        (judged.Verdict, judged.Reason).ShouldBe(
            forwards ? (Verdict.First, Reason.None) : (Verdict.Invalid, Reason.SchemaUnavailable)
        );
        _clocks[0].Open(0).ShouldBe(forwards ? 5_000 : 1_000);
        _judge.Commit();
        _judge.Ledger.Unchecked.ShouldBe(forwards ? 1 : 0);
        validator.Asked.ShouldBe(2);
    }

    /// <summary>Records that lay between the hops when validation was turned on come without an answer.</summary>
    [Fact]
    public void What_the_first_hop_did_not_validate_the_second_does()
    {
        PlacedBatch between = Rekey((0, 0, "bad", 1_000));
        ByKey validator = Validate(forwards: true);
        var originals = new OriginalBatch();
        originals.Open(between, 0, 1);
        var judgements = new Judgement[1];
        _judge.Judge(originals, 0, 1, WallMs, new Refusals(), _store, judgements);
        judgements[0].Reason.ShouldBe(Reason.SchemaInvalid);
        validator.Asked.ShouldBe(1);
    }

    [Fact]
    public void With_mode_off_nothing_is_validated()
    {
        ByKey validator = Validate(forwards: true, ModeKind.Off);
        Run((0, 0, "bad", 1_000))[0].Destination.ShouldBe(Destination.Clean);
        validator.Asked.ShouldBe(0);
    }

    [Fact]
    public void A_record_that_the_first_hop_did_not_write_is_quarantined()
    {
        var originals = new OriginalBatch();
        var between = new PlacedBatch().Add(0, 0, "somebody's own key", 1_000);
        originals.Open(between, 0, 1);
        var judgements = new Judgement[1];
        _judge.Judge(originals, 0, 1, WallMs, new Refusals(), _store, judgements);
        judgements[0].Reason.ShouldBe(Reason.NotRekeyed);
    }

    [Fact]
    public void The_second_hop_sees_the_original_key_null_and_empty_being_different()
    {
        foreach (string? key in (string?[])[null, "", "k"])
        {
            PlacedBatch between = Rekey((3, 77, key, -1));
            var originals = new OriginalBatch();
            originals.Open(between, 0, 1);
            originals.Get(0, out RecordView record);
            (record.KeyIsNull, Encoding.UTF8.GetString(record.Key)).ShouldBe(
                (key is null, key ?? "")
            );
            (record.Partition, record.Offset, record.TimestampMs).ShouldBe((3, 77L, -1L));
            originals.SizeOf(0).ShouldBe((key ?? "").Length + 1);
        }
    }

    /// <summary>Part of the format: computed once, written down, so that no change goes unnoticed.</summary>
    [Theory]
    [InlineData("a")]
    [InlineData("order-4711")]
    public void An_id_has_the_same_partition_under_every_other_count_of_bytes_around_it(string id)
    {
        var twelve = new Rekeyer(Spec.RekeyHop(12));
        var batch = new PlacedBatch().Add(0, 0, id, 1_000).Add(7, 123, id, 9_000);
        batch.Get(0, out RecordView first);
        int partition = twelve.PartitionFor(first, new WindowClocks(Spec.Windows), WallMs);
        batch.Get(1, out RecordView second);
        twelve.PartitionFor(second, new WindowClocks(Spec.Windows), WallMs).ShouldBe(partition);
    }

    public void Dispose() => _store.Dispose();

    /// <summary>As the task does: the store takes the overlay and drops what has expired by the committed clock.</summary>
    private void Commit()
    {
        _store.Add(_judge.Overlay.Entries);
        _judge.Commit();
        WindowClass window = Spec.Windows[0];
        _store.DropBuckets([
            .. _store.Buckets.Where(b => window.IsExpired(b, _judge.Clocks.Committed(0))),
        ]);
    }

    private void Commit(out Marker marker)
    {
        marker = new Marker
        {
            RecipeVersion = 1,
            ClusterId = "c",
            InputTopicId = "t",
            PartitionCount = 1,
            HashKey0 = 1,
            HashKey1 = 2,
            InputOffset = 2,
            Writer = "w",
            Buckets = [],
            Classes = _judge.Clocks.Pending([]),
            Counts = _judge.Ledger.Pending(),
            Sources = _judge.PendingSources,
        };
        Commit();
    }

    private Judgement[] Run(params (int Partition, long Offset, string? Key, long Ms)[] records)
    {
        PlacedBatch between = Rekey(records);
        var originals = new OriginalBatch();
        originals.Open(between, 0, between.Count);
        var judgements = new Judgement[between.Count];
        _judge.Judge(originals, 0, between.Count, WallMs, new Refusals(), _store, judgements);
        return judgements;
    }

    private PlacedBatch Rekey(params (int Partition, long Offset, string? Key, long Ms)[] records)
    {
        var input = new PlacedBatch();
        foreach ((int partition, long offset, string? key, long ms) in records)
        {
            _ = input.Add(partition, offset, key, ms);
        }

        var between = new PlacedBatch();
        for (int i = 0; i < input.Count; i++)
        {
            input.Get(i, out RecordView record);
            if (!_clocks.TryGetValue(record.Partition, out WindowClocks? clocks))
            {
                clocks = new WindowClocks(Spec.Windows);
                _clocks.Add(record.Partition, clocks);
            }

            _rekeyer.PartitionFor(record, clocks, WallMs).ShouldBe(0);
            between.Add(0, i, _rekeyer.Key.ToArray(), _writtenMs);
        }

        return between;
    }

    private ByKey Validate(bool forwards, ModeKind mode = ModeKind.Enforce)
    {
        var validator = new ByKey();
        PipelineSpec spec = Spec with
        {
            Validator = validator,
            ForwardsUnchecked = forwards,
            Mode = new PipelineMode(mode),
        };
        _rekeyer = new Rekeyer(spec.RekeyHop(1));
        _judge = new PartitionJudge(spec.JudgeHop(2), new SipHash(1, 2));
        return validator;
    }

    private sealed class ByKey : IPayloadValidator
    {
        public int Asked { get; private set; }

        public Reason Check(in RecordView record)
        {
            Asked++;
            return Encoding.UTF8.GetString(record.Key) switch
            {
                "bad" => Reason.SchemaInvalid,
                "away" => Reason.SchemaUnavailable,
                _ => Reason.None,
            };
        }
    }
}
