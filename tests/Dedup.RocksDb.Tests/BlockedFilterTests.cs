using Dedup.RocksDb.Filter;
using FsCheck;
using FsCheck.Fluent;
using Shouldly;
using Xunit;

namespace Dedup.RocksDb.Tests;

/// <summary>The filter may say "maybe" in vain, but never "no" in vain.</summary>
public sealed class BlockedFilterTests
{
    [Fact]
    public void Never_denies_a_key_that_was_added_whatever_its_size() =>
        Prop.ForAll<ulong[], ushort>(
                static (keys, kilobytes) =>
                {
                    using var filter = new BlockedFilter(kilobytes * 16L);
                    foreach (ulong key in keys)
                    {
                        _ = filter.Add(key);
                    }

                    return keys.All(filter.MayContain) && keys.All(filter.MayContainScalar);
                }
            )
            .QuickCheckThrowOnFailure();

    [Fact]
    public void Answers_alike_with_and_without_vector_instructions()
    {
        using var vector = new BlockedFilter(1 << 16);
        using var scalar = new BlockedFilter(1 << 16);
        for (long n = 0; n < 40_000; n++)
        {
            ulong key = TestStore.KeyOf(n).High;
            vector.Add(key).ShouldBe(scalar.AddScalar(key));
        }

        for (long n = 0; n < 200_000; n++)
        {
            ulong key = TestStore.KeyOf(n).High;
            bool answer = vector.MayContain(key);
            answer.ShouldBe(vector.MayContainScalar(key));
            answer.ShouldBe(scalar.MayContain(key));
        }
    }

    [Theory]
    [InlineData(18, 0.002)]
    [InlineData(12, 0.008)]
    [InlineData(8, 0.04)]
    [InlineData(3, 0.6)]
    public void Says_maybe_in_vain_no_more_often_than_its_size_explains(
        int bitsPerKey,
        double bound
    )
    {
        const int keys = 200_000;
        using var filter = new BlockedFilter((long)keys * bitsPerKey / 8);
        for (long n = 0; n < keys; n++)
        {
            _ = filter.Add(TestStore.KeyOf(n).High);
        }

        int wrong = 0;
        for (long n = keys; n < 2 * keys; n++)
        {
            wrong += filter.MayContain(TestStore.KeyOf(n).High) ? 1 : 0;
        }

        ((double)wrong / keys).ShouldBeLessThan(bound);
    }

    [Fact]
    public void A_key_log_that_changed_in_one_bit_has_another_checksum() =>
        Prop.ForAll<ulong[], ushort, byte>(
                static (keys, position, bit) =>
                {
                    if (keys.Length == 0)
                    {
                        return true;
                    }

                    ulong before = KeyLog.Extend(KeyLog.EmptyChecksum, keys);
                    keys[position % keys.Length] ^= 1UL << (bit % 64);
                    return KeyLog.Extend(KeyLog.EmptyChecksum, keys) != before;
                }
            )
            .QuickCheckThrowOnFailure();
}
