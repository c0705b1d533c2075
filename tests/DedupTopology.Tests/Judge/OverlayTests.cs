using Dedup.Contracts.Changelog;
using Dedup.Contracts.Identity;
using Dedup.Topology.Judge;
using Dedup.Topology.Ports;
using Shouldly;

namespace DedupTopology.Tests.Judge;

/// <summary>What the open transaction remembers, against a list that is searched from its beginning.</summary>
public sealed class OverlayTests
{
    /// <summary>Keys that meet: in the low bits that choose a slot, and in the high ones that choose a bit.</summary>
    private static EventKey KeyOf(int id) =>
        new((ulong)(id % 11) << 3, (ulong)(id * 0x1_0000_0000L) + (ulong)(id % 3));

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void It_answers_as_a_list_would_after_any_operations(int seed)
    {
        var random = new Random(seed);
        var overlay = new Overlay();
        var model = new List<NewEntry>();
        for (int step = 0; step < 3_000; step++)
        {
            NewEntry entry = Entry(
                random.Next(40),
                random.Next(1_000),
                new BucketId(0, random.Next(3))
            );
            switch (random.Next(200))
            {
                case 0:
                    overlay.Clear();
                    model.Clear();
                    break;
                case < 100:
                    overlay.Add(entry);
                    model.Add(entry);
                    break;
                default:
                    overlay.MoveOn(entry);
                    MoveOn(model, entry);
                    break;
            }

            overlay.Entries.ToArray().ShouldBe(model);
            overlay.Count.ShouldBe(model.Count);
            Compare(overlay, model, random.Next(60), random);
        }
    }

    [Fact]
    public void It_finds_what_it_holds_however_much_it_grows_and_nothing_once_it_is_cleared()
    {
        const int Many = 40_000;
        var overlay = new Overlay();
        for (int round = 0; round < 2; round++)
        {
            for (int i = 0; i < Many; i++)
            {
                overlay.Add(Entry(i, i, new BucketId(0, 0)));
            }

            for (int i = 0; i < Many; i++)
            {
                overlay.TryGet(KeyOf(i), new BucketId(0, 0), out SeenEntry found).ShouldBeTrue();
                found.SeenMs.ShouldBe(i);
            }

            overlay.TryGet(KeyOf(Many), new BucketId(0, 0), out _).ShouldBeFalse();
            overlay.Clear();
            overlay.Count.ShouldBe(0);
            overlay.TryGet(KeyOf(7), new BucketId(0, 0), out _).ShouldBeFalse();
            overlay.TryFind(KeyOf(7), 7, 10, out _, out _).ShouldBeFalse();
        }
    }

    [Fact]
    public void Of_a_key_in_a_bucket_the_greatest_time_stays()
    {
        var overlay = new Overlay();
        overlay.MoveOn(Entry(1, 500, new BucketId(0, 0)));
        overlay.MoveOn(Entry(1, 400, new BucketId(0, 0)));
        overlay.MoveOn(Entry(1, 450, new BucketId(0, 1)));
        overlay.Entries.ToArray().Select(static e => e.Entry.SeenMs).ShouldBe([500, 450]);
        overlay.MoveOn(Entry(1, 600, new BucketId(0, 0)));
        overlay.Entries.ToArray().Select(static e => e.Entry.SeenMs).ShouldBe([600, 450]);
    }

    private static void Compare(Overlay overlay, List<NewEntry> model, int id, Random random)
    {
        var bucket = new BucketId(0, random.Next(3));
        int at = model.FindIndex(e => e.Key == KeyOf(id) && e.Bucket == bucket);
        overlay.TryGet(KeyOf(id), bucket, out SeenEntry held).ShouldBe(at >= 0);
        held.ShouldBe(at < 0 ? default : model[at].Entry);

        long time = random.Next(1_000);
        NewEntry[] near =
        [
            .. model
                .Where(e => e.Key == KeyOf(id) && Math.Abs(e.Entry.SeenMs - time) <= 100)
                .OrderByDescending(static e => e.Entry.SeenMs),
        ];
        overlay.TryFind(KeyOf(id), time, 100, out SeenEntry found, out _).ShouldBe(near.Length > 0);
        // Of several at the same time the one that came first, which is the first in order.
        found.ShouldBe(near.Length == 0 ? default : near[0].Entry);
    }

    private static void MoveOn(List<NewEntry> model, NewEntry entry)
    {
        int at = model.FindIndex(e => e.Key == entry.Key && e.Bucket == entry.Bucket);
        if (at < 0)
        {
            model.Add(entry);
        }
        else if (entry.Entry.SeenMs > model[at].Entry.SeenMs)
        {
            model[at] = entry;
        }
    }

    private static NewEntry Entry(int id, long seenMs, BucketId bucket) =>
        new(KeyOf(id), new SeenEntry(seenMs, id, 0, 0), bucket);
}
