using System.Runtime.CompilerServices;
using Dedup.Contracts.Changelog;
using Dedup.Contracts.Identity;
using Dedup.RocksDb.Recent;
using FsCheck;
using FsCheck.Fluent;
using Shouldly;
using Xunit;

namespace Dedup.RocksDb.Tests;

/// <summary>The recent table against a dictionary.</summary>
public sealed class RecentTableTests
{
    [Fact]
    public void A_row_has_the_size_that_the_budget_counts_with() =>
        Unsafe.SizeOf<RecentRow>().ShouldBe(RecentRow.Size);

    [Fact]
    public void Holds_what_a_dictionary_would_after_any_operations() =>
        Prop.ForAll<(byte Key, byte Bucket, int Seen)[]>(static operations =>
            {
                using var pool = new RowPool();
                using var table = new RecentTable(pool);
                BucketState[] buckets =
                [
                    .. Enumerable.Range(0, 5).Select(i => new BucketState(new BucketId(0, i))),
                ];
                var model = new Dictionary<(EventKey, int), SeenEntry>();
                foreach ((byte k, byte b, int seen) in operations)
                {
                    // Keys that share halves: neither half alone may be taken for the key.
                    var key = new EventKey((ulong)(k & 3), (ulong)(k >> 4));
                    int bucket = b % buckets.Length;
                    var entry = new SeenEntry(seen, b, k, b);
                    bool isNew = !model.TryGetValue((key, bucket), out SeenEntry old);
                    if (isNew || seen > old.SeenMs)
                    {
                        model[(key, bucket)] = entry;
                    }

                    if (table.Add(key, entry, buckets[bucket]) != isNew)
                    {
                        return false;
                    }
                }

                return Holds(table, model, buckets);
            })
            .QuickCheckThrowOnFailure();

    [Fact]
    public void Finds_every_key_after_growing_and_after_being_used_again()
    {
        using var pool = new RowPool();
        using var table = new RecentTable(pool);
        var bucket = new BucketState(new BucketId(0, 0));
        for (int round = 0; round < 3; round++)
        {
            int count = 100_000 >> round;
            long first = round * 1_000_000L;
            for (long n = first; n < first + count; n++)
            {
                table.Add(TestStore.KeyOf(n), new SeenEntry(n, n, 0, 0), bucket).ShouldBeTrue();
            }

            table.Count.ShouldBe(count);
            for (long n = first - 1000; n < first + count + 1000; n++)
            {
                EventKey key = TestStore.KeyOf(n);
                uint at = table.Start(key);
                int row = table.Next(key, ref at);
                (row >= 0).ShouldBe(n >= first && n < first + count);
                if (row >= 0)
                {
                    table[row].SeenMs.ShouldBe(n);
                    table.Next(key, ref at).ShouldBe(-1);
                }
            }

            table.Reset();
        }
    }

    [Fact]
    public void Memory_of_rows_goes_round_and_does_not_grow()
    {
        using var pool = new RowPool();
        using var table = new RecentTable(pool);
        var bucket = new BucketState(new BucketId(0, 0));
        long bytes = 0;
        for (int round = 0; round < 20; round++)
        {
            for (long n = 0; n < 50_000; n++)
            {
                _ = table.Add(TestStore.KeyOf(n), default, bucket);
            }

            bytes = round == 0 ? pool.Bytes : bytes;
            pool.Bytes.ShouldBe(bytes);
            table.Reset();
        }
    }

    private static bool Holds(
        RecentTable table,
        Dictionary<(EventKey, int), SeenEntry> model,
        BucketState[] buckets
    )
    {
        if (table.Count != model.Count || table.LiveCount != model.Count)
        {
            return false;
        }

        var found = new Dictionary<(EventKey, int), SeenEntry>();
        foreach (EventKey key in model.Keys.Select(static k => k.Item1).Distinct())
        {
            uint at = table.Start(key);
            for (int row = table.Next(key, ref at); row >= 0; row = table.Next(key, ref at))
            {
                found.Add(
                    (key, Array.IndexOf(buckets, table.BucketOf(table[row]))),
                    table[row].Entry
                );
            }
        }

        return found.Count == model.Count && model.All(m => found[m.Key] == m.Value);
    }
}
