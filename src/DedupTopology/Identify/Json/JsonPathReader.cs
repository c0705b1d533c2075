using Dedup.Contracts.Identity;

namespace Dedup.Topology.Identify.Json;

/// <summary>What kind of value stands at a path.</summary>
internal enum JsonKind : byte
{
    String,
    Number,
    Boolean,
    Null,
    Container,
}

/// <summary>Finds the value at a path, reading no further than it must.</summary>
/// <remarks>
/// The first member of a name decides: what comes after the value is not read, so a later member of the same name is never
/// seen, and text that breaks off or goes wrong after the value does no harm. Hot path: no allocation.
/// </remarks>
internal static class JsonPathReader
{
    /// <summary>
    /// Moves the scanner to the value at the path. <see cref="Reason.NoId"/> when there is none; else what is wrong with the
    /// text before it.
    /// </summary>
    public static Reason Seek(ref JsonScanner scanner, JsonPath path)
    {
        Reason reason = Reason.None;
        for (int i = 0; i < path.Count && reason == Reason.None; i++)
        {
            byte first = scanner.Peek();
            if (first is not ((byte)'{' or (byte)'['))
            {
                // A scalar has no members. It must still be one: text that is no JSON at all is malformed.
                reason = scanner.Skip(i);
                return reason == Reason.None ? Reason.NoId : reason;
            }

            if (i >= scanner.MaxDepth)
            {
                return Reason.JsonTooDeep;
            }

            JsonPathSegment segment = path[i];
            if (segment.IsMember != (first == (byte)'{'))
            {
                return Reason.NoId;
            }

            scanner.Next();
            reason = segment.IsMember
                ? SeekMember(ref scanner, segment, i + 1)
                : SeekElement(ref scanner, segment.Index, i + 1);
        }

        return reason;
    }

    /// <summary>Reads the scalar where the scanner stands; at an object or array it stops before it.</summary>
    /// <param name="scanner">Stands on the value.</param>
    /// <param name="nested">Whether the value lies in an object or array, so that something must follow it.</param>
    /// <param name="kind">What stands there.</param>
    /// <param name="value">The text: of strings what stands between the quotes.</param>
    /// <param name="escaped">Whether a string has escapes.</param>
    public static Reason Read(
        ref JsonScanner scanner,
        bool nested,
        out JsonKind kind,
        out ReadOnlySpan<byte> value,
        out bool escaped
    )
    {
        value = default;
        escaped = false;
        Reason reason;
        int start;
        switch (scanner.Peek())
        {
            case (byte)'"':
                kind = JsonKind.String;
                reason = scanner.String(out start, out int length, out escaped, validate: true);
                value = reason == Reason.None ? scanner.Slice(start, length) : default;
                break;
            case (byte)'{' or (byte)'[':
                kind = JsonKind.Container;
                return Reason.None;
            case (byte)'-' or (>= (byte)'0' and <= (byte)'9'):
                kind = JsonKind.Number;
                start = scanner.At;
                reason = scanner.Number();
                value = reason == Reason.None ? scanner.From(start) : default;
                break;
            case (byte)'n':
                kind = JsonKind.Null;
                reason = scanner.Literal();
                break;
            case (byte)'t' or (byte)'f':
                kind = JsonKind.Boolean;
                start = scanner.At;
                reason = scanner.Literal();
                value = reason == Reason.None ? scanner.From(start) : default;
                break;
            default:
                kind = JsonKind.Null;
                return scanner.Unexpected;
        }

        return reason == Reason.None ? Follows(ref scanner, nested) : reason;
    }

    /// <summary>
    /// What may follow a value. Without this a text cut in the middle of a number would give another number as the ID.
    /// </summary>
    public static Reason Follows(ref JsonScanner scanner, bool nested)
    {
        if (!nested)
        {
            return scanner.IsAtEnd() ? Reason.None : scanner.Unexpected;
        }

        return scanner.Peek() is (byte)',' or (byte)'}' or (byte)']'
            ? Reason.None
            : scanner.Unexpected;
    }

    private static Reason SeekMember(ref JsonScanner scanner, JsonPathSegment segment, int depth)
    {
        if (scanner.Peek() == (byte)'}')
        {
            return Reason.NoId;
        }

        while (true)
        {
            if (scanner.Peek() != (byte)'"')
            {
                return scanner.Unexpected;
            }

            Reason reason = scanner.String(
                out int start,
                out int length,
                out bool escaped,
                validate: false
            );
            if (reason != Reason.None)
            {
                return reason;
            }

            if (scanner.Peek() != (byte)':')
            {
                return scanner.Unexpected;
            }

            scanner.Next();
            if (segment.NameEquals(scanner.Slice(start, length), escaped))
            {
                _ = scanner.Peek();
                return Reason.None;
            }

            reason = scanner.Skip(depth);
            if (reason != Reason.None)
            {
                return reason;
            }

            byte after = scanner.Peek();
            if (after != (byte)',')
            {
                return after == (byte)'}' ? Reason.NoId : scanner.Unexpected;
            }

            scanner.Next();
        }
    }

    private static Reason SeekElement(ref JsonScanner scanner, int index, int depth)
    {
        if (scanner.Peek() == (byte)']')
        {
            return Reason.NoId;
        }

        for (int i = 0; ; i++)
        {
            if (i == index)
            {
                _ = scanner.Peek();
                return Reason.None;
            }

            Reason reason = scanner.Skip(depth);
            if (reason != Reason.None)
            {
                return reason;
            }

            byte after = scanner.Peek();
            if (after != (byte)',')
            {
                return after == (byte)']' ? Reason.NoId : scanner.Unexpected;
            }

            scanner.Next();
        }
    }
}
