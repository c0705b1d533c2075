using System.Collections.Immutable;
using System.Text;

namespace Dedup.Topology.Identify.Scopes;

/// <summary>
/// Which window class an event type belongs to: an exact name goes before a pattern, a longer pattern before a shorter one
/// (of equal length the first in byte order), and what matches nothing is class 0.
/// </summary>
/// <remarks>In a pattern <c>*</c> stands for any characters, also none. Hot path: no allocation.</remarks>
public sealed class TypePatterns
{
    /// <summary>Most patterns: each is a window class with its own buckets and filters.</summary>
    public const int MaxPatterns = 256;

    /// <summary>Longest pattern in bytes; a match takes at most this times the length of the type.</summary>
    public const int MaxPatternBytes = 256;

    private readonly byte[][] _texts;
    private readonly ushort[] _classes;
    private readonly int _exact;

    /// <summary>Makes a matcher.</summary>
    /// <param name="patterns">Patterns; the one at index i stands for class i + 1.</param>
    public TypePatterns(ImmutableArray<string> patterns)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(patterns.Length, MaxPatterns);
        List<(byte[] Text, ushort Class)> entries =
        [
            .. patterns.Select(static (text, i) => (Encoding.UTF8.GetBytes(text), (ushort)(i + 1))),
        ];
        foreach ((byte[] text, _) in entries)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan(
                text.Length,
                MaxPatternBytes,
                nameof(patterns)
            );
        }

        entries.Sort(
            static (a, b) =>
            {
                bool aWild = a.Text.AsSpan().Contains((byte)'*');
                bool bWild = b.Text.AsSpan().Contains((byte)'*');
                return aWild != bWild ? aWild.CompareTo(bWild)
                    : a.Text.Length != b.Text.Length ? b.Text.Length.CompareTo(a.Text.Length)
                    : a.Text.AsSpan().SequenceCompareTo(b.Text);
            }
        );
        _texts = [.. entries.Select(static e => e.Text)];
        _classes = [.. entries.Select(static e => e.Class)];
        _exact = entries.Count(static e => !e.Text.AsSpan().Contains((byte)'*'));
    }

    /// <summary>Whether everything is class 0.</summary>
    public bool IsTrivial => _texts.Length == 0;

    /// <summary>The class of a type.</summary>
    public ushort Match(ReadOnlySpan<byte> type)
    {
        for (int i = 0; i < _texts.Length; i++)
        {
            if (i < _exact ? type.SequenceEqual(_texts[i]) : IsMatch(_texts[i], type))
            {
                return _classes[i];
            }
        }

        return 0;
    }

    private static bool IsMatch(ReadOnlySpan<byte> pattern, ReadOnlySpan<byte> text)
    {
        int p = 0;
        int t = 0;
        int star = -1;
        int resume = 0;
        while (t < text.Length)
        {
            if (p < pattern.Length && pattern[p] == (byte)'*')
            {
                star = p++;
                resume = t;
            }
            else if (p < pattern.Length && pattern[p] == text[t])
            {
                p++;
                t++;
            }
            else if (star >= 0)
            {
                p = star + 1;
                t = ++resume;
            }
            else
            {
                return false;
            }
        }

        return !pattern[p..].ContainsAnyExcept((byte)'*');
    }
}
