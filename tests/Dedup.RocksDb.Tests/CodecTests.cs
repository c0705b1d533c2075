using System.Collections.Immutable;
using Dedup.Contracts.Changelog;
using Dedup.Contracts.Identity;
using Dedup.RocksDb.Recent;
using Dedup.RocksDb.Seal;
using Dedup.Topology.Ports;
using FsCheck;
using FsCheck.Fluent;
using Shouldly;
using Xunit;

namespace Dedup.RocksDb.Tests;

/// <summary>What is written can be read, and what was not written by us is refused.</summary>
public sealed class CodecTests
{
    [Fact]
    public void Any_entry_comes_back_as_it_was() =>
        Prop.ForAll<long, long, ulong>(
                static (seen, offset, fingerprint) =>
                {
                    var entry = new SeenEntry(seen, offset, fingerprint, (uint)fingerprint);
                    Span<byte> bytes = stackalloc byte[EntryCodec.MaxSize];
                    int n = EntryCodec.Write(entry, bytes);
                    return EntryCodec.TryRead(bytes[..n], out SeenEntry read) && read == entry;
                }
            )
            .QuickCheckThrowOnFailure();

    [Fact]
    public void The_extremes_of_an_entry_come_back()
    {
        Span<byte> bytes = stackalloc byte[EntryCodec.MaxSize];
        SeenEntry[] extremes =
        [
            default,
            new(long.MinValue, long.MaxValue, ulong.MaxValue, uint.MaxValue),
            new(long.MaxValue, long.MinValue, 0, 1),
        ];
        foreach (SeenEntry entry in extremes)
        {
            int n = EntryCodec.Write(entry, bytes);
            EntryCodec.TryRead(bytes[..n], out SeenEntry read).ShouldBeTrue();
            read.ShouldBe(entry);
            EntryCodec.TryRead(bytes[..(n - 1)], out _).ShouldBeFalse();
        }
    }

    [Fact]
    public void Hostile_bytes_are_no_entry_or_one_but_never_an_exception() =>
        Prop.ForAll<byte[]>(static bytes =>
            {
                _ = EntryCodec.TryRead(bytes, out _);
                return true;
            })
            .QuickCheckThrowOnFailure();

    [Fact]
    public void A_header_comes_back_as_it_was()
    {
        StoreHeader header = TestStore.HeaderAt(42);
        BucketRecord[] buckets =
        [
            new(new BucketId(3, -5), 7, 7, 9),
            new(new BucketId(0, 1), 8, -1, 0),
        ];
        StoreHeader? read = HeaderCodec.TryRead(
            HeaderCodec.Write(3, header, buckets).Span,
            out ImmutableArray<BucketRecord> records,
            out int? partition
        );
        read.ShouldBeEquivalentTo(header);
        records.ShouldBe(buckets);
        partition.ShouldBe(3);
    }

    [Fact]
    public void A_header_of_version_1_names_no_partition_and_is_read_as_before()
    {
        byte[] written = HeaderCodec
            .Write(3, TestStore.HeaderAt(42), [new(new BucketId(3, -5), 7, 7, 9)])
            .ToArray();
        byte[] old = [1, .. written[1..^12], .. new byte[8]];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64LittleEndian(
            old.AsSpan(old.Length - 8),
            HeaderCodec.Checksum(old.AsSpan(0, old.Length - 8))
        );
        StoreHeader? read = HeaderCodec.TryRead(
            old,
            out ImmutableArray<BucketRecord> records,
            out int? partition
        );
        read.ShouldBeEquivalentTo(TestStore.HeaderAt(42));
        records.Length.ShouldBe(1);
        partition.ShouldBeNull();
    }

    [Fact]
    public void A_header_with_any_byte_changed_or_cut_off_is_refused()
    {
        byte[] bytes = HeaderCodec
            .Write(3, TestStore.HeaderAt(42), [new(new BucketId(3, -5), 7, 7, 9)])
            .ToArray();
        for (int i = 0; i < bytes.Length; i++)
        {
            HeaderCodec.TryRead(bytes.AsSpan(0, i), out _, out _).ShouldBeNull();
            bytes[i] ^= 0x10;
            HeaderCodec.TryRead(bytes, out _, out _).ShouldBeNull();
            bytes[i] ^= 0x10;
        }
    }

    [Fact]
    public void A_hostile_header_with_a_right_checksum_is_refused_without_an_exception() =>
        Prop.ForAll<byte[]>(static body =>
            {
                byte[] bytes = [HeaderCodec.Version, .. body, .. new byte[8]];
                System.Buffers.Binary.BinaryPrimitives.WriteUInt64LittleEndian(
                    bytes.AsSpan(bytes.Length - 8),
                    HeaderCodec.Checksum(bytes.AsSpan(0, bytes.Length - 8))
                );
                return HeaderCodec.TryRead(bytes, out _, out _) is null;
            })
            .QuickCheckThrowOnFailure();

    [Fact]
    public void Rows_are_sorted_by_key_whether_or_not_the_keys_are_even() =>
        Prop.ForAll<ulong[], bool>(
                static (keys, isHashed) =>
                {
                    using var pool = new RowPool();
                    using var table = new RecentTable(pool);
                    using var sorter = new KeySorter();
                    var bucket = new BucketState(new BucketId(0, 0));
                    foreach (
                        ulong key in keys.Concat(
                            keys.Length > 0
                                ? Enumerable.Range(0, 200).Select(i => keys[0] + (ulong)(i / 3))
                                : []
                        )
                    )
                    {
                        EventKey made = isHashed
                            ? TestStore.KeyOf((long)key)
                            : new EventKey(key, ~key >> 3);
                        _ = table.Add(made, default, bucket);
                        _ = table.Add(new EventKey(made.High, made.Low + 1), default, bucket);
                    }

                    var ends = new int[table.Buckets.Count];
                    sorter.Group(table, ends);
                    EventKey[] sorted =
                    [
                        .. sorter
                            .Sort(table, 0, table.Count)
                            .ToArray()
                            .Select(i => table[(int)i.Row].Key),
                    ];
                    return sorted.SequenceEqual(sorted.Distinct().Order())
                        && sorted.Length == table.Count;
                }
            )
            .QuickCheckThrowOnFailure();
}
