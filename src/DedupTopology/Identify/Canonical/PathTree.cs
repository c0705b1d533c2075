using System.Collections.Immutable;
using Dedup.Topology.Identify.Json;

namespace Dedup.Topology.Identify.Canonical;

/// <summary>A step in a <see cref="PathTree"/>.</summary>
internal sealed class PathNode(JsonPathSegment? segment)
{
    private PathNode[] _children = [];

    /// <summary>Bit of the include path that ends here, 0 for none.</summary>
    public ulong IncludeBit { get; private set; }

    /// <summary>Whether an exclude path ends here.</summary>
    public bool IsExcluded { get; private set; }

    /// <summary>Whether paths go on from here.</summary>
    public bool HasChildren => _children.Length > 0;

    /// <summary>The step to a member; null when no path goes there.</summary>
    public PathNode? Member(ReadOnlySpan<byte> name, bool escaped)
    {
        foreach (PathNode child in _children)
        {
            if (child.Segment!.IsMember && child.Segment.NameEquals(name, escaped))
            {
                return child;
            }
        }

        return null;
    }

    /// <summary>The step to an element; null when no path goes there.</summary>
    public PathNode? Element(int index)
    {
        foreach (PathNode child in _children)
        {
            if (child.Segment!.Index == index)
            {
                return child;
            }
        }

        return null;
    }

    /// <summary>The step that leads here.</summary>
    public JsonPathSegment? Segment => segment;

    internal void Add(JsonPath path, ulong includeBit)
    {
        PathNode node = this;
        for (int i = 0; i < path.Count; i++)
        {
            JsonPathSegment step = path[i];
            PathNode? next = Array.Find(node._children, c => c.Segment!.Same(step));
            if (next is null)
            {
                next = new PathNode(step);
                node._children = [.. node._children, next];
            }

            node = next;
        }

        if (includeBit == 0)
        {
            node.IsExcluded = true;
        }
        else
        {
            node.IncludeBit = includeBit;
        }
    }
}

/// <summary>Which parts of a document count: all of it or those under include paths, without what lies under exclude paths.</summary>
/// <remarks>
/// What counts keeps its place: the canonical form is the document with everything else left out. Every include path must lead to
/// a value that is not null, otherwise documents that lack what tells them apart would be one.
/// </remarks>
public sealed class PathTree
{
    /// <summary>Most include and most exclude paths.</summary>
    public const int MaxPaths = 64;

    /// <summary>Makes a tree; no include path means all of the document.</summary>
    public PathTree(ImmutableArray<JsonPath> include, ImmutableArray<JsonPath> exclude)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(include.Length, MaxPaths);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(exclude.Length, MaxPaths);
        Include = include;
        Exclude = exclude;
        Root = new PathNode(null);
        for (int i = 0; i < include.Length; i++)
        {
            Root.Add(include[i], 1UL << i);
            Required |= 1UL << i;
        }

        foreach (JsonPath path in exclude)
        {
            Root.Add(path, 0);
        }
    }

    /// <summary>The include paths.</summary>
    public ImmutableArray<JsonPath> Include { get; }

    /// <summary>The exclude paths.</summary>
    public ImmutableArray<JsonPath> Exclude { get; }

    /// <summary>Where matching begins.</summary>
    internal PathNode Root { get; }

    /// <summary>The bits of all include paths.</summary>
    internal ulong Required { get; }
}
