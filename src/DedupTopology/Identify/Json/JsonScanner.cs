using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Text.Unicode;
using Dedup.Contracts.Identity;

namespace Dedup.Topology.Identify.Json;

/// <summary>
/// Reads JSON text (RFC 8259) token by token, without building anything.
/// </summary>
/// <remarks>
/// Utf8JsonReader says "malformed" by an exception (some 10 µs and garbage for each hostile record), cannot tell too deep from
/// malformed, and checks all that it passes over. This one answers with a <see cref="Reason"/>, costs the same for good and
/// bad payloads, and passes over what nobody asked for at memory speed. A test compares the two on generated documents.
/// Hot path: no allocation.
/// </remarks>
internal ref struct JsonScanner
{
    private readonly ReadOnlySpan<byte> _json;
    private readonly bool _cut;
    private int _at;

    /// <summary>Begins at the start of the text, of which at most <see cref="JsonLimits.MaxBytes"/> are read.</summary>
    public JsonScanner(ReadOnlySpan<byte> json, JsonLimits limits)
    {
        _cut = json.Length > limits.MaxBytes;
        _json = _cut ? json[..limits.MaxBytes] : json;
        MaxDepth = limits.MaxDepth;
    }

    /// <summary>Deepest nesting.</summary>
    public int MaxDepth { get; }

    /// <summary>Whether the last string read was ASCII as it stands.</summary>
    public bool IsAscii { get; private set; }

    /// <summary>Whether the last number read has neither fraction nor exponent.</summary>
    public bool IsInteger { get; private set; }

    /// <summary>Position of the next byte.</summary>
    public int At
    {
        readonly get => _at;
        set => _at = value;
    }

    /// <summary>The text from <paramref name="start"/> up to where the scanner stands.</summary>
    public readonly ReadOnlySpan<byte> From(int start) => _json[start.._at];

    /// <summary>A part of the text.</summary>
    public readonly ReadOnlySpan<byte> Slice(int start, int length) => _json.Slice(start, length);

    /// <summary>What the end of the text in the middle of something means.</summary>
    public readonly Reason EndReason => _cut ? Reason.JsonTooLarge : Reason.MalformedJson;

    /// <summary>Passes over white space; the next byte, or 0 at the end (a NUL byte in the text is malformed anyway).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public byte Peek()
    {
        int at = _at;
        if ((uint)at < (uint)_json.Length)
        {
            byte b = _json[at];
            if (b > 0x20)
            {
                return b;
            }
        }

        return PeekSlow();
    }

    private byte PeekSlow()
    {
        while ((uint)_at < (uint)_json.Length)
        {
            byte b = _json[_at];
            if (b is not (0x20 or 0x0A or 0x0D or 0x09))
            {
                return b;
            }

            _at++;
        }

        return 0;
    }

    /// <summary>Passes over one byte that <see cref="Peek"/> has shown.</summary>
    public void Next() => _at++;

    /// <summary>What is wrong at a byte that does not belong there.</summary>
    public readonly Reason Unexpected => _at >= _json.Length ? EndReason : Reason.MalformedJson;

    /// <summary>Whether nothing but white space is left.</summary>
    public bool IsAtEnd()
    {
        _ = Peek();
        return _at >= _json.Length && !_cut;
    }

    /// <summary>
    /// Reads a string; the scanner stands on its opening quote. Control characters and bad escapes are malformed; so is
    /// invalid UTF-8 where <paramref name="validate"/> is set.
    /// </summary>
    public Reason String(out int start, out int length, out bool escaped, bool validate)
    {
        int at = _at + 1;
        start = at;
        length = 0;
        escaped = false;
        uint high = 0;
        while (true)
        {
            at = PlainRun(at, ref high);
            if ((uint)at >= (uint)_json.Length)
            {
                return EndReason;
            }

            if (_json[at] == (byte)'"')
            {
                break;
            }

            escaped = true;
            int escape = EscapeLength(at);
            if (escape == 0)
            {
                return at + 6 > _json.Length ? EndReason : Reason.MalformedJson;
            }

            at += escape;
        }

        length = at - start;
        _at = at + 1;
        IsAscii = high == 0;
        return validate && high != 0 && !Utf8.IsValid(_json.Slice(start, length))
            ? Reason.MalformedJson
            : Reason.None;
    }

    /// <summary>
    /// Where the run of bytes that need no attention ends: at a quote, a backslash, a control character, or the end. Sixteen bytes at
    /// a time; names and values are mostly shorter than two rounds.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly int PlainRun(int at, ref uint high)
    {
        while (_json.Length - at >= Vector128<byte>.Count)
        {
            Vector128<byte> block = Vector128.Create(_json.Slice(at, Vector128<byte>.Count));
            uint special = Special(block);
            uint nonAscii = block.ExtractMostSignificantBits();
            if (special != 0)
            {
                int run = BitOperations.TrailingZeroCount(special);
                high |= nonAscii & ((1u << run) - 1);
                return at + run;
            }

            high |= nonAscii;
            at += Vector128<byte>.Count;
        }

        while (
            (uint)at < (uint)_json.Length && _json[at] is not ((byte)'"' or (byte)'\\' or < 0x20)
        )
        {
            high |= _json[at] & 0x80u;
            at++;
        }

        return at;
    }

    /// <summary>Reads a number; the scanner stands on its first byte.</summary>
    public Reason Number()
    {
        int at = _at;
        at += at < _json.Length && _json[at] == (byte)'-' ? 1 : 0;
        int digits = Digits(at);
        if (digits == 0 || (digits > 1 && _json[at] == (byte)'0'))
        {
            return at >= _json.Length ? EndReason : Reason.MalformedJson;
        }

        at += digits;
        IsInteger = true;
        if (at < _json.Length && _json[at] == (byte)'.')
        {
            IsInteger = false;
            digits = Digits(at + 1);
            at += 1 + digits;
            if (digits == 0)
            {
                return at >= _json.Length ? EndReason : Reason.MalformedJson;
            }
        }

        if (at < _json.Length && (_json[at] | 0x20) == 'e')
        {
            IsInteger = false;
            at++;
            at += at < _json.Length && _json[at] is (byte)'+' or (byte)'-' ? 1 : 0;
            digits = Digits(at);
            at += digits;
            if (digits == 0)
            {
                return at >= _json.Length ? EndReason : Reason.MalformedJson;
            }
        }

        _at = at;
        // A number that the limit cut in two would be another number.
        return at >= _json.Length && _cut ? Reason.JsonTooLarge : Reason.None;
    }

    /// <summary>Reads <c>true</c>, <c>false</c>, or <c>null</c>; the scanner stands on its first byte.</summary>
    public Reason Literal()
    {
        ReadOnlySpan<byte> word = _json[_at] switch
        {
            (byte)'t' => "true"u8,
            (byte)'f' => "false"u8,
            _ => "null"u8,
        };
        if (_json[_at..].StartsWith(word))
        {
            _at += word.Length;
            return Reason.None;
        }

        return word.StartsWith(_json[_at..]) ? EndReason : Reason.MalformedJson;
    }

    /// <summary>
    /// Passes over a value that nobody asked for: strings must end and brackets must balance within the depth, nothing else is
    /// checked.
    /// </summary>
    /// <param name="depth">How many containers are open around it.</param>
    public Reason Skip(int depth)
    {
        switch (Peek())
        {
            case (byte)'"':
                return String(out _, out _, out _, validate: false);
            case (byte)'{' or (byte)'[':
                return SkipContainer(depth);
            case (byte)'t' or (byte)'f' or (byte)'n':
                return Literal();
            case (byte)'-' or (>= (byte)'0' and <= (byte)'9'):
                return Number();
            default:
                return Unexpected;
        }
    }

    private Reason SkipContainer(int depth)
    {
        int open = 0;
        while (true)
        {
            while (_json.Length - _at >= Vector128<byte>.Count)
            {
                uint found = Structural(Vector128.Create(_json.Slice(_at, Vector128<byte>.Count)));
                if (found != 0)
                {
                    _at += BitOperations.TrailingZeroCount(found);
                    break;
                }

                _at += Vector128<byte>.Count;
            }

            if ((uint)_at >= (uint)_json.Length)
            {
                return EndReason;
            }

            switch (_json[_at])
            {
                case (byte)'"':
                    Reason reason = SkipString();
                    if (reason != Reason.None)
                    {
                        return reason;
                    }

                    continue;
                case (byte)'{' or (byte)'[':
                    open++;
                    if (depth + open > MaxDepth)
                    {
                        return Reason.JsonTooDeep;
                    }

                    break;
                case (byte)'}' or (byte)']':
                    open--;
                    if (open == 0)
                    {
                        _at++;
                        return Reason.None;
                    }

                    break;
                default:
                    break;
            }

            _at++;
        }
    }

    private Reason SkipString()
    {
        int at = _at + 1;
        while (true)
        {
            int run = _json[at..].IndexOfAny((byte)'"', (byte)'\\');
            if (run < 0)
            {
                return EndReason;
            }

            at += run;
            if (_json[at] == (byte)'"')
            {
                _at = at + 1;
                return Reason.None;
            }

            at += 2;
            if (at > _json.Length)
            {
                return EndReason;
            }
        }
    }

    private readonly int Digits(int at)
    {
        int start = at;
        while ((uint)at < (uint)_json.Length && (uint)(_json[at] - '0') <= 9)
        {
            at++;
        }

        return at - start;
    }

    /// <summary>Length of the escape at that position, 0 when it is none.</summary>
    private readonly int EscapeLength(int at)
    {
        if (_json[at] != (byte)'\\' || at + 1 >= _json.Length)
        {
            return 0;
        }

        switch (_json[at + 1])
        {
            case (byte)'"'
            or (byte)'\\'
            or (byte)'/'
            or (byte)'b'
            or (byte)'f'
            or (byte)'n'
            or (byte)'r'
            or (byte)'t':
                return 2;
            case (byte)'u' when at + 6 <= _json.Length:
                for (int i = 2; i < 6; i++)
                {
                    if (!char.IsAsciiHexDigit((char)_json[at + i]))
                    {
                        return 0;
                    }
                }

                return 6;
            default:
                return 0;
        }
    }

    private static uint Special(Vector128<byte> block) =>
        (
            Vector128.Equals(block, Vector128.Create((byte)'"'))
            | Vector128.Equals(block, Vector128.Create((byte)'\\'))
            | Vector128.LessThan(block, Vector128.Create((byte)0x20))
        ).ExtractMostSignificantBits();

    /// <summary>Quote, brackets, braces: <c>[</c> and <c>{</c>, <c>]</c> and <c>}</c> differ only in the bit 0x20.</summary>
    private static uint Structural(Vector128<byte> block)
    {
        Vector128<byte> folded = block | Vector128.Create((byte)0x20);
        return (
            Vector128.Equals(block, Vector128.Create((byte)'"'))
            | Vector128.Equals(folded, Vector128.Create((byte)'{'))
            | Vector128.Equals(folded, Vector128.Create((byte)'}'))
        ).ExtractMostSignificantBits();
    }
}
