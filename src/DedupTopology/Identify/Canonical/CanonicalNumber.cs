using System.Buffers.Text;
using System.Globalization;

namespace Dedup.Topology.Identify.Canonical;

/// <summary>Writes numbers in canonical form.</summary>
/// <remarks>
/// Jcs: an integer literal keeps its digits (-0 is 0). Any other literal is written as ECMAScript writes the nearest double (RFC
/// 8785), unless that would merge numbers that somebody meant to differ; then its own digits stand in the same format. That is so
/// for more than 17 significant digits (no program prints a double with more), for integral values beyond 2^53 that are not what
/// the double's shortest form says, and for values beyond the range of doubles. Python: what repr of int or float writes.
/// Both write at most <see cref="MaxLength"/> bytes.
/// </remarks>
internal static class CanonicalNumber
{
    /// <summary>Longest exponent in digits that is calculated with; a longer one leaves the literal as it stands.</summary>
    private const int MaxExponentDigits = 9;

    /// <summary>Most significant digits that a double's shortest form, or its %.17g, has.</summary>
    private const int DoubleDigits = 17;

    /// <summary>Most bytes that a literal of that length becomes; half of it holds the digits while they are counted.</summary>
    public static int MaxLength(int literal) => (2 * literal) + 64;

    /// <summary>Writes a literal that the scanner has accepted; the result is the length.</summary>
    public static int Write(ReadOnlySpan<byte> literal, Span<byte> target, bool python)
    {
        if (literal.IndexOfAny((byte)'.', (byte)'e', (byte)'E') < 0)
        {
            ReadOnlySpan<byte> integer = literal.SequenceEqual("-0"u8) ? "0"u8 : literal;
            integer.CopyTo(target);
            return integer.Length;
        }

        return python ? WritePython(literal, target) : WriteJcs(literal, target);
    }

    private static int WriteJcs(ReadOnlySpan<byte> literal, Span<byte> target)
    {
        Span<byte> digits = target[^(literal.Length + 1)..];
        if (!TryRead(literal, digits, out int count, out int point))
        {
            literal.CopyTo(target);
            target[literal.IndexOfAny((byte)'e', (byte)'E')] = (byte)'e';
            return literal.Length;
        }

        if (count == 0)
        {
            target[0] = (byte)'0';
            return 1;
        }

        bool negative = literal[0] == (byte)'-';
        if (IsShortest(count, point))
        {
            return Format(negative, digits[..count], point, target);
        }

        double number =
            count <= DoubleDigits ? Magnitude(digits[..count], point) : double.PositiveInfinity;
        if (double.IsFinite(number) && number != 0)
        {
            Span<byte> shortest = stackalloc byte[32];
            int shortestCount = Shortest(number, shortest, out int shortestPoint);
            shortest = shortest[..shortestCount];
            bool same = shortestPoint == point && shortest.SequenceEqual(digits[..count]);
            bool integralBeyond = point >= count && number >= (1L << 53);
            if (same || !integralBeyond)
            {
                return Format(negative, shortest, shortestPoint, target);
            }
        }

        return Format(negative, digits[..count], point, target);
    }

    private static int WritePython(ReadOnlySpan<byte> literal, Span<byte> target)
    {
        Span<byte> digits = target[^(literal.Length + 1)..];
        bool readable = TryRead(literal, digits, out int count, out int point);
        digits = digits[..count];
        int at = 0;
        if (literal[0] == (byte)'-')
        {
            target[at++] = (byte)'-';
        }

        if (!readable || !IsShortest(count, point))
        {
            // Ten digits of exponent outweigh every mantissa that fits into a payload.
            double number =
                readable ? Magnitude(digits, point)
                : literal[literal.IndexOfAny((byte)'e', (byte)'E') + 1] == (byte)'-' ? 0
                : double.PositiveInfinity;
            if (!double.IsFinite(number) || number == 0)
            {
                ReadOnlySpan<byte> word = number == 0 ? "0.0"u8 : "Infinity"u8;
                word.CopyTo(target[at..]);
                return at + word.Length;
            }

            count = Shortest(number, digits = target[^32..], out point);
            digits = digits[..count];
        }

        // float_repr_style "short": exponents from 1e16 and below 1e-4, at least two digits of exponent.
        if (point is <= -4 or > 16)
        {
            return at + Scientific(digits, point, target[at..], minExponentDigits: 2);
        }

        at += Plain(digits, point, target[at..]);
        if (point >= count)
        {
            ".0"u8.CopyTo(target[at..]);
            at += 2;
        }

        return at;
    }

    /// <summary>
    /// Whether digits are what the nearest double's shortest form has: no two decimals of up to 15 digits share a double, save near
    /// the ends of its range. Most numbers that are sent are such, and need no double at all.
    /// </summary>
    private static bool IsShortest(int count, int point) =>
        count is > 0 and <= 15 && point is > -290 and < 290;

    /// <summary>
    /// A literal as 0.ddd × 10^point without its sign; no digits for zero. False when the exponent is too long to calculate with.
    /// </summary>
    private static bool TryRead(
        ReadOnlySpan<byte> literal,
        Span<byte> digits,
        out int count,
        out int point
    )
    {
        int exponentAt = literal.IndexOfAny((byte)'e', (byte)'E');
        count = Digits(exponentAt < 0 ? literal : literal[..exponentAt], digits, out point);
        if (count == 0 || exponentAt < 0)
        {
            return true;
        }

        ReadOnlySpan<byte> exponent = literal[(exponentAt + 1)..];
        bool negative = exponent[0] == (byte)'-';
        exponent = exponent.TrimStart("+-"u8).TrimStart((byte)'0');
        if (exponent.Length > MaxExponentDigits)
        {
            return false;
        }

        if (!exponent.IsEmpty)
        {
            _ = Utf8Parser.TryParse(exponent, out int value, out _);
            point += negative ? -value : value;
        }

        return true;
    }

    /// <summary>
    /// The double nearest to 0.ddd × 10^point. Digits and exponent are put together anew, since double.Parse caps exponents at
    /// 9999, also where a long row of zeros makes up for them.
    /// </summary>
    private static double Magnitude(ReadOnlySpan<byte> digits, int point)
    {
        // Beyond 800 digits nothing changes which double is nearest, except that there is something: it ends in a 1.
        const int enough = 800;
        if (digits.IsEmpty || point < -400)
        {
            return 0;
        }

        if (point > 400)
        {
            return double.PositiveInfinity;
        }

        Span<byte> text = stackalloc byte[enough + 16];
        bool cut = digits.Length > enough;
        digits = cut ? digits[..enough] : digits;
        digits.CopyTo(text);
        if (cut)
        {
            text[enough - 1] = (byte)'1';
        }

        text[digits.Length] = (byte)'e';
        _ = Utf8Formatter.TryFormat(
            point - digits.Length,
            text[(digits.Length + 1)..],
            out int written
        );
        return double.Parse(
            text[..(digits.Length + 1 + written)],
            NumberStyles.Float,
            CultureInfo.InvariantCulture
        );
    }

    /// <summary>Number::toString of ECMAScript for digits 0.ddd × 10^point.</summary>
    private static int Format(
        bool negative,
        ReadOnlySpan<byte> digits,
        int point,
        Span<byte> target
    )
    {
        int at = 0;
        if (negative)
        {
            target[at++] = (byte)'-';
        }

        return point is > -6 and <= 21
            ? at + Plain(digits, point, target[at..])
            : at + Scientific(digits, point, target[at..], minExponentDigits: 1);
    }

    private static int Plain(ReadOnlySpan<byte> digits, int point, Span<byte> target)
    {
        if (point <= 0)
        {
            "0."u8.CopyTo(target);
            target.Slice(2, -point).Fill((byte)'0');
            digits.CopyTo(target[(2 - point)..]);
            return 2 - point + digits.Length;
        }

        if (point >= digits.Length)
        {
            digits.CopyTo(target);
            target[digits.Length..point].Fill((byte)'0');
            return point;
        }

        digits[..point].CopyTo(target);
        target[point] = (byte)'.';
        digits[point..].CopyTo(target[(point + 1)..]);
        return digits.Length + 1;
    }

    private static int Scientific(
        ReadOnlySpan<byte> digits,
        int point,
        Span<byte> target,
        int minExponentDigits
    )
    {
        int at = 0;
        target[at++] = digits[0];
        if (digits.Length > 1)
        {
            target[at++] = (byte)'.';
            digits[1..].CopyTo(target[at..]);
            at += digits.Length - 1;
        }

        int exponent = point - 1;
        target[at++] = (byte)'e';
        target[at++] = exponent < 0 ? (byte)'-' : (byte)'+';
        exponent = Math.Abs(exponent);
        if (exponent < 10 && minExponentDigits == 2)
        {
            target[at++] = (byte)'0';
        }

        _ = Utf8Formatter.TryFormat(exponent, target[at..], out int written);
        return at + written;
    }

    /// <summary>The shortest digits that give the double back, as 0.ddd × 10^point.</summary>
    private static int Shortest(double number, Span<byte> digits, out int point)
    {
        Span<byte> text = stackalloc byte[32];
        _ = number.TryFormat(text, out int length, default, CultureInfo.InvariantCulture);
        text = text[..length];
        int exponentAt = text.IndexOf((byte)'E');
        int count = Digits(exponentAt < 0 ? text : text[..exponentAt], digits, out point);
        if (exponentAt >= 0)
        {
            // Utf8Parser reads no plus sign for integers.
            _ = Utf8Parser.TryParse(text[(exponentAt + 2)..], out int exponent, out _);
            point += text[exponentAt + 1] == (byte)'-' ? -exponent : exponent;
        }

        return count;
    }

    /// <summary>
    /// The significant digits of a decimal without exponent, as 0.ddd × 10^point; none for zero.
    /// </summary>
    private static int Digits(ReadOnlySpan<byte> text, Span<byte> digits, out int point)
    {
        int count = 0;
        int significant = 0;
        bool fraction = false;
        point = 0;
        foreach (byte b in text)
        {
            if (b == (byte)'.')
            {
                fraction = true;
            }
            else if (b != (byte)'-' && (b != (byte)'0' || count > 0))
            {
                digits[count++] = b;
                significant = b == (byte)'0' ? significant : count;
                point += fraction ? 0 : 1;
            }
            else if (b == (byte)'0' && fraction)
            {
                point--;
            }
        }

        return significant;
    }
}
