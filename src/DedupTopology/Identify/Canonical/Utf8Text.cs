namespace Dedup.Topology.Identify.Canonical;

/// <summary>Reads UTF-8 that has been checked.</summary>
internal static class Utf8Text
{
    /// <summary>Reads the first code point; the result is its length in bytes.</summary>
    public static int Read(ReadOnlySpan<byte> text, out int codePoint)
    {
        byte first = text[0];
        switch (first)
        {
            case < 0x80:
                codePoint = first;
                return 1;
            case < 0xE0:
                codePoint = ((first & 0x1F) << 6) | (text[1] & 0x3F);
                return 2;
            case < 0xF0:
                codePoint = ((first & 0x0F) << 12) | ((text[1] & 0x3F) << 6) | (text[2] & 0x3F);
                return 3;
            default:
                codePoint =
                    ((first & 0x07) << 18)
                    | ((text[1] & 0x3F) << 12)
                    | ((text[2] & 0x3F) << 6)
                    | (text[3] & 0x3F);
                return 4;
        }
    }
}
