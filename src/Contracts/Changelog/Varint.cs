namespace Dedup.Contracts.Changelog;

/// <summary>Base-128 varints, least significant group first, as in Protocol Buffers.</summary>
public static class Varint
{
    /// <summary>The most bytes that a 64-bit number takes.</summary>
    public const int MaxSize = 10;

    /// <summary>Maps signed numbers to unsigned ones so that small magnitudes stay small.</summary>
    public static ulong ZigZag(long value) => (ulong)(value << 1) ^ (ulong)(value >> 63);

    /// <summary>Undoes <see cref="ZigZag"/>.</summary>
    public static long UnZigZag(ulong value) => (long)(value >> 1) ^ -(long)(value & 1);

    /// <summary>Writes a number; returns the bytes written, 1 to 10.</summary>
    public static int Write(Span<byte> target, ulong value)
    {
        int n = 0;
        while (value >= 0x80)
        {
            target[n++] = (byte)(value | 0x80);
            value >>= 7;
        }

        target[n++] = (byte)value;
        return n;
    }

    /// <summary>Reads a number; returns the bytes read, 0 when the bytes are not a varint of at most 64 bits.</summary>
    public static int Read(ReadOnlySpan<byte> source, out ulong value)
    {
        value = 0;
        int end = Math.Min(source.Length, MaxSize);
        for (int i = 0; i < end; i++)
        {
            byte b = source[i];
            if (i == MaxSize - 1 && b > 1)
            {
                return 0;
            }

            value |= (ulong)(b & 0x7F) << (7 * i);
            if (b < 0x80)
            {
                return i + 1;
            }
        }

        return 0;
    }
}
