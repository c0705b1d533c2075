using System.Buffers.Binary;

namespace Dedup.Contracts.Changelog;

/// <summary>A bucket of a window class: all entries whose expiry lies in one stretch of event time.</summary>
/// <param name="Class">Number of the window class, 0 for the default window.</param>
/// <param name="Index">Expiry divided by the class's bucket width, rounded down.</param>
public readonly record struct BucketId(ushort Class, long Index) : IComparable<BucketId>
{
    /// <inheritdoc/>
    public int CompareTo(BucketId other) =>
        Class != other.Class ? Class.CompareTo(other.Class) : Index.CompareTo(other.Index);

    /// <summary>Order by class, then index.</summary>
    public static bool operator <(BucketId left, BucketId right) => left.CompareTo(right) < 0;

    /// <summary>Order by class, then index.</summary>
    public static bool operator >(BucketId left, BucketId right) => left.CompareTo(right) > 0;

    /// <summary>Order by class, then index.</summary>
    public static bool operator <=(BucketId left, BucketId right) => left.CompareTo(right) <= 0;

    /// <summary>Order by class, then index.</summary>
    public static bool operator >=(BucketId left, BucketId right) => left.CompareTo(right) >= 0;

    /// <summary>For example <c>0/482013</c>.</summary>
    public override string ToString() => $"{Class}/{Index}";
}

/// <summary>The key of a changelog record that carries IDs. Sequence numbers never repeat within a bucket, so compaction keeps every chunk.</summary>
/// <remarks>
/// <code>
/// 0      1       3               11               19
/// | 0x01 | class | bucket index  | sequence       |   big-endian
/// </code>
/// </remarks>
/// <param name="Bucket">The bucket.</param>
/// <param name="Sequence">Number of the chunk within the bucket, from 0.</param>
public readonly record struct ChunkKey(BucketId Bucket, long Sequence)
{
    /// <summary>First byte of a chunk's key.</summary>
    public const byte Kind = 0x01;

    /// <summary>Size in bytes.</summary>
    public const int Size = 19;

    /// <summary>Writes the key into the first 19 bytes of <paramref name="target"/>.</summary>
    public void Write(Span<byte> target)
    {
        target[0] = Kind;
        BinaryPrimitives.WriteUInt16BigEndian(target[1..], Bucket.Class);
        BinaryPrimitives.WriteInt64BigEndian(target[3..], Bucket.Index);
        BinaryPrimitives.WriteInt64BigEndian(target[11..], Sequence);
    }

    /// <summary>Reads a key; false when the bytes are not a chunk's key.</summary>
    public static bool TryRead(ReadOnlySpan<byte> source, out ChunkKey key)
    {
        key = default;
        if (source.Length != Size || source[0] != Kind)
        {
            return false;
        }

        key = new ChunkKey(
            new BucketId(
                BinaryPrimitives.ReadUInt16BigEndian(source[1..]),
                BinaryPrimitives.ReadInt64BigEndian(source[3..])
            ),
            BinaryPrimitives.ReadInt64BigEndian(source[11..])
        );
        return true;
    }
}
