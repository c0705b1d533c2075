using Dedup.Contracts.Changelog;
using Dedup.Tests;
using Dedup.Topology.Judge;
using FsCheck;
using FsCheck.Fluent;
using Shouldly;

namespace DedupTopology.Tests.Rekey;

/// <summary>The smallest clock of the input partitions that are not idle; time-out 100, so that a silence counts for 10 at most.</summary>
public sealed class SourceClocksTests
{
    private const long IdleMs = 100;

    private static readonly Config Many = Config.QuickThrowOnFailure.WithMaxTest(
        Repetitions.Of(1_000)
    );

    [Fact]
    public void Nothing_is_known_to_have_passed_before_every_input_partition_was_seen()
    {
        var clocks = new SourceClocks(1, 3, IdleMs);
        clocks.See(0, 0, 5_000, 1).ShouldBe(WindowClocks.Unset);
        clocks.See(0, 1, 7_000, 2).ShouldBe(WindowClocks.Unset);
        clocks.See(0, 2, 6_000, 3).ShouldBe(5_000);
    }

    [Fact]
    public void The_one_that_is_hours_behind_holds_the_others_back()
    {
        var clocks = new SourceClocks(1, 2, IdleMs);
        _ = clocks.See(0, 0, 1_000, 1);
        for (int i = 0; i < 1_000; i++)
        {
            clocks.See(0, 1, 9_000_000 + i, 2 + i).ShouldBe(1_000 + Math.Max(0, i - 1));
            clocks.See(0, 0, 1_000 + i, 2 + i).ShouldBe(1_000 + i);
        }
    }

    [Fact]
    public void One_that_is_silent_while_others_are_not_is_left_out_after_the_time_out()
    {
        var clocks = new SourceClocks(1, 2, IdleMs);
        _ = clocks.See(0, 0, 1_000, 0);
        _ = clocks.See(0, 1, 2_000, 0);
        clocks.See(0, 1, 2_001, 100).ShouldBe(1_000, "a silence of all counts for a tenth");
        for (int i = 1; i <= 9; i++)
        {
            clocks.See(0, 1, 2_001, 100 + (i * 10)).ShouldBe(1_000);
        }

        clocks.See(0, 1, 2_001, 191).ShouldBe(2_001);
    }

    [Fact]
    public void An_outage_of_all_makes_none_of_them_idle()
    {
        var clocks = new SourceClocks(1, 2, IdleMs);
        _ = clocks.See(0, 0, 1_000, 0);
        _ = clocks.See(0, 1, 2_000, 0);
        clocks.See(0, 1, 9_000, 1_000_000).ShouldBe(1_000);
        clocks.See(0, 0, 1_001, 1_000_000).ShouldBe(1_001);
    }

    [Fact]
    public void One_that_comes_back_behind_counts_again()
    {
        var clocks = new SourceClocks(1, 2, IdleMs);
        _ = clocks.See(0, 0, 1_000, 0);
        for (int i = 0; i < 20; i++)
        {
            _ = clocks.See(0, 1, 5_000, i * 10);
        }

        clocks.See(0, 1, 5_000, 200).ShouldBe(5_000);
        clocks.See(0, 0, 1_500, 200).ShouldBe(1_500);
        clocks.See(0, 1, 5_001, 200).ShouldBe(1_500);
    }

    [Fact]
    public void Classes_have_clocks_of_their_own()
    {
        var clocks = new SourceClocks(2, 1, IdleMs);
        clocks.See(0, 0, 5_000, 1).ShouldBe(5_000);
        clocks.See(1, 0, 100, 1).ShouldBe(100);
    }

    [Fact]
    public void Partitions_that_turn_up_are_awaited_from_then_on_and_survive_commit_abort_and_restart()
    {
        var clocks = new SourceClocks(1, 1, IdleMs);
        clocks.See(0, 0, 5_000, 0).ShouldBe(5_000);
        clocks.Commit();
        // The input has grown to ten: the other eight are awaited.
        clocks.See(0, 9, 7_000, 5).ShouldBe(WindowClocks.Unset);
        clocks.Abort();
        clocks.See(0, 0, 5_001, 5).ShouldBe(5_001);
        clocks.See(0, 9, 7_000, 10).ShouldBe(WindowClocks.Unset);
        clocks.Commit();
        var again = new SourceClocks(1, 1, IdleMs);
        again.Load(clocks.Pending());
        for (int source = 1; source < 8; source++)
        {
            again.See(0, source, 6_000 + source, 10).ShouldBe(WindowClocks.Unset);
        }

        again.See(0, 8, 6_008, 10).ShouldBe(5_001);
        again.See(0, 0, 9_000, 10).ShouldBe(6_001);
        again
            .Pending()
            .Clocks.Select(static c => (c.Partition, c.ClockMs))
            .ShouldBe([
                (0, 9_000L),
                .. Enumerable.Range(1, 8).Select(static i => (i, 6_000L + i)),
                (9, 7_000L),
            ]);
    }

    [Fact]
    public void A_marker_takes_the_place_of_whatever_was_known()
    {
        var clocks = new SourceClocks(2, 2, IdleMs);
        _ = clocks.See(0, 0, 9_000, 1);
        _ = clocks.See(0, 1, 9_000, 1);
        _ = clocks.See(1, 1, 9_000, 1);
        clocks.Commit();
        clocks.Load(null);
        clocks.See(0, 0, 100, 500).ShouldBe(WindowClocks.Unset);
        clocks.See(0, 1, 200, 500).ShouldBe(100);
        // Classes that this configuration does not have are left out.
        clocks.Load(
            new MarkerSources(
                [new MarkerAttention(0, 50, 700), new MarkerAttention(2, 1, 1)],
                [
                    new MarkerSource(0, 0, 300, 40),
                    new MarkerSource(0, 1, 400, 50),
                    new MarkerSource(2, 0, 1, 1),
                ]
            )
        );
        clocks.See(0, 1, 401, 700).ShouldBe(300);
        clocks.See(0, 0, 500, 700).ShouldBe(401);
    }

    [Fact]
    public void Attention_is_measured_to_the_millisecond()
    {
        // Seen at 0; ten steps of 10 are 100, which is not more than the time-out, and one more millisecond is.
        var clocks = new SourceClocks(1, 2, IdleMs);
        _ = clocks.See(0, 0, 1_000, 0);
        for (int i = 0; i <= 10; i++)
        {
            clocks.See(0, 1, 2_000, i * 10).ShouldBe(1_000);
        }

        clocks.See(0, 1, 2_000, 101).ShouldBe(2_000);
    }

    /// <summary>
    /// Against the definition, on random histories with commits, aborts, and restarts from the marker: the minimum over those
    /// seen within the time-out of attention.
    /// </summary>
    [Fact]
    public void The_answer_is_the_minimum_of_the_definition_and_survives_commit_abort_and_restart() =>
        Prop.ForAll(
                ArbMap.Default.ArbFor<(byte Source, byte Clock, byte Written, byte Act)[]>(),
                static history =>
                {
                    const int Sources = 4;
                    var clocks = new SourceClocks(1, Sources, IdleMs);
                    var model = new Model(Sources);
                    Model committed = model.Copy();
                    long written = 0;
                    foreach ((byte source, byte clock, byte step, byte act) in history)
                    {
                        switch (act % 8)
                        {
                            case 0:
                                clocks.Commit();
                                committed = model.Copy();
                                break;
                            case 1:
                                clocks.Abort();
                                model = committed.Copy();
                                break;
                            case 2:
                                clocks.Commit();
                                committed = model.Copy();
                                MarkerSources marker = clocks.Pending();
                                clocks = new SourceClocks(1, Sources, IdleMs);
                                clocks.Load(marker);
                                break;
                            default:
                                written += step % 40;
                                long expected = model.See(source % Sources, clock, written);
                                if (clocks.See(0, source % Sources, clock, written) != expected)
                                {
                                    return false;
                                }

                                break;
                        }
                    }

                    return true;
                }
            )
            .Check(Many);

    private sealed class Model(int sources)
    {
        private long[] _clocks = [.. Enumerable.Repeat(WindowClocks.Unset, sources)];
        private long[] _seenAt = new long[sources];
        private long _attention;
        private long _written = -1;

        public Model Copy() =>
            new(sources)
            {
                _clocks = [.. _clocks],
                _seenAt = [.. _seenAt],
                _attention = _attention,
                _written = _written,
            };

        public long See(int source, long clock, long written)
        {
            if (_written >= 0 && written > _written)
            {
                _attention += Math.Min(written - _written, IdleMs / 10);
            }

            _written = Math.Max(_written, written);
            _seenAt[source] = _attention;
            _clocks[source] = Math.Max(_clocks[source], clock);
            return Enumerable
                .Range(0, sources)
                .Where(s => _attention - _seenAt[s] <= IdleMs)
                .Min(s => _clocks[s]);
        }
    }
}
