using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace Dedup.Topology.Identify.Json;

/// <summary>One step of a path: the member of that name, or the element at that index.</summary>
public sealed class JsonPathSegment
{
    private readonly byte[] _name;

    /// <summary>A member.</summary>
    public JsonPathSegment(string name)
    {
        Name = name;
        _name = Encoding.UTF8.GetBytes(name);
        Index = -1;
    }

    /// <summary>An element.</summary>
    public JsonPathSegment(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        Name = "";
        _name = [];
        Index = index;
    }

    /// <summary>Name of the member.</summary>
    public string Name { get; }

    /// <summary>Index of the element, -1 for a member.</summary>
    public int Index { get; }

    /// <summary>Whether it names a member.</summary>
    public bool IsMember => Index < 0;

    /// <summary>Name of the member, UTF-8.</summary>
    public ReadOnlySpan<byte> Utf8Name => _name;

    /// <summary>Whether a name as it stands in a document is this one.</summary>
    internal bool NameEquals(ReadOnlySpan<byte> name, bool escaped) =>
        escaped ? JsonText.EscapedEquals(name, _name) : name.SequenceEqual(_name);

    /// <summary>Whether both name the same.</summary>
    public bool Same(JsonPathSegment other) => Index == other.Index && Name == other.Name;
}

/// <summary>A path of RFC 9535 with member and index selectors: it names at most one value.</summary>
public sealed class JsonPath
{
    private readonly JsonPathSegment[] _segments;

    /// <summary>Makes a path; without segments it names the whole document.</summary>
    public JsonPath(params JsonPathSegment[] segments)
    {
        _segments = segments;
        Text = Write(segments);
    }

    /// <summary>The steps from the root.</summary>
    public ImmutableArray<JsonPathSegment> Segments => [.. _segments];

    /// <summary>The path in canonical form: <c>.name</c> where RFC 9535 allows it, else <c>['name']</c>.</summary>
    public string Text { get; }

    /// <summary>Number of steps.</summary>
    internal int Count => _segments.Length;

    /// <summary>A step.</summary>
    internal JsonPathSegment this[int index] => _segments[index];

    /// <summary>Whether this path is the other one or leads to something within it.</summary>
    public bool IsWithin(JsonPath other) =>
        _segments.Length >= other._segments.Length
        && other._segments.Zip(_segments).All(static pair => pair.First.Same(pair.Second));

    /// <inheritdoc/>
    public override string ToString() => Text;

    /// <summary>Whether a name may stand after a dot (RFC 9535, member-name-shorthand).</summary>
    internal static bool IsShorthand(string name) =>
        name.Length > 0
        && !char.IsAsciiDigit(name[0])
        && name.All(static c => char.IsAsciiLetterOrDigit(c) || c == '_' || c >= 0x80);

    private static string Write(JsonPathSegment[] segments)
    {
        StringBuilder text = new("$");
        foreach (JsonPathSegment segment in segments)
        {
            if (!segment.IsMember)
            {
                text.Append(CultureInfo.InvariantCulture, $"[{segment.Index}]");
            }
            else if (IsShorthand(segment.Name))
            {
                text.Append('.').Append(segment.Name);
            }
            else
            {
                text.Append("['");
                foreach (char c in segment.Name)
                {
                    _ = c switch
                    {
                        '\'' or '\\' => text.Append('\\').Append(c),
                        < ' ' => text.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
                        _ => text.Append(c),
                    };
                }

                text.Append("']");
            }
        }

        return text.ToString();
    }
}
