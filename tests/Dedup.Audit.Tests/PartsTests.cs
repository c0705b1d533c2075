using Dedup.Audit.Contents;
using Dedup.Audit.Matching;
using Dedup.Audit.Spill;
using Dedup.Audit.Tests.Model;
using FsCheck;
using FsCheck.Fluent;
using Shouldly;

namespace Dedup.Audit.Tests;

/// <summary>The parts that the audit rests on.</summary>
public sealed class PartsTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(100_000)]
    [InlineData(long.MaxValue)]
    public void A_bucket_gives_back_what_it_got_in_order_whatever_went_to_the_file(long memory)
    {
        string directory = Directory.CreateTempSubdirectory("dedup-audit-test").FullName;
        try
        {
            using (var file = new SpillFile(directory))
            {
                using var store = new BucketStore<long>(
                    7,
                    new BlockPool<long> { MemoryBytes = memory },
                    file
                );
                for (int round = 0; round < 2; round++)
                {
                    for (long i = 0; i < 50_000; i++)
                    {
                        store.Add((int)(i * i % 7), i);
                    }

                    (file.Length > 0).ShouldBe(memory < long.MaxValue);
                    long[] entries = [];
                    for (int b = 0; b < 7; b++)
                    {
                        int count = store.Read(b, ref entries);
                        entries[..count]
                            .ShouldBe(
                                Enumerable
                                    .Range(0, 50_000)
                                    .Select(i => (long)i)
                                    .Where(i => i * i % 7 == b)
                            );
                        store.Clear(b);
                        store.Count(b).ShouldBe(0);
                    }
                }

                // Unlinked at once: killed here, the process would leave nothing behind.
                Directory.GetFiles(directory).ShouldBeEmpty();
            }

            Directory.GetFiles(directory).ShouldBeEmpty();
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public void The_moved_records_are_a_smallest_set_whose_removal_leaves_the_rest_in_order() =>
        Prop.ForAll(
                Gen.Choose(0, 40)
                    .SelectMany(n => Gen.Shuffle(Enumerable.Range(1, n).ToArray()))
                    .Zip(Gen.Choose(0, 100))
                    .ToArbitrary(),
                pair =>
                {
                    // Mostly sorted: only some of the shuffled numbers stay where they fell.
                    (int[] shuffled, int sortedPercent) = pair;
                    int sorted = shuffled.Length * sortedPercent / 100;
                    Array.Sort(shuffled, 0, sorted);
                    var backbone = new Backbone(shuffled.Length * 2);
                    for (int i = 0; i < shuffled.Length; i++)
                    {
                        backbone.Match((uint)(2 * i) + 1, (uint)shuffled[i]);
                    }

                    var moved = new HashSet<uint>();
                    backbone.FindMoved(clean => moved.Add(clean).ShouldBeTrue());
                    int[] rest = [.. shuffled.Where((_, i) => !moved.Contains((uint)(2 * i) + 1))];
                    rest.ShouldBe(rest.Order());
                    rest.Length.ShouldBe(LongestRising(shuffled));
                }
            )
            .QuickCheckThrowOnFailure();

    [Fact]
    public void Contents_hashes_differ_for_every_length_and_every_bit_of_short_values()
    {
        var seen = new HashSet<ulong>();
        for (int length = 0; length < 70; length++)
        {
            byte[] bytes = new byte[length];
            seen.Add(ContentHash.Of(bytes, ContentHash.ValueSeed)).ShouldBeTrue();
            for (int bit = 0; bit < length * 8; bit++)
            {
                bytes[bit / 8] ^= (byte)(1 << (bit % 8));
                seen.Add(ContentHash.Of(bytes, ContentHash.ValueSeed)).ShouldBeTrue();
                bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            }
        }

        seen.ShouldNotContain(0UL);
    }

    [Fact]
    public void Packed_entries_have_the_size_that_is_drawn_above_them()
    {
        System.Runtime.CompilerServices.Unsafe.SizeOf<InputEntry>().ShouldBe(InputEntry.Size);
        System.Runtime.CompilerServices.Unsafe.SizeOf<CleanEntry>().ShouldBe(CleanEntry.Size);
    }

    [Fact]
    public void Progress_rises_to_the_total_and_ends_with_done()
    {
        var pair = new Pair(100, 50);
        for (int i = 0; i < 500; i++)
        {
            _ = pair.Put($"k{i}", 1000 + i);
        }

        var heard = new List<AuditProgress>();
        _ = pair.Audit(new Listener(heard));
        heard[^1].ShouldBe(new AuditProgress(AuditPhase.Done, 1000, 1000, 0));
        heard.Select(h => h.Done).ShouldBeInOrder();
    }

    [Fact]
    public void Topics_with_different_partition_counts_are_refused()
    {
        var topics = new AuditTopics
        {
            Input = new MemoryLog("a", 2),
            Clean = new MemoryLog("b", 3),
        };
        var rules = new AuditRules
        {
            Recipe = Topology.Identify.Recipe.Key,
            Window = new AuditWindow(100),
        };
        Should
            .Throw<AuditException>(() =>
                new AuditEngine(
                    rules,
                    topics,
                    new AuditLimits(1, Path.GetTempPath()),
                    TimeProvider.System
                )
            )
            .Message.ShouldContain("a has 2 partitions and b has 3");
    }

    [Fact]
    public void A_failing_side_ends_the_other_and_its_reason_is_told()
    {
        Pair pair = new Pair(100, 50).Put("a", 1000);
        pair.Committed = new Dictionary<int, long> { [0] = 1 };
        pair.CommittedNow = _ => throw new AuditException("broker gone");
        Should.Throw<AuditException>(() => pair.Audit()).Message.ShouldBe("broker gone");
    }

    private static int LongestRising(int[] numbers)
    {
        int[] best = new int[numbers.Length];
        for (int i = 0; i < numbers.Length; i++)
        {
            best[i] =
                1
                + Enumerable
                    .Range(0, i)
                    .Where(j => numbers[j] < numbers[i])
                    .Select(j => best[j])
                    .DefaultIfEmpty()
                    .Max();
        }

        return best.DefaultIfEmpty().Max();
    }

    private sealed class Listener(List<AuditProgress> heard) : IProgress<AuditProgress>
    {
        public void Report(AuditProgress value)
        {
            lock (heard)
            {
                heard.Add(value);
            }
        }
    }
}
