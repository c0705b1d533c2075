using System.Text.Unicode;
using Dedup.Contracts.Identity;
using Dedup.Topology.Identify.Json;

namespace Dedup.Topology.Identify.Canonical;

/// <summary>
/// Writes canonical JSON while it reads: the whole document is checked, what does not count is left out, members are sorted when
/// their object ends. Hot path: no allocation once the buffers have grown.
/// </summary>
/// <remarks>
/// An object whose members come out of order is copied once more for each object around it, so the worst document costs depth ×
/// size bytes of copying: 64 MiB with the default limits, some 10 ms.
/// </remarks>
internal ref struct Canonicaliser
{
    private readonly CanonicalBuffers _buffers;
    private readonly CanonicalStyle _style;
    private JsonScanner _scanner;
    private ulong _found;
    private bool _dropped;
    private bool _unwritable;

    private Canonicaliser(JsonScanner scanner, CanonicalBuffers buffers, CanonicalStyle style)
    {
        _scanner = scanner;
        _buffers = buffers;
        _style = style;
        buffers.Clear();
        buffers.ByCodePoint = style.IsPython;
    }

    /// <summary>Writes a document, or the parts of it that count.</summary>
    /// <returns>
    /// None; <see cref="Reason.ContentPathMissing"/> where an include path leads to nothing or null; else what is wrong.
    /// </returns>
    public static Reason WriteDocument(
        ReadOnlySpan<byte> json,
        PathTree? paths,
        CanonicalStyle style,
        JsonLimits limits,
        CanonicalBuffers buffers
    )
    {
        Canonicaliser writer = new(new JsonScanner(json, limits), buffers, style);
        ulong required = paths?.Required ?? 0;
        Reason reason = writer.Value(paths?.Root, required == 0, 0, out _);
        if (reason != Reason.None)
        {
            return reason;
        }

        if (!writer._scanner.IsAtEnd())
        {
            return writer._scanner.Unexpected;
        }

        if (writer._unwritable && !Utf8.IsValid(buffers.Written))
        {
            return Reason.MalformedJson;
        }

        // Where Python drops all but the last member of a name, a path may have been found in one that is gone.
        bool missing = (writer._found & required) != required || (required != 0 && writer._dropped);
        return missing ? Reason.ContentPathMissing : Reason.None;
    }

    /// <summary>Writes the value where a scanner stands and moves it behind.</summary>
    /// <param name="scanner">Stands on the value.</param>
    /// <param name="depth">How many containers are open around it.</param>
    /// <param name="buffers">Where to.</param>
    public static Reason WriteValue(ref JsonScanner scanner, int depth, CanonicalBuffers buffers)
    {
        Canonicaliser writer = new(scanner, buffers, CanonicalStyle.Jcs);
        Reason reason = writer.Value(null, included: true, depth, out _);
        scanner.At = writer._scanner.At;
        return reason;
    }

    private Reason Value(PathNode? node, bool included, int depth, out bool written)
    {
        byte first = _scanner.Peek();
        if (node is { IncludeBit: not 0 })
        {
            _found |= first == (byte)'n' ? 0 : node.IncludeBit;
            included = true;
        }

        written = included || (node is not null && first is (byte)'{' or (byte)'[');
        if (!written)
        {
            return Check(depth);
        }

        node = node is { HasChildren: true } ? node : null;
        switch (first)
        {
            case (byte)'"':
                return String(out _, out _);
            case (byte)'{':
                return depth >= _scanner.MaxDepth
                    ? Reason.JsonTooDeep
                    : Object(node, included, depth + 1);
            case (byte)'[':
                return depth >= _scanner.MaxDepth
                    ? Reason.JsonTooDeep
                    : Array(node, included, depth + 1);
            case (byte)'-' or (>= (byte)'0' and <= (byte)'9'):
                return Number();
            case (byte)'t' or (byte)'f' or (byte)'n':
                int start = _scanner.At;
                Reason reason = _scanner.Literal();
                if (reason == Reason.None)
                {
                    _buffers.Put(_scanner.From(start));
                }

                return reason;
            default:
                return _scanner.Unexpected;
        }
    }

    private Reason Object(PathNode? node, bool included, int depth)
    {
        _scanner.Next();
        _buffers.Put((byte)'{');
        int first = _buffers.MemberCount;
        bool inOrder = true;
        bool more = _scanner.Peek() != (byte)'}';
        while (more)
        {
            if (_scanner.Peek() != (byte)'"')
            {
                return _scanner.Unexpected;
            }

            Reason reason = Member(node, included, depth, first, ref inOrder);
            if (reason != Reason.None)
            {
                return reason;
            }

            byte after = _scanner.Peek();
            if (after is not ((byte)',' or (byte)'}'))
            {
                return _scanner.Unexpected;
            }

            more = after == (byte)',';
            if (more)
            {
                _scanner.Next();
            }
        }

        _scanner.Next();
        if (!inOrder)
        {
            _dropped |= _buffers.Sort(first, _style.ItemSeparator, lastOfName: _style.IsPython);
        }

        _buffers.MemberCount = first;
        _buffers.Put((byte)'}');
        return Reason.None;
    }

    private Reason Member(PathNode? node, bool included, int depth, int first, ref bool inOrder)
    {
        int before = _buffers.Length;
        if (_buffers.MemberCount > first)
        {
            _buffers.Put(_style.ItemSeparator);
        }

        int start = _buffers.Length;
        int from = _scanner.At + 1;
        Reason reason = String(out bool escaped, out bool plain);
        if (reason != Reason.None)
        {
            return reason;
        }

        int nameLength = _buffers.Length - start;
        PathNode? child = node?.Member(_scanner.Slice(from, _scanner.At - 1 - from), escaped);
        if (_scanner.Peek() != (byte)':')
        {
            return _scanner.Unexpected;
        }

        _scanner.Next();
        bool written = false;
        if (child is { IsExcluded: true } || (!included && child is null))
        {
            reason = Check(depth);
        }
        else
        {
            _buffers.Put(_style.KeySeparator);
            reason = Value(child, included, depth, out written);
        }

        if (written)
        {
            inOrder &= _buffers.Add(first, start, nameLength, plain);
        }
        else
        {
            _buffers.Length = before;
        }

        return reason;
    }

    private Reason Array(PathNode? node, bool included, int depth)
    {
        _scanner.Next();
        _buffers.Put((byte)'[');
        bool any = false;
        bool more = _scanner.Peek() != (byte)']';
        for (int i = 0; more; i++)
        {
            PathNode? child = node?.Element(i);
            int before = _buffers.Length;
            bool written = false;
            Reason reason;
            if (child is { IsExcluded: true } || (!included && child is null))
            {
                reason = Check(depth);
            }
            else
            {
                if (any)
                {
                    _buffers.Put(_style.ItemSeparator);
                }

                reason = Value(child, included, depth, out written);
            }

            if (reason != Reason.None)
            {
                return reason;
            }

            any |= written;
            _buffers.Length = written ? _buffers.Length : before;
            byte after = _scanner.Peek();
            if (after is not ((byte)',' or (byte)']'))
            {
                return _scanner.Unexpected;
            }

            more = after == (byte)',';
            if (more)
            {
                _scanner.Next();
            }
        }

        _scanner.Next();
        _buffers.Put((byte)']');
        return Reason.None;
    }

    private Reason String(out bool escaped, out bool plain)
    {
        Reason reason = _scanner.String(out int start, out int length, out escaped, validate: true);
        plain = _scanner.IsAscii && !escaped;
        if (reason != Reason.None)
        {
            return reason;
        }

        ReadOnlySpan<byte> text = _scanner.Slice(start, length);
        plain &= !_style.EnsureAscii || !text.Contains((byte)0x7F);
        _unwritable |= !CanonicalString.Write(_buffers, text, escaped, _scanner.IsAscii, _style);
        return Reason.None;
    }

    private Reason Number()
    {
        int start = _scanner.At;
        Reason reason = _scanner.Number();
        if (reason == Reason.None)
        {
            ReadOnlySpan<byte> literal = _scanner.From(start);
            if (_scanner.IsInteger && literal[0] != (byte)'-')
            {
                _buffers.Put(literal);
                return reason;
            }

            int most = CanonicalNumber.MaxLength(literal.Length);
            Span<byte> target = _buffers.Reserve(most)[..most];
            _buffers.Length += CanonicalNumber.Write(literal, target, _style.IsPython);
        }

        return reason;
    }

    /// <summary>Reads a value that does not count: it must be well-formed, nothing is written.</summary>
    private Reason Check(int depth)
    {
        byte first = _scanner.Peek();
        switch (first)
        {
            case (byte)'"':
                return _scanner.String(out _, out _, out _, validate: true);
            case (byte)'-' or (>= (byte)'0' and <= (byte)'9'):
                return _scanner.Number();
            case (byte)'t' or (byte)'f' or (byte)'n':
                return _scanner.Literal();
            case (byte)'{' or (byte)'[':
                return depth >= _scanner.MaxDepth
                    ? Reason.JsonTooDeep
                    : CheckContainer(first, depth + 1);
            default:
                return _scanner.Unexpected;
        }
    }

    private Reason CheckContainer(byte first, int depth)
    {
        bool isObject = first == (byte)'{';
        byte end = isObject ? (byte)'}' : (byte)']';
        _scanner.Next();
        bool more = _scanner.Peek() != end;
        while (more)
        {
            Reason reason = Reason.None;
            if (isObject)
            {
                if (_scanner.Peek() != (byte)'"')
                {
                    return _scanner.Unexpected;
                }

                reason = _scanner.String(out _, out _, out _, validate: true);
                if (reason == Reason.None && _scanner.Peek() != (byte)':')
                {
                    return _scanner.Unexpected;
                }

                _scanner.Next();
            }

            reason = reason == Reason.None ? Check(depth) : reason;
            byte after = _scanner.Peek();
            if (reason != Reason.None || after is not ((byte)',' or (byte)'}' or (byte)']'))
            {
                return reason != Reason.None ? reason : _scanner.Unexpected;
            }

            more = after == (byte)',';
            if (more)
            {
                _scanner.Next();
            }
            else if (after != end)
            {
                return Reason.MalformedJson;
            }
        }

        _scanner.Next();
        return Reason.None;
    }
}
