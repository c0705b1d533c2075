using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Immutable;
using Dedup.Contracts.Changelog;
using Dedup.Topology.Ports;

namespace Dedup.RocksDb.Seal;

/// <summary>What the header says of a bucket's key log.</summary>
/// <param name="Id">The bucket.</param>
/// <param name="Entries">IDs in the bucket.</param>
/// <param name="Keys">Keys in its log; -1 when the log was not complete.</param>
/// <param name="Checksum">Checksum over them.</param>
internal readonly record struct BucketRecord(BucketId Id, long Entries, long Keys, ulong Checksum);

/// <summary>The store's header: what it is, up to where it is complete, and what its key logs must contain.</summary>
/// <remarks>
/// <code>
/// version 2 | floor i64 | u32 n, n bytes: marker as in the changelog
/// | u32 n, n x (class u16 | index i64 | entries i64 | keys i64 | checksum u64) | partition i32
/// | checksum u64 over all before                                                    numbers little-endian
/// </code>
/// Version 1 had no partition: stores of two partitions that somebody had swapped went unnoticed, and what was below the floor
/// of one of them was forgotten.
/// </remarks>
internal static class HeaderCodec
{
    /// <summary>Version written by this code.</summary>
    public const byte Version = 2;

    private const byte WithoutPartition = 1;
    private const int BucketSize = 2 + (4 * 8);

    /// <summary>Key in the default column family.</summary>
    public static ReadOnlySpan<byte> Key => "header"u8;

    /// <summary>The header's bytes.</summary>
    /// <param name="partition">Input partition whose store this is.</param>
    /// <param name="header">Marker and floor.</param>
    /// <param name="buckets">What its key logs must contain.</param>
    public static ReadOnlyMemory<byte> Write(
        int partition,
        StoreHeader header,
        ReadOnlySpan<BucketRecord> buckets
    )
    {
        var marker = new ArrayBufferWriter<byte>(1024);
        MarkerCodec.Write(header.Marker, marker);
        var target = new byte[
            1 + 8 + 4 + marker.WrittenCount + 4 + (buckets.Length * BucketSize) + 4 + 8
        ];
        target[0] = Version;
        BinaryPrimitives.WriteInt64LittleEndian(target.AsSpan(1), header.Floor);
        BinaryPrimitives.WriteInt32LittleEndian(target.AsSpan(9), marker.WrittenCount);
        marker.WrittenSpan.CopyTo(target.AsSpan(13));
        int n = 13 + marker.WrittenCount;
        BinaryPrimitives.WriteInt32LittleEndian(target.AsSpan(n), buckets.Length);
        n += 4;
        foreach (BucketRecord b in buckets)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(target.AsSpan(n), b.Id.Class);
            BinaryPrimitives.WriteInt64LittleEndian(target.AsSpan(n + 2), b.Id.Index);
            BinaryPrimitives.WriteInt64LittleEndian(target.AsSpan(n + 10), b.Entries);
            BinaryPrimitives.WriteInt64LittleEndian(target.AsSpan(n + 18), b.Keys);
            BinaryPrimitives.WriteUInt64LittleEndian(target.AsSpan(n + 26), b.Checksum);
            n += BucketSize;
        }

        BinaryPrimitives.WriteInt32LittleEndian(target.AsSpan(n), partition);
        n += 4;
        BinaryPrimitives.WriteUInt64LittleEndian(target.AsSpan(n), Checksum(target.AsSpan(0, n)));
        return target;
    }

    /// <summary>Reads a header; null when the bytes are not one. Never throws.</summary>
    /// <param name="source">The bytes.</param>
    /// <param name="buckets">What the key logs must contain.</param>
    /// <param name="partition">Input partition whose store it is; null when it was written without one.</param>
    public static StoreHeader? TryRead(
        ReadOnlySpan<byte> source,
        out ImmutableArray<BucketRecord> buckets,
        out int? partition
    )
    {
        buckets = [];
        partition = null;
        if (source.Length < 1 + 8 + 4 + 4 + 8 || source[0] is not (Version or WithoutPartition))
        {
            return null;
        }

        ReadOnlySpan<byte> body = source[..^8];
        if (BinaryPrimitives.ReadUInt64LittleEndian(source[^8..]) != Checksum(body))
        {
            return null;
        }

        long floor = BinaryPrimitives.ReadInt64LittleEndian(body[1..]);
        int markerLength = BinaryPrimitives.ReadInt32LittleEndian(body[9..]);
        if (markerLength < 0 || markerLength > body.Length - 13 - 4)
        {
            return null;
        }

        Marker? marker = MarkerCodec.TryRead(body.Slice(13, markerLength));
        ReadOnlySpan<byte> rest = body[(13 + markerLength)..];
        int count = BinaryPrimitives.ReadInt32LittleEndian(rest);
        rest = rest[4..];
        if (source[0] == Version)
        {
            if (rest.Length < 4)
            {
                return null;
            }

            partition = BinaryPrimitives.ReadInt32LittleEndian(rest[^4..]);
            rest = rest[..^4];
        }

        if (marker is null || count < 0 || (long)count * BucketSize != rest.Length)
        {
            return null;
        }

        var list = ImmutableArray.CreateBuilder<BucketRecord>(count);
        for (; rest.Length > 0; rest = rest[BucketSize..])
        {
            list.Add(
                new BucketRecord(
                    new BucketId(
                        BinaryPrimitives.ReadUInt16LittleEndian(rest),
                        BinaryPrimitives.ReadInt64LittleEndian(rest[2..])
                    ),
                    BinaryPrimitives.ReadInt64LittleEndian(rest[10..]),
                    BinaryPrimitives.ReadInt64LittleEndian(rest[18..]),
                    BinaryPrimitives.ReadUInt64LittleEndian(rest[26..])
                )
            );
        }

        buckets = list.MoveToImmutable();
        return new StoreHeader(marker, floor);
    }

    // FNV-1a with 64 bits: guards against tearing and bit flips, not against anyone.
    internal static ulong Checksum(ReadOnlySpan<byte> bytes)
    {
        ulong hash = 0xCBF2_9CE4_8422_2325;
        foreach (byte b in bytes)
        {
            hash = (hash ^ b) * 0x0000_0100_0000_01B3;
        }

        return hash;
    }
}
