using System.Buffers;
using System.Collections.Immutable;
using Dedup.Contracts.Changelog;
using Dedup.Contracts.Identity;
using FsCheck;
using FsCheck.Fluent;
using Shouldly;

namespace Contracts.Tests.Changelog;

/// <summary>What is written can be read, and nothing that is read can throw.</summary>
public sealed class CodecTests
{
    private static readonly Config Many = Config.QuickThrowOnFailure.WithMaxTest(2_000);

    /// <summary>Numbers of every length: FsCheck's own stay so small that a varint of them is one byte.</summary>
    private static readonly Arbitrary<ulong> Wide = Gen.Zip(
            Gen.Choose(0, 64),
            Gen.Zip(Gen.Choose(int.MinValue, int.MaxValue), Gen.Choose(int.MinValue, int.MaxValue))
        )
        .Select(static t =>
        {
            ulong bits = ((ulong)(uint)t.Item2.Item1 << 32) | (uint)t.Item2.Item2;
            return t.Item1 == 0 ? 0 : bits >> (64 - t.Item1);
        })
        .ToArbitrary();

    [Fact]
    public void A_varint_reads_back_and_says_its_length() =>
        Prop.ForAll(
                Wide,
                static value =>
                {
                    Span<byte> bytes = stackalloc byte[Varint.MaxSize];
                    int written = Varint.Write(bytes, value);
                    int read = Varint.Read(bytes[..written], out ulong back);
                    return back == value
                        && read == written
                        && Varint.Read(bytes[..(written - 1)], out _) == 0;
                }
            )
            .Check(Many);

    [Fact]
    public void Zigzag_is_its_own_way_back() =>
        Prop.ForAll(
                Wide,
                static v =>
                    Varint.UnZigZag(Varint.ZigZag((long)v)) == (long)v
                    && Varint.UnZigZag(Varint.ZigZag(-(long)v)) == -(long)v
            )
            .Check(Many);

    [Theory]
    [InlineData(0UL, "00")]
    [InlineData(0x7FUL, "7F")]
    [InlineData(0x80UL, "8001")]
    [InlineData(300UL, "AC02")]
    [InlineData(ulong.MaxValue, "FFFFFFFFFFFFFFFFFF01")]
    public void A_varint_is_written_as_Protocol_Buffers_writes_it(ulong value, string hex)
    {
        Span<byte> bytes = stackalloc byte[Varint.MaxSize];
        Convert.ToHexString(bytes[..Varint.Write(bytes, value)]).ShouldBe(hex);
    }

    [Fact]
    public void A_varint_of_ten_bytes_reads_the_64th_bit()
    {
        Varint
            .Read([0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01], out ulong value)
            .ShouldBe(10);
        value.ShouldBe(1UL << 63);
    }

    [Theory]
    [InlineData(new byte[] { 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02 })]
    [InlineData(new byte[] { 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01 })]
    [InlineData(new byte[] { })]
    public void A_varint_of_more_than_64_bits_is_refused(byte[] bytes) =>
        Varint.Read(bytes, out _).ShouldBe(0);

    [Fact]
    public void A_chunk_reads_back_entry_by_entry() =>
        Prop.ForAll(
                Rows,
                ArbMap.Default.ArbFor<bool>(),
                static (rows, rich) =>
                {
                    byte[] bytes = new byte[
                        ChunkWriter.HeaderSize + (rows.Length * ChunkWriter.MaxEntrySize)
                    ];
                    var writer = new ChunkWriter(
                        bytes,
                        rows.Length == 0 ? 0 : rows[0].Item3,
                        rich,
                        rich
                    );
                    foreach (
                        (
                            ulong high,
                            ulong low,
                            long seen,
                            long offset,
                            uint tag,
                            ulong print
                        ) in rows
                    )
                    {
                        if (
                            !writer.TryAdd(
                                new EventKey(high, low),
                                new SeenEntry(seen, offset, print, tag)
                            )
                        )
                        {
                            return false;
                        }
                    }

                    var reader = new ChunkReader(bytes.AsSpan(0, writer.Length));
                    foreach (
                        (
                            ulong high,
                            ulong low,
                            long seen,
                            long offset,
                            uint tag,
                            ulong print
                        ) in rows
                    )
                    {
                        var expected = new SeenEntry(
                            seen,
                            offset,
                            rich ? print : 0,
                            rich ? tag : 0
                        );
                        if (
                            !reader.TryNext(out EventKey key, out SeenEntry entry)
                            || key != new EventKey(high, low)
                            || entry != expected
                        )
                        {
                            return false;
                        }
                    }

                    return !reader.TryNext(out _, out _)
                        && !reader.IsCorrupt
                        && reader.Count == rows.Length;
                }
            )
            .Check(Many);

    [Fact]
    public void A_chunk_of_the_shortest_entries_is_read_and_a_count_that_cannot_be_true_is_not()
    {
        byte[] bytes = new byte[4096];
        var writer = new ChunkWriter(bytes, 0, withTags: false, withFingerprints: false);
        for (int i = 0; i < 50; i++)
        {
            writer.TryAdd(new EventKey((ulong)i, 0), new SeenEntry(0, 0, 0, 0)).ShouldBeTrue();
        }

        // 16 bytes of key and one each for time and offset.
        writer.Length.ShouldBe(ChunkWriter.HeaderSize + (50 * 18));
        Span<byte> written = bytes.AsSpan(0, writer.Length);
        var reader = new ChunkReader(written);
        reader.IsCorrupt.ShouldBeFalse();
        reader.Count.ShouldBe(50);
        foreach (int lie in new[] { 51, -1, int.MaxValue, int.MinValue })
        {
            System.Buffers.Binary.BinaryPrimitives.WriteInt32LittleEndian(written[2..], lie);
            var liar = new ChunkReader(written);
            liar.IsCorrupt.ShouldBeTrue();
            liar.TryNext(out _, out _).ShouldBeFalse();
        }
    }

    [Fact]
    public void A_chunk_with_nothing_in_it_is_read_from_memory_that_was_used_before()
    {
        byte[] bytes = new byte[256];
        Array.Fill(bytes, (byte)0xEE);
        var writer = new ChunkWriter(bytes, 7, withTags: true, withFingerprints: false);
        var reader = new ChunkReader(bytes.AsSpan(0, writer.Length));
        reader.Count.ShouldBe(0);
        reader.IsCorrupt.ShouldBeFalse();
    }

    [Theory]
    [InlineData(16)]
    [InlineData(17)]
    public void An_entry_whose_varint_never_ends_is_corrupt(int badByte)
    {
        byte[] hostile = new byte[ChunkWriter.HeaderSize + 40];
        hostile[0] = ChunkWriter.Version;
        hostile[2] = 1;
        hostile.AsSpan(ChunkWriter.HeaderSize + badByte).Fill(0xFF);
        var reader = new ChunkReader(hostile);
        reader.TryNext(out _, out _).ShouldBeFalse();
        reader.IsCorrupt.ShouldBeTrue();
    }

    [Fact]
    public void A_chunk_that_is_full_refuses_the_entry_and_stays_whole()
    {
        byte[] bytes = new byte[ChunkWriter.HeaderSize + ChunkWriter.MaxEntrySize];
        var writer = new ChunkWriter(bytes, 0, withTags: false, withFingerprints: false);
        writer.TryAdd(new EventKey(1, 2), new SeenEntry(3, 4, 0, 0)).ShouldBeTrue();
        int length = writer.Length;
        writer.TryAdd(new EventKey(5, 6), new SeenEntry(7, 8, 0, 0)).ShouldBeFalse();
        writer.Length.ShouldBe(length);
        new ChunkReader(bytes.AsSpan(0, length)).Count.ShouldBe(1);
    }

    [Fact]
    public void A_chunk_cut_short_is_corrupt_and_gives_only_whole_entries()
    {
        byte[] bytes = new byte[4096];
        var writer = new ChunkWriter(bytes, 1_000, withTags: true, withFingerprints: true);
        for (int i = 0; i < 20; i++)
        {
            writer
                .TryAdd(new EventKey((ulong)i, 1), new SeenEntry(1_000 + i, i * 3, 9, 9))
                .ShouldBeTrue();
        }

        for (int length = 0; length < writer.Length; length++)
        {
            var reader = new ChunkReader(bytes.AsSpan(0, length));
            int count = 0;
            while (reader.TryNext(out EventKey key, out SeenEntry entry))
            {
                key.High.ShouldBe((ulong)count);
                entry.SourceOffset.ShouldBe(count * 3);
                count++;
            }

            reader.IsCorrupt.ShouldBeTrue();
            count.ShouldBeLessThan(20);
        }
    }

    [Fact]
    public void Hostile_bytes_never_throw() =>
        Prop.ForAll(
                ArbMap.Default.ArbFor<byte[]>(),
                static bytes =>
                {
                    // Version and flags made right, so that the inner parts are reached too.
                    byte[] near = [ChunkWriter.Version, 3, .. bytes];
                    foreach (byte[] source in new[] { bytes, near })
                    {
                        var reader = new ChunkReader(source);
                        while (reader.TryNext(out _, out _)) { }

                        _ = MarkerCodec.TryRead(source);
                        _ = ChunkKey.TryRead(source, out _);
                    }

                    return true;
                }
            )
            .Check(Many);

    /// <summary>Entries with numbers of every length.</summary>
    private static Arbitrary<(ulong, ulong, long, long, uint, ulong)[]> Rows =>
        Gen.Zip(
                Wide.Generator,
                Gen.Zip(
                    Wide.Generator,
                    Gen.Zip(
                        Wide.Generator,
                        Gen.Zip(Wide.Generator, Gen.Zip(Wide.Generator, Wide.Generator))
                    )
                )
            )
            .Select(static t =>
                (
                    t.Item1,
                    t.Item2.Item1,
                    (long)t.Item2.Item2.Item1,
                    (long)t.Item2.Item2.Item2.Item1,
                    (uint)t.Item2.Item2.Item2.Item2.Item1,
                    t.Item2.Item2.Item2.Item2.Item2
                )
            )
            .ArrayOf()
            .ToArbitrary();

    [Fact]
    public void Chunk_keys_sort_as_their_bytes_do() =>
        Prop.ForAll(
                ArbMap.Default.ArbFor<(ushort, uint, uint)>(),
                ArbMap.Default.ArbFor<(ushort, uint, uint)>(),
                static (a, b) =>
                {
                    byte[] first = KeyBytes(a);
                    byte[] second = KeyBytes(b);
                    ChunkKey.TryRead(first, out ChunkKey back).ShouldBeTrue();
                    back.ShouldBe(new ChunkKey(new BucketId(a.Item1, a.Item2), a.Item3));
                    int expected = (a.Item1, a.Item2, a.Item3).CompareTo(
                        (b.Item1, b.Item2, b.Item3)
                    );
                    return Math.Sign(first.AsSpan().SequenceCompareTo(second))
                        == Math.Sign(expected);
                }
            )
            .Check(Many);

    [Fact]
    public void Bytes_of_another_length_or_kind_are_no_chunk_key_and_leave_nothing_behind()
    {
        byte[] good = KeyBytes((1, 2, 3));
        byte[] kind = [0x02, .. good[1..]];
        foreach (byte[] bad in new[] { good[..^1], [.. good, 0], kind, [] })
        {
            ChunkKey.TryRead(bad, out ChunkKey key).ShouldBeFalse();
            key.ShouldBe(default);
        }
    }

    private static byte[] KeyBytes((ushort Class, uint Index, uint Sequence) parts)
    {
        byte[] bytes = new byte[ChunkKey.Size];
        new ChunkKey(new BucketId(parts.Class, parts.Index), parts.Sequence).Write(bytes);
        return bytes;
    }
}
