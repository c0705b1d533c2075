using System.Buffers;
using System.Collections.Immutable;
using Dedup.Contracts.Changelog;
using Dedup.Contracts.Identity;
using FsCheck;
using FsCheck.Fluent;
using Shouldly;

namespace Contracts.Tests.Changelog;

/// <summary>A marker is read whole or not at all.</summary>
public sealed class MarkerTests
{
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
    public void Only_the_one_zero_byte_is_the_markers_key()
    {
        MarkerCodec.IsMarkerKey(MarkerCodec.Key).ShouldBeTrue();
        MarkerCodec.IsMarkerKey([]).ShouldBeFalse();
        MarkerCodec.IsMarkerKey([0x01]).ShouldBeFalse();
        MarkerCodec.IsMarkerKey([0x00, 0x00]).ShouldBeFalse();
        MarkerCodec.IsMarkerKey(new byte[ChunkKey.Size]).ShouldBeFalse();
    }

    [Fact]
    public void A_marker_that_is_cut_or_goes_on_is_not_read_though_its_checksum_is_right()
    {
        byte[] body = Bytes(Sample())[..^4];
        for (int length = 1; length < body.Length; length++)
        {
            MarkerCodec.TryRead(WithChecksum(body[..length])).ShouldBeNull();
        }

        MarkerCodec.TryRead(WithChecksum([.. body, 0])).ShouldBeNull();
        MarkerCodec.TryRead(WithChecksum(body)).ShouldNotBeNull();
    }

    [Fact]
    public void A_text_that_its_length_field_cannot_hold_is_refused_not_cut() =>
        Should.Throw<OverflowException>(static () =>
            Bytes(Sample() with { Writer = new string('x', 65_536) })
        );

    private static byte[] WithChecksum(byte[] body)
    {
        uint hash = 2166136261;
        foreach (byte b in body)
        {
            hash = (hash ^ b) * 16777619;
        }

        return [.. body, .. BitConverter.GetBytes(hash)];
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

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_marker_with_usage_by_tenant_reads_back_with_and_without_sources(bool withSources)
    {
        var usage = new MarkerUsage(
            [new BucketId(0, -3), new BucketId(65_535, long.MaxValue)],
            new MarkerTenant(default, 9, 8, 7, 6, [5, 0]),
            [
                new MarkerTenant("acme"u8.ToArray(), 1, 1, 0, 0, [0, 1], -77, 1_700_000_000_000),
                new MarkerTenant(new byte[] { 0xFF, 0 }, long.MaxValue, 0, 0, 3, [0, 0], 5, 0),
            ]
        );
        MarkerSources? sources = withSources ? new MarkerSources([], []) : null;
        byte[] bytes = Bytes(Sample() with { Usage = usage, Sources = sources });
        bytes[0].ShouldBe(MarkerCodec.VersionWithUsage);
        Marker marker = MarkerCodec.TryRead(bytes).ShouldNotBeNull();
        (marker.Sources is not null).ShouldBe(withSources);
        MarkerUsage back = marker.Usage.ShouldNotBeNull();
        back.Buckets.ShouldBe(usage.Buckets);
        MarkerTenant[] read = [back.Others, .. back.Tenants];
        MarkerTenant[] written = [usage.Others, .. usage.Tenants];
        for (int i = 0; i < written.Length; i++)
        {
            read[i].Name.ToArray().ShouldBe(written[i].Name.ToArray());
            read[i].Held.ShouldBe(written[i].Held);
            (read[i] with { Name = default, Held = written[i].Held }).ShouldBe(
                written[i] with
                {
                    Name = default,
                }
            );
        }

        for (int length = 0; length < bytes.Length; length++)
        {
            MarkerCodec.TryRead(bytes.AsSpan(0, length)).ShouldBeNull();
        }
    }

    [Fact]
    public void Usage_never_throws_on_hostile_bytes_and_sizes_no_memory_by_them() =>
        Prop.ForAll<byte[]>(static bytes =>
            {
                _ = UsageCodec.TryRead(bytes);
                return UsageCodec.TryRead([0xFF, 0xFF, 0xFF, 0xFF, 0x0F, .. bytes]) is null;
            })
            .QuickCheckThrowOnFailure();

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
