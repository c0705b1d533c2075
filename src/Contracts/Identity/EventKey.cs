using System.Runtime.InteropServices;

namespace Dedup.Contracts.Identity;

/// <summary>
/// The 128-bit name under which an event is remembered: a keyed hash over (scope, ID), never the ID itself.
/// </summary>
/// <remarks>
/// <code>
/// 0        8        16
/// | High   | Low    |     written big-endian, so that byte order equals the order of CompareTo
/// </code>
/// 128 bits: two different IDs of 10^10 meet with probability 10^-19, and a meeting would be a lost event.
/// </remarks>
/// <param name="High">The first eight bytes of the hash.</param>
/// <param name="Low">The last eight bytes of the hash.</param>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
public readonly record struct EventKey(ulong High, ulong Low) : IComparable<EventKey>
{
    /// <summary>Size in bytes on disk and on the wire.</summary>
    public const int Size = 16;

    /// <summary>Writes the key big-endian into the first 16 bytes of <paramref name="target"/>.</summary>
    public void Write(Span<byte> target)
    {
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(target, High);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(target[8..], Low);
    }

    /// <summary>Reads a key from the first 16 bytes of <paramref name="source"/>.</summary>
    public static EventKey Read(ReadOnlySpan<byte> source) =>
        new(
            System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(source),
            System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(source[8..])
        );

    /// <inheritdoc/>
    public int CompareTo(EventKey other)
    {
        int high = High.CompareTo(other.High);
        return high != 0 ? high : Low.CompareTo(other.Low);
    }

    /// <summary>Order by bytes.</summary>
    public static bool operator <(EventKey left, EventKey right) => left.CompareTo(right) < 0;

    /// <summary>Order by bytes.</summary>
    public static bool operator >(EventKey left, EventKey right) => left.CompareTo(right) > 0;

    /// <summary>Order by bytes.</summary>
    public static bool operator <=(EventKey left, EventKey right) => left.CompareTo(right) <= 0;

    /// <summary>Order by bytes.</summary>
    public static bool operator >=(EventKey left, EventKey right) => left.CompareTo(right) >= 0;

    /// <summary>32 hex digits.</summary>
    public override string ToString() => $"{High:x16}{Low:x16}";
}
