using System.Collections.Immutable;

namespace Dedup.Host.Configuration;

/// <summary>Where a piece of configuration was written.</summary>
/// <param name="Source">File as the user named it, or a command-line option.</param>
/// <param name="Line">Line from 1; 0 where there are no lines.</param>
public readonly record struct Place(string Source, int Line)
{
    /// <summary><c>dedup.yaml:12</c> or <c>--window</c>.</summary>
    public override string ToString() => Line > 0 ? $"{Source}:{Line}" : Source;
}

/// <summary>Shape of a node.</summary>
public enum NodeKind
{
    /// <summary>A single value; <see cref="ConfigNode.Text"/> is null for nothing.</summary>
    Scalar,

    /// <summary>Names and values.</summary>
    Mapping,

    /// <summary>A list.</summary>
    Sequence,
}

/// <summary>A name in a mapping.</summary>
/// <param name="Name">The name.</param>
/// <param name="Place">Where it stands.</param>
/// <param name="Value">What it is set to.</param>
public readonly record struct ConfigMember(string Name, Place Place, ConfigNode Value);

/// <summary>
/// Configuration before it means anything: the same tree from a YAML file and from command-line options, so that both are
/// read, checked, and refused by the same code.
/// </summary>
public sealed class ConfigNode
{
    private ConfigNode(NodeKind kind, Place place)
    {
        Kind = kind;
        Place = place;
    }

    /// <summary>Shape.</summary>
    public NodeKind Kind { get; }

    /// <summary>Where it stands.</summary>
    public Place Place { get; }

    /// <summary>A scalar's value with variables put in; null for nothing (YAML's null).</summary>
    public string? Text { get; private init; }

    /// <summary>A scalar as it was written, variables by name and without their defaults: this may be printed.</summary>
    public string Shown { get; private init; } = "";

    /// <summary>Whether (part of) the value came from the environment, and so is not printed.</summary>
    public bool FromVariable { get; private init; }

    /// <summary>A mapping's members in the order of writing.</summary>
    public ImmutableArray<ConfigMember> Members { get; private init; } = [];

    /// <summary>A sequence's items.</summary>
    public ImmutableArray<ConfigNode> Items { get; private init; } = [];

    /// <summary>A value.</summary>
    public static ConfigNode Scalar(
        Place place,
        string? text,
        string? shown = null,
        bool fromVariable = false
    ) =>
        new(NodeKind.Scalar, place)
        {
            Text = text,
            Shown = shown ?? text ?? "",
            FromVariable = fromVariable,
        };

    /// <summary>A mapping.</summary>
    public static ConfigNode Mapping(Place place, IEnumerable<ConfigMember> members) =>
        new(NodeKind.Mapping, place) { Members = [.. members] };

    /// <summary>A list.</summary>
    public static ConfigNode Sequence(Place place, IEnumerable<ConfigNode> items) =>
        new(NodeKind.Sequence, place) { Items = [.. items] };

    /// <summary>What the user wrote, in words, for messages.</summary>
    public string Describe() =>
        Kind switch
        {
            NodeKind.Mapping => "a mapping",
            NodeKind.Sequence => "a list",
            _ when Text is null => "nothing",
            _ => $"'{Shown}'",
        };
}
