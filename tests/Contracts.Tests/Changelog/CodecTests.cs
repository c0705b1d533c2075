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

    [Fact]
    public void A_varint_reads_back_and_says_its_length() =>
        Prop.ForAll(
                ArbMap.Default.ArbFor<ulong>(),
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
                ArbMap.Default.ArbFor<long>(),
                static v => Varint.UnZigZag(Varint.ZigZag(v)) == v
            )
            .Check(Many);

    [Theory]
    [InlineData(new byte[] { 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02 })]
    [InlineData(new byte[] { 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01 })]
    [InlineData(new byte[] { })]
    public void A_varint_of_more_than_64_bits_is_refused(byte[] bytes) =>
        Varint.Read(bytes, out _).ShouldBe(0);

    [Fact]
    public void A_chunk_reads_back_entry_by_entry() =>
        Prop.ForAll(
                ArbMap.Default.ArbFor<(ulong, ulong, long, long, uint, ulong)[]>(),
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
    public void An_event_key_is_ordered_as_its_bytes_are() =>
        Prop.ForAll(
                ArbMap.Default.ArbFor<(ulong, ulong)>(),
                ArbMap.Default.ArbFor<(ulong, ulong)>(),
                static (a, b) =>
                {
                    var first = new EventKey(a.Item1, a.Item2);
                    var second = new EventKey(b.Item1, b.Item2);
                    byte[] x = new byte[EventKey.Size];
                    byte[] y = new byte[EventKey.Size];
                    first.Write(x);
                    second.Write(y);
                    return EventKey.Read(x) == first
                        && Math.Sign(first.CompareTo(second))
                            == Math.Sign(x.AsSpan().SequenceCompareTo(y))
                        && first < second == x.AsSpan().SequenceCompareTo(y) < 0;
                }
            )
            .Check(Many);

    [Fact]
    public void A_marker_reads_back_whole()
    {
        Marker marker = Sample();
        Marker back = MarkerCodec.TryRead(Bytes(marker)).ShouldNotBeNull();
        // Arrays are compared by their elements; a record compares them by reference.
        back.Classes.ShouldBe(marker.Classes);
        back.Buckets.ShouldBe(marker.Buckets);
        back.Counts.ShouldBe(marker.Counts);
        (
            back with
            {
                Classes = marker.Classes,
                Buckets = marker.Buckets,
                Counts = marker.Counts,
            }
        ).ShouldBe(marker);
    }

    [Fact]
    public void A_marker_with_any_bit_flipped_is_not_read()
    {
        byte[] bytes = Bytes(Sample());
        for (int bit = 0; bit < bytes.Length * 8; bit++)
        {
            byte[] flipped = [.. bytes];
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            MarkerCodec.TryRead(flipped).ShouldBeNull();
        }
    }

    [Fact]
    public void Every_reason_has_a_name_of_its_own()
    {
        Reason[] reasons = Enum.GetValues<Reason>();
        reasons.Length.ShouldBe(ReasonText.Count);
        reasons.Select(ReasonText.Of).Distinct().Count().ShouldBe(ReasonText.Count);
    }

    private static byte[] KeyBytes((ushort Class, uint Index, uint Sequence) parts)
    {
        byte[] bytes = new byte[ChunkKey.Size];
        new ChunkKey(new BucketId(parts.Class, parts.Index), parts.Sequence).Write(bytes);
        return bytes;
    }

    private static byte[] Bytes(Marker marker)
    {
        var writer = new ArrayBufferWriter<byte>();
        MarkerCodec.Write(marker, writer);
        return writer.WrittenSpan.ToArray();
    }

    [Fact]
    public void A_marker_with_the_clocks_of_several_input_partitions_reads_back_and_one_without_is_as_it_was()
    {
        var sources = new MarkerSources(
            [new MarkerAttention(0, 77, 1_700_000_000_000), new MarkerAttention(1, 0, -1)],
            [new MarkerSource(0, 0, 1_600_000_000_000, 12), new MarkerSource(1, 65_535, -1, 0)]
        );
        byte[] bytes = Bytes(Sample() with { Sources = sources });
        bytes[0].ShouldBe(MarkerCodec.VersionWithSources);
        MarkerSources back = MarkerCodec.TryRead(bytes).ShouldNotBeNull().Sources.ShouldNotBeNull();
        back.Attention.ShouldBe(sources.Attention);
        back.Clocks.ShouldBe(sources.Clocks);
        for (int length = 0; length < bytes.Length; length++)
        {
            MarkerCodec.TryRead(bytes.AsSpan(0, length)).ShouldBeNull();
        }

        Bytes(Sample())[0].ShouldBe(MarkerCodec.Version);
        MarkerCodec.TryRead(Bytes(Sample())).ShouldNotBeNull().Sources.ShouldBeNull();
    }

    private static Marker Sample() =>
        new()
        {
            RecipeVersion = 0xDEAD_BEEF_0000_0001,
            ClusterId = "cluster-ü",
            InputTopicId = "topic-id",
            PartitionCount = 12,
            HashKey0 = ulong.MaxValue,
            HashKey1 = 7,
            InputOffset = 123_456_789_012,
            ControlPosition = 5,
            Writer = "dedup-orders-i1-0",
            Classes =
            [
                new MarkerClass(0, "", 86_400_000, 86_400_000, 24_685_715, 1_700_000_000_000),
                new MarkerClass(1, "order.*", 1, 0, 1, -1),
            ],
            Buckets =
            [
                new MarkerBucket(new BucketId(0, -3), 9, 0),
                new MarkerBucket(new BucketId(1, 70_000), long.MaxValue, 4),
            ],
            Counts = ImmutableArray.Create(
                new KeyValuePair<string, long>("consumed", 10),
                new KeyValuePair<string, long>("to.clean", 9)
            ),
        };
}
