using Dedup.Contracts.Changelog;
using Dedup.Contracts.Identity;
using Dedup.Topology.Ports;
using Shouldly;
using Xunit;

namespace Dedup.RocksDb.Tests;

/// <summary>What the port promises, one property at a time.</summary>
public sealed class StoreTests
{
    private static readonly BucketId _first = new(0, 1);
    private static readonly BucketId _second = new(2, 7);

    [Fact]
    public void A_new_store_is_empty_and_has_no_header()
    {
        using var test = new TestStore();
        using IFirstSeenStore store = test.Open();
        store.Header.ShouldBeNull();
        store.Count.ShouldBe(0);
        store.Buckets.ShouldBeEmpty();
        store.WantsSeal.ShouldBeFalse();
        store.IsFull.ShouldBeFalse();
        TestStore.FindOne(store, TestStore.KeyOf(1), 0, long.MaxValue).IsFound.ShouldBeFalse();
    }

    [Fact]
    public void The_window_is_inclusive_and_extreme_times_do_not_overflow()
    {
        using var test = new TestStore();
        using IFirstSeenStore store = test.Open();
        store.Add([TestStore.Entry(1, 1000, _first), TestStore.Entry(2, long.MaxValue, _first)]);
        foreach (bool isSealed in new[] { false, true })
        {
            TestStore.FindOne(store, TestStore.KeyOf(1), 1100, 100).IsFound.ShouldBeTrue();
            TestStore.FindOne(store, TestStore.KeyOf(1), 1101, 100).IsFound.ShouldBeFalse();
            TestStore.FindOne(store, TestStore.KeyOf(1), 900, 100).IsFound.ShouldBeTrue();
            TestStore.FindOne(store, TestStore.KeyOf(1), 899, 100).IsFound.ShouldBeFalse();
            TestStore
                .FindOne(store, TestStore.KeyOf(2), long.MinValue, long.MaxValue)
                .IsFound.ShouldBeFalse();
            if (!isSealed)
            {
                store.BeginSeal(TestStore.HeaderAt(1));
                store.WaitForSeal();
            }
        }
    }

    [Fact]
    public void The_header_changes_only_when_every_bucket_is_in()
    {
        using var test = new TestStore();
        using var gate = new SemaphoreSlim(0);
        var points = new List<string>();
        using IFirstSeenStore store = test.Open(name =>
        {
            points.Add(name);
            if (name != "seal-cut")
            {
                gate.Wait();
            }
        });
        store.Add([TestStore.Entry(1, 5, _first), TestStore.Entry(2, 6, _second)]);
        store.BeginSeal(TestStore.HeaderAt(9));
        for (int point = 0; point < 4; point++)
        {
            store.Step();
            store.Header.ShouldBeNull();
            TestStore.FindOne(store, TestStore.KeyOf(1), 5, 0).IsFound.ShouldBeTrue();
            TestStore.FindOne(store, TestStore.KeyOf(2), 6, 0).Class.ShouldBe(_second.Class);
            _ = gate.Release();
        }

        _ = gate.Release();
        store.WaitForSeal();
        store.Header.ShouldBeEquivalentTo(TestStore.HeaderAt(9));
        points.ShouldBe([
            "seal-cut",
            "seal-sst-written",
            "seal-between-ingests",
            "seal-between-ingests",
            "seal-before-floor",
            "seal-after-floor",
        ]);
    }

    [Fact]
    public void A_bucket_dropped_while_it_is_being_sealed_never_comes_back()
    {
        foreach (
            string moment in new[]
            {
                "seal-cut",
                "seal-sst-written",
                "seal-between-ingests",
                "seal-before-floor",
            }
        )
        {
            using var test = new TestStore();
            using var reached = new SemaphoreSlim(0);
            using var goOn = new SemaphoreSlim(0);
            using (
                IFirstSeenStore store = test.Open(name =>
                {
                    if (name == moment && moment != "seal-cut")
                    {
                        _ = reached.Release();
                        goOn.Wait();
                    }
                })
            )
            {
                store.Add([TestStore.Entry(1, 5, _first), TestStore.Entry(2, 6, _second)]);
                store.BeginSeal(TestStore.HeaderAt(1));
                if (moment != "seal-cut")
                {
                    reached.Wait();
                }

                store.DropBuckets([_first]);
                _ = goOn.Release(10);
                Check(store);
                store.WaitForSeal();
                Check(store);
                store.Close(TestStore.HeaderAt(2));
            }

            using IFirstSeenStore again = test.Open();
            Check(again);
            again.Header.ShouldBeEquivalentTo(TestStore.HeaderAt(2));
        }

        static void Check(IFirstSeenStore store)
        {
            TestStore.FindOne(store, TestStore.KeyOf(1), 5, 1000).IsFound.ShouldBeFalse();
            TestStore.FindOne(store, TestStore.KeyOf(2), 6, 1000).IsFound.ShouldBeTrue();
            store.Buckets.ShouldBe([_second]);
        }
    }

    [Fact]
    public void A_bucket_that_comes_back_after_its_drop_has_only_what_was_added_since()
    {
        using var test = new TestStore();
        using IFirstSeenStore store = test.Open();
        store.Add([TestStore.Entry(1, 5, _first), TestStore.Entry(2, 6, _first)]);
        store.BeginSeal(TestStore.HeaderAt(1));
        store.DropBuckets([_first]);
        store.Add([TestStore.Entry(2, 7, _first), TestStore.Entry(3, 8, _first)]);
        for (int i = 0; i < 2; i++)
        {
            TestStore.FindOne(store, TestStore.KeyOf(1), 5, 1000).IsFound.ShouldBeFalse();
            TestStore.FindOne(store, TestStore.KeyOf(2), 5, 1000).Entry.SeenMs.ShouldBe(7);
            TestStore.FindOne(store, TestStore.KeyOf(3), 5, 1000).IsFound.ShouldBeTrue();
            store.Count.ShouldBe(2);
            store.WaitForSeal();
            store.BeginSeal(TestStore.HeaderAt(2));
            store.WaitForSeal();
        }
    }

    [Fact]
    public void Closing_without_a_header_forgets_what_was_not_sealed_and_keeps_the_header()
    {
        using var test = new TestStore();
        using (IFirstSeenStore store = test.Open())
        {
            store.Add([TestStore.Entry(1, 5, _first)]);
            store.BeginSeal(TestStore.HeaderAt(1));
            store.WaitForSeal();
            store.Add([TestStore.Entry(2, 5, _first)]);
            store.Close(null);
        }

        using IFirstSeenStore again = test.Open();
        again.Header.ShouldBeEquivalentTo(TestStore.HeaderAt(1));
        again.Count.ShouldBe(1);
        TestStore.FindOne(again, TestStore.KeyOf(1), 5, 0).IsFound.ShouldBeTrue();
        TestStore.FindOne(again, TestStore.KeyOf(2), 5, 0).IsFound.ShouldBeFalse();
    }

    [Fact]
    public void Closing_with_a_header_writes_it_even_when_there_is_nothing_to_seal()
    {
        using var test = new TestStore();
        test.Open().Close(TestStore.HeaderAt(77));
        using IFirstSeenStore again = test.Open();
        again.Header.ShouldBeEquivalentTo(TestStore.HeaderAt(77));
    }

    [Fact]
    public void Finding_and_adding_allocate_nothing()
    {
        using var test = new TestStore();
        using IFirstSeenStore store = test.Open();
        var probes = new StoreProbe[1000];
        var hits = new StoreHit[1000];
        var entries = new NewEntry[1000];
        long next = 0;
        Round();
        store.BeginSeal(TestStore.HeaderAt(1));
        store.WaitForSeal();
        // Beyond 40,960 rows: the table has just doubled its slots, which takes an object, and does not again before 81,920.
        for (int i = 0; i < 42; i++)
        {
            Round();
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 10; i++)
        {
            Round();
        }

        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);

        void Round()
        {
            for (int i = 0; i < entries.Length; i++)
            {
                // A half is unknown, the other lies in the table or in RocksDB.
                probes[i] = new StoreProbe(
                    TestStore.KeyOf(i % 2 == 0 ? -i : (i * 37L) % (next + 1)),
                    i,
                    long.MaxValue
                );
                entries[i] = TestStore.Entry(next++, i, i % 3 == 0 ? _first : _second);
            }

            store.Find(probes, hits);
            store.Add(entries);
        }
    }

    [Fact]
    public void Seals_come_in_time_and_memory_stays_within_the_budget()
    {
        const long bytes = 32 << 20;
        using var test = new TestStore(bytes);
        using IFirstSeenStore first = test.Open();
        using IFirstSeenStore second = test.Factory().Open(1).Store!;
        IFirstSeenStore[] stores = [first, second];
        var entries = new NewEntry[500];
        int seals = 0;
        for (long n = 0; n < 400_000; n += entries.Length)
        {
            IFirstSeenStore store = stores[n % 1000 == 0 ? 0 : 1];
            for (int i = 0; i < entries.Length; i++)
            {
                entries[i] = TestStore.Entry(n + i, n, _first);
            }

            while (store.IsFull)
            {
                store.WaitForSeal();
            }

            store.Add(entries);
            if (store.WantsSeal)
            {
                store.BeginSeal(TestStore.HeaderAt(n));
                seals++;
            }

            store.Step();
            test.Budget.MemoryBytes.ShouldBeLessThan(bytes);
        }

        seals.ShouldBeGreaterThan(5);
        // While a seal is under way its IDs are counted in the table and, file by file, in RocksDB.
        first.WaitForSeal();
        second.WaitForSeal();
        (first.Count + second.Count).ShouldBe(400_000);
        (first.MemoryBytes + second.MemoryBytes).ShouldBeLessThan(bytes);
    }

    [Fact]
    public void Without_memory_for_filters_lookups_go_through_and_answer_the_same()
    {
        using var test = new TestStore();
        // All that filters may have is taken by someone else.
        test.Budget.TryTakeFilterBytes(test.Budget.FilterBytes).ShouldBeTrue();
        using IFirstSeenStore store = test.Open();
        for (long n = 0; n < 3000; n++)
        {
            store.Add([TestStore.Entry(n, n, _first)]);
        }

        store.BeginSeal(TestStore.HeaderAt(1));
        store.WaitForSeal();
        store.BeginSeal(TestStore.HeaderAt(2));
        store.WaitForSeal();
        for (long n = -500; n < 3500; n++)
        {
            TestStore
                .FindOne(store, TestStore.KeyOf(n), n, 0)
                .IsFound.ShouldBe(n is >= 0 and < 3000);
        }
    }

    [Fact]
    public void A_second_seal_while_one_is_under_way_is_a_mistake_of_the_caller()
    {
        using var test = new TestStore();
        using var gate = new SemaphoreSlim(0);
        using IFirstSeenStore store = test.Open(name =>
        {
            if (name == "seal-before-floor")
            {
                gate.Wait();
            }
        });
        store.BeginSeal(TestStore.HeaderAt(1));
        Should.Throw<InvalidOperationException>(() => store.BeginSeal(TestStore.HeaderAt(2)));
        _ = gate.Release();
        store.WaitForSeal();
        store.Header.ShouldBeEquivalentTo(TestStore.HeaderAt(1));
    }
}
