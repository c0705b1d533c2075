using System.Globalization;
using System.Text;

namespace Dedup.Topology.Identify.Json;

/// <summary>Reads paths as RFC 9535 writes them; of its selectors, member and index.</summary>
public static class JsonPathParser
{
    /// <summary>Longest path: a hundred steps are more than any depth limit in use.</summary>
    public const int MaxSegments = 100;

    /// <summary>Parses a path.</summary>
    /// <param name="text">The path, <c>$.a.b[0]['c']</c>.</param>
    /// <param name="path">The result, null on an error.</param>
    /// <param name="error">What is wrong and what to write instead; empty when all is well.</param>
    public static bool TryParse(string text, out JsonPath? path, out string error)
    {
        path = null;
        Cursor cursor = new(text);
        if (text.Length == 0 || text[0] != '$')
        {
            error = $"a path begins with $: write $.{text.TrimStart('.')}";
            return false;
        }

        cursor.At = 1;
        List<JsonPathSegment> segments = [];
        error = "";
        while (error.Length == 0)
        {
            cursor.Blanks();
            if (cursor.IsAtEnd)
            {
                path = new JsonPath([.. segments]);
                return true;
            }

            error = cursor.Current switch
            {
                '.' => Dotted(cursor, segments),
                '[' => Bracketed(cursor, segments),
                _ => $"'{cursor.Current}' at column {cursor.At + 1}: a step begins with . or [",
            };
            if (segments.Count > MaxSegments)
            {
                error = $"more than {MaxSegments} steps";
            }
        }

        return false;
    }

    private static string Dotted(Cursor cursor, List<JsonPathSegment> segments)
    {
        cursor.At++;
        if (cursor.IsAtEnd)
        {
            return "a name is missing after the last dot";
        }

        if (cursor.Current == '.')
        {
            return ".. (descendants) is not supported, since it names many values: write the path to one value";
        }

        if (cursor.Current == '*')
        {
            return ".* (all members) is not supported, since it names many values: write the path to one value";
        }

        int start = cursor.At;
        while (!cursor.IsAtEnd && cursor.Current is not ('.' or '[' or ' '))
        {
            cursor.At++;
        }

        string name = cursor.Text[start..cursor.At];
        if (!JsonPath.IsShorthand(name))
        {
            return $"'{name}' cannot stand after a dot: write ['{name.Replace("'", "\\'", StringComparison.Ordinal)}']";
        }

        segments.Add(new JsonPathSegment(name));
        return "";
    }

    private static string Bracketed(Cursor cursor, List<JsonPathSegment> segments)
    {
        cursor.At++;
        cursor.Blanks();
        if (cursor.IsAtEnd)
        {
            return "] is missing at the end";
        }

        string error = cursor.Current switch
        {
            '\'' or '"' => Quoted(cursor, segments),
            '?' =>
                "[?…] (filter) is not supported, since it names many values: write a member or an index",
            '*' =>
                "[*] (all elements) is not supported, since it names many values: write an index, [0]",
            '-' =>
                "an index from the end is not supported, since a stream's end is not known: count from the start, [0]",
            >= '0' and <= '9' => Index(cursor, segments),
            ':' =>
                "[a:b] (slice) is not supported, since it names many values: write an index, [0]",
            _ =>
                $"'{cursor.Current}' at column {cursor.At + 1}: in brackets stands 'name' or an index",
        };
        if (error.Length > 0)
        {
            return error;
        }

        cursor.Blanks();
        if (cursor.IsAtEnd)
        {
            return "] is missing at the end";
        }

        return cursor.Current switch
        {
            ']' => cursor.Pass(),
            ',' =>
                "[a, b] (union) is not supported, since it names many values: write two sources, or join",
            ':' =>
                "[a:b] (slice) is not supported, since it names many values: write an index, [0]",
            _ => $"'{cursor.Current}' at column {cursor.At + 1}: expected ]",
        };
    }

    private static string Index(Cursor cursor, List<JsonPathSegment> segments)
    {
        int start = cursor.At;
        while (!cursor.IsAtEnd && char.IsAsciiDigit(cursor.Current))
        {
            cursor.At++;
        }

        string digits = cursor.Text[start..cursor.At];
        if (digits.Length > 1 && digits[0] == '0')
        {
            return $"index {digits}: no leading zeros, write {digits.TrimStart('0').PadLeft(1, '0')}";
        }

        if (!int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out int index))
        {
            return $"index {digits} is beyond {int.MaxValue}";
        }

        segments.Add(new JsonPathSegment(index));
        return "";
    }

    private static string Quoted(Cursor cursor, List<JsonPathSegment> segments)
    {
        char quote = cursor.Current;
        cursor.At++;
        StringBuilder name = new();
        while (!cursor.IsAtEnd && cursor.Current != quote)
        {
            char c = cursor.Current;
            cursor.At++;
            if (c < ' ')
            {
                return "a control character in a name: write it as \\u00XX";
            }

            if (c == '\\')
            {
                string error = Escape(cursor, quote, name);
                if (error.Length > 0)
                {
                    return error;
                }
            }
            else
            {
                name.Append(c);
            }
        }

        if (cursor.IsAtEnd)
        {
            return $"the closing {quote} is missing";
        }

        cursor.At++;
        for (int i = 0; i < name.Length; i++)
        {
            bool pair = i + 1 < name.Length && char.IsSurrogatePair(name[i], name[i + 1]);
            if (char.IsSurrogate(name[i]) && !pair)
            {
                return "half a surrogate pair in a name: write both halves";
            }

            i += pair ? 1 : 0;
        }

        segments.Add(new JsonPathSegment(name.ToString()));
        return "";
    }

    private static string Escape(Cursor cursor, char quote, StringBuilder name)
    {
        char kind = cursor.IsAtEnd ? '\0' : cursor.Current;
        cursor.At++;
        switch (kind)
        {
            case 'b' or 'f' or 'n' or 'r' or 't':
                name.Append("\b\f\n\r\t"["bfnrt".IndexOf(kind, StringComparison.Ordinal)]);
                return "";
            case '/' or '\\':
                name.Append(kind);
                return "";
            case 'u' when cursor.At + 4 <= cursor.Text.Length:
                string hex = cursor.Text.Substring(cursor.At, 4);
                if (!hex.All(char.IsAsciiHexDigit))
                {
                    return $"\\u{hex}: four hex digits are expected";
                }

                name.Append(
                    (char)
                        ushort.Parse(
                            hex,
                            NumberStyles.AllowHexSpecifier,
                            CultureInfo.InvariantCulture
                        )
                );
                cursor.At += 4;
                return "";
            case '\'' or '"' when kind == quote:
                name.Append(kind);
                return "";
            default:
                return $"\\{kind} is no escape: write \\\\ for a backslash";
        }
    }

    private sealed class Cursor(string text)
    {
        public string Text { get; } = text;

        public int At { get; set; }

        public bool IsAtEnd => At >= Text.Length;

        public char Current => Text[At];

        public void Blanks()
        {
            while (!IsAtEnd && Current is ' ' or '\t' or '\n' or '\r')
            {
                At++;
            }
        }

        public string Pass()
        {
            At++;
            return "";
        }
    }
}
