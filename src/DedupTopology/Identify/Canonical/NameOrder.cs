using Dedup.Topology.Identify.Json;

namespace Dedup.Topology.Identify.Canonical;

/// <summary>Order of member names that have escapes or characters beyond ASCII, read from their canonical, escaped form.</summary>
internal static class NameOrder
{
    /// <summary>Python's order of strings.</summary>
    public static int ByCodePoint(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        int i = 0;
        int j = 0;
        while (i < left.Length && j < right.Length)
        {
            int order = Next(left, ref i).CompareTo(Next(right, ref j));
            if (order != 0)
            {
                return order;
            }
        }

        return (i < left.Length).CompareTo(j < right.Length);
    }

    /// <summary>The order of RFC 8785, section 3.2.3: that of UTF-16 code units.</summary>
    public static int ByCodeUnit(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        int i = 0;
        int j = 0;
        int leftLow = 0;
        int rightLow = 0;
        while ((i < left.Length || leftLow != 0) && (j < right.Length || rightLow != 0))
        {
            int order = NextUnit(left, ref i, ref leftLow)
                .CompareTo(NextUnit(right, ref j, ref rightLow));
            if (order != 0)
            {
                return order;
            }
        }

        return (i < left.Length || leftLow != 0).CompareTo(j < right.Length || rightLow != 0);
    }

    private static int NextUnit(ReadOnlySpan<byte> text, ref int at, ref int low)
    {
        if (low != 0)
        {
            (int unit, low) = (low, 0);
            return unit;
        }

        int codePoint = Next(text, ref at);
        if (codePoint < 0x10000)
        {
            return codePoint;
        }

        low = 0xDC00 | ((codePoint - 0x10000) & 0x3FF);
        return 0xD800 | ((codePoint - 0x10000) >> 10);
    }

    /// <summary>Reads a code point of text whose UTF-8 and escapes have been checked.</summary>
    private static int Next(ReadOnlySpan<byte> text, ref int at)
    {
        byte b = text[at];
        if (b == (byte)'\\')
        {
            return JsonText.NextEscape(text, ref at);
        }

        int length = Utf8Text.Read(text[at..], out int codePoint);
        at += length;
        return codePoint;
    }
}
