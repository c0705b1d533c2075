using Dedup.Topology.Identify.Json;

namespace Dedup.Topology.Identify.Canonical;

/// <summary>Writes strings in canonical form.</summary>
internal static class CanonicalString
{
    /// <summary>
    /// Writes a string with its quotes. False when it has a lone surrogate that the style cannot write (Python without
    /// ensure_ascii, where Python itself fails to encode): it stands there as no UTF-8, unless it is dropped later on.
    /// </summary>
    /// <param name="buffers">Where to.</param>
    /// <param name="source">What stands between the quotes; its UTF-8 and escapes have been checked.</param>
    /// <param name="escaped">Whether it has escapes.</param>
    /// <param name="ascii">Whether it is ASCII as it stands.</param>
    /// <param name="style">How.</param>
    public static bool Write(
        CanonicalBuffers buffers,
        ReadOnlySpan<byte> source,
        bool escaped,
        bool ascii,
        CanonicalStyle style
    )
    {
        // What needs an escape can only have come in as one: a string without escapes is canonical as it stands.
        if (!escaped && (!style.EnsureAscii || (ascii && !source.Contains((byte)0x7F))))
        {
            Span<byte> target = buffers.Reserve(source.Length + 2);
            target[0] = (byte)'"';
            source.CopyTo(target[1..]);
            target[source.Length + 1] = (byte)'"';
            buffers.Length += source.Length + 2;
            return true;
        }

        buffers.Put((byte)'"');
        bool valid = Rewrite(buffers, source, style);
        buffers.Put((byte)'"');
        return valid;
    }

    private static bool Rewrite(
        CanonicalBuffers buffers,
        ReadOnlySpan<byte> source,
        CanonicalStyle style
    )
    {
        int at = 0;
        bool valid = true;
        while (at < source.Length)
        {
            if (source[at] == (byte)'\\')
            {
                int codePoint = JsonText.NextEscape(source, ref at);
                valid &= WriteCodePoint(buffers, codePoint, style);
            }
            else if (style.EnsureAscii && source[at] >= 0x7F)
            {
                at += Utf8Text.Read(source[at..], out int codePoint);
                WriteUnits(buffers, codePoint);
            }
            else
            {
                buffers.Put(source[at++]);
            }
        }

        return valid;
    }

    private static bool WriteCodePoint(
        CanonicalBuffers buffers,
        int codePoint,
        CanonicalStyle style
    )
    {
        byte shortForm = codePoint switch
        {
            '"' => (byte)'"',
            '\\' => (byte)'\\',
            '\b' => (byte)'b',
            '\f' => (byte)'f',
            '\n' => (byte)'n',
            '\r' => (byte)'r',
            '\t' => (byte)'t',
            _ => 0,
        };
        if (shortForm != 0)
        {
            buffers.Put((byte)'\\');
            buffers.Put(shortForm);
            return true;
        }

        bool isSurrogate = codePoint is >= 0xD800 and < 0xE000;
        if (
            codePoint < 0x20
            || (style.EnsureAscii && codePoint >= 0x7F)
            || (isSurrogate && !style.IsPython)
        )
        {
            // RFC 8785 has no form for a lone surrogate; this is the one of JavaScript's well-formed JSON.stringify.
            WriteUnits(buffers, codePoint);
            return true;
        }

        buffers.Length += JsonText.WriteUtf8(codePoint, buffers.Reserve(4));
        return !isSurrogate;
    }

    private static void WriteUnits(CanonicalBuffers buffers, int codePoint)
    {
        if (codePoint >= 0x10000)
        {
            WriteUnit(buffers, 0xD800 | ((codePoint - 0x10000) >> 10));
            WriteUnit(buffers, 0xDC00 | ((codePoint - 0x10000) & 0x3FF));
        }
        else
        {
            WriteUnit(buffers, codePoint);
        }
    }

    private static void WriteUnit(CanonicalBuffers buffers, int unit)
    {
        Span<byte> target = buffers.Reserve(6);
        ReadOnlySpan<byte> hex = "0123456789abcdef"u8;
        target[0] = (byte)'\\';
        target[1] = (byte)'u';
        target[2] = hex[(unit >> 12) & 15];
        target[3] = hex[(unit >> 8) & 15];
        target[4] = hex[(unit >> 4) & 15];
        target[5] = hex[unit & 15];
        buffers.Length += 6;
    }
}
