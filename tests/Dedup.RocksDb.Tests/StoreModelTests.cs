using Dedup.Contracts.Changelog;
using Dedup.Contracts.Identity;
using Dedup.Tests;
using Dedup.Topology.Ports;
using Shouldly;
using Xunit;

namespace Dedup.RocksDb.Tests;

/// <summary>The store against a model, over random operations; a failure names its seed.</summary>
public sealed class StoreModelTests
{
    private const int Keys = 200;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public void Answers_as_the_model_does_over_random_operations_with_reopening(int seed)
    {
        using var test = new TestStore();
        var random = new Random(seed);
        var model = new StoreModel();
        IFirstSeenStore store = test.Open();
        try
        {
            int steps = Repetitions.Of(400);
            for (int step = 0; step < steps; step++)
            {
                switch (random.Next(12))
                {
                    case < 6:
                        store.Add(RandomEntries(random, model));
                        break;
                    case 6 or 7:
                        store.WaitForSeal();
                        store.BeginSeal(TestStore.HeaderAt(step));
                        break;
                    case 8:
                        store.WaitForSeal();
                        break;
                    case 9:
                        BucketId bucket = RandomBucket(random);
                        store.DropBuckets([bucket]);
                        model.Drop(bucket);
                        break;
                    case 10 when random.Next(4) == 0:
                        store.Close(TestStore.HeaderAt(step));
                        store = test.Open();
                        store.Header.ShouldBeEquivalentTo(TestStore.HeaderAt(step));
                        store.Count.ShouldBeGreaterThanOrEqualTo(model.Count);
                        store.Buckets.ShouldBe(model.Buckets);
                        break;
                    default:
                        break;
                }

                CompareAll(store, model, random, () => $"seed {seed} step {step}");
                store.Count.ShouldBeGreaterThanOrEqualTo(model.Count);
            }
        }
        finally
        {
            store.Dispose();
        }
    }

    [Theory]
    [InlineData("seal-cut")]
    [InlineData("seal-sst-written")]
    [InlineData("seal-between-ingests")]
    [InlineData("seal-before-floor")]
    [InlineData("seal-after-floor")]
    [InlineData("bucket-before-drop")]
    [InlineData("bucket-after-drop")]
    public void A_crash_at_any_point_and_the_replay_from_the_header_give_the_model(string point)
    {
        using var test = new TestStore();
        var random = new Random(17);
        var copies = new List<string>();
        var log = new List<NewEntry>();
        var model = new StoreModel();
        IFirstSeenStore store = test.Open(name =>
        {
            if (name == point)
            {
                string copy = $"{test.Root}-{copies.Count}";
                TestStore.CopyDirectory(test.Root, copy);
                copies.Add(copy);
            }
        });
        var dropped = new HashSet<BucketId>();
        var logLengthAtCopy = new List<int>();
        for (int round = 0; round < 4; round++)
        {
            for (int i = 0; i < 20; i++)
            {
                NewEntry[] entries = RandomEntries(random, model, dropped);
                store.Add(entries);
                log.AddRange(entries);
            }

            // A copy is only what a crash would leave when nothing else is at work meanwhile.
            SpinWait.SpinUntil(() => !((RocksStore)store).IsBuildingFilters);

            // The header's offset is the length of the log: replay starts there.
            store.BeginSeal(TestStore.HeaderAt(log.Count));
            var drop = new BucketId(0, round);
            store.DropBuckets([drop]);
            model.Drop(drop);
            _ = dropped.Add(drop);
            store.WaitForSeal();
            while (logLengthAtCopy.Count < copies.Count)
            {
                logLengthAtCopy.Add(log.Count);
            }
        }

        store.Dispose();
        copies.ShouldNotBeEmpty();
        for (int i = 0; i < copies.Count; i++)
        {
            CheckCopy(
                copies[i],
                log,
                logLengthAtCopy.Count > i ? logLengthAtCopy[i] : log.Count,
                random,
                point
            );
        }
    }

    private static void CheckCopy(
        string root,
        List<NewEntry> log,
        int length,
        Random random,
        string point
    )
    {
        using var budget = new StoreBudget(64 << 20);
        try
        {
            StoreOpening opening = new RocksStoreFactory(root, budget).Open(0);
            opening.Status.ShouldBe(StoreOpenStatus.Opened, opening.Detail);
            using IFirstSeenStore store = opening.Store!;
            Directory.EnumerateFiles(Path.Combine(root, "0", "seal")).ShouldBeEmpty();
            int from = (int)(store.Header?.Marker.InputOffset ?? 0);
            var model = new StoreModel();
            log.Take(length).ToList().ForEach(e => model.Add(e));

            // Everything up to the header is in, without any replay, except in the class of which buckets are dropped.
            HashSet<BucketId> buckets = [.. store.Buckets.Where(b => b.Class != 0)];
            foreach (NewEntry e in log.Take(from).Where(e => buckets.Contains(e.Bucket)))
            {
                TestStore
                    .FindOne(store, e.Key, e.Entry.SeenMs, 100_000)
                    .IsFound.ShouldBeTrue($"{point}: {e}");
            }

            store.Add(log.Take(length).Skip(from).ToArray());
            foreach (BucketId bucket in model.Buckets.Where(b => b.Class == 0).ToArray())
            {
                // Whether the drop was before or after the crash is not the point here.
                store.DropBuckets([bucket]);
                model.Drop(bucket);
            }

            CompareAll(store, model, random, () => $"{point} {root} replayed");
            store.BeginSeal(TestStore.HeaderAt(length));
            store.WaitForSeal();
            CompareAll(store, model, random, () => $"{point} {root} replayed and sealed");
            store.Count.ShouldBeGreaterThanOrEqualTo(model.Count);
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    /// <summary>Entries as a lane makes them: in a bucket the time of an ID only grows. They are in the model afterwards.</summary>
    private static NewEntry[] RandomEntries(
        Random random,
        StoreModel model,
        HashSet<BucketId>? without = null
    )
    {
        var entries = new List<NewEntry>();
        for (int i = random.Next(1, 30); i > 0; i--)
        {
            long n = random.Next(Keys);
            BucketId bucket = RandomBucket(random);
            if (without?.Contains(bucket) == true)
            {
                continue;
            }

            EventKey key = TestStore.KeyOf(n);
            long seen = Math.Max(random.Next(10_000), model.TimeOf(key, bucket) ?? 0);
            // The rest follows from key and time, as it does in a log that is replayed.
            var entry = new SeenEntry(seen, n + seen, n % 3 == 0 ? (ulong)seen : 0, (uint)(n % 2));
            entries.Add(new NewEntry(key, entry, bucket));
            model.Add(entries[^1]);
        }

        return [.. entries];
    }

    private static BucketId RandomBucket(Random random) =>
        new((ushort)random.Next(3), random.Next(-2, 4));

    private static void CompareAll(
        IFirstSeenStore store,
        StoreModel model,
        Random random,
        Func<string> because
    )
    {
        var probes = new StoreProbe[Keys + 20];
        for (int i = 0; i < probes.Length; i++)
        {
            probes[i] = new StoreProbe(TestStore.KeyOf(i), random.Next(10_000), random.Next(3_000));
        }

        var hits = new StoreHit[probes.Length];
        store.Find(probes, hits);
        for (int i = 0; i < probes.Length; i++)
        {
            StoreHit expected = model.Find(probes[i]);
            if (hits[i] != expected)
            {
                hits[i].ShouldBe(expected, $"{because()}: {probes[i]}");
            }
        }
    }
}
