namespace Dedup.Topology.Identify.Json;

/// <summary>The text of a JSON string.</summary>
/// <remarks>
/// Unescaped text is UTF-8, with one addition: an escaped surrogate without its partner becomes the three bytes that UTF-8 would
/// give it (WTF-8). Raw text cannot contain those bytes, so two different strings never unescape to the same bytes.
/// </remarks>
internal static class JsonText
{
    /// <summary>
    /// Unescapes a string that the scanner has accepted. The result is never longer than the source.
    /// </summary>
    /// <returns>Length of the result.</returns>
    public static int Unescape(ReadOnlySpan<byte> source, Span<byte> target)
    {
        int from = 0;
        int to = 0;
        while (from < source.Length)
        {
            int run = source[from..].IndexOf((byte)'\\');
            run = run < 0 ? source.Length - from : run;
            source.Slice(from, run).CopyTo(target[to..]);
            from += run;
            to += run;
            if (from < source.Length)
            {
                to += WriteUtf8(NextEscape(source, ref from), target[to..]);
            }
        }

        return to;
    }

    /// <summary>Whether an escaped string has that text.</summary>
    public static bool EscapedEquals(ReadOnlySpan<byte> escaped, ReadOnlySpan<byte> text)
    {
        Span<byte> utf8 = stackalloc byte[4];
        int from = 0;
        while (from < escaped.Length)
        {
            int length;
            if (escaped[from] == (byte)'\\')
            {
                length = WriteUtf8(NextEscape(escaped, ref from), utf8);
            }
            else
            {
                utf8[0] = escaped[from++];
                length = 1;
            }

            if (!text.StartsWith(utf8[..length]))
            {
                return false;
            }

            text = text[length..];
        }

        return text.IsEmpty;
    }

    /// <summary>Reads an escape, of surrogate pairs both halves; the code point may be a lone surrogate.</summary>
    public static int NextEscape(ReadOnlySpan<byte> source, ref int from)
    {
        byte kind = source[from + 1];
        if (kind != (byte)'u')
        {
            from += 2;
            return kind switch
            {
                (byte)'b' => '\b',
                (byte)'f' => '\f',
                (byte)'n' => '\n',
                (byte)'r' => '\r',
                (byte)'t' => '\t',
                _ => kind,
            };
        }

        int unit = Hex4(source[(from + 2)..]);
        from += 6;
        if (
            unit is >= 0xD800 and < 0xDC00
            && source.Length - from >= 6
            && source[from] == (byte)'\\'
            && source[from + 1] == (byte)'u'
        )
        {
            int low = Hex4(source[(from + 2)..]);
            if (low is >= 0xDC00 and < 0xE000)
            {
                from += 6;
                return 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
            }
        }

        return unit;
    }

    /// <summary>Writes a code point, also a lone surrogate, in the form of UTF-8.</summary>
    public static int WriteUtf8(int codePoint, Span<byte> target)
    {
        switch (codePoint)
        {
            case < 0x80:
                target[0] = (byte)codePoint;
                return 1;
            case < 0x800:
                target[0] = (byte)(0xC0 | (codePoint >> 6));
                target[1] = (byte)(0x80 | (codePoint & 0x3F));
                return 2;
            case < 0x10000:
                target[0] = (byte)(0xE0 | (codePoint >> 12));
                target[1] = (byte)(0x80 | ((codePoint >> 6) & 0x3F));
                target[2] = (byte)(0x80 | (codePoint & 0x3F));
                return 3;
            default:
                target[0] = (byte)(0xF0 | (codePoint >> 18));
                target[1] = (byte)(0x80 | ((codePoint >> 12) & 0x3F));
                target[2] = (byte)(0x80 | ((codePoint >> 6) & 0x3F));
                target[3] = (byte)(0x80 | (codePoint & 0x3F));
                return 4;
        }
    }

    private static int Hex4(ReadOnlySpan<byte> hex)
    {
        int value = 0;
        for (int i = 0; i < 4; i++)
        {
            int digit = hex[i] <= '9' ? hex[i] - '0' : (hex[i] | 0x20) - 'a' + 10;
            value = (value << 4) | digit;
        }

        return value;
    }
}
