using System.Collections.Immutable;

namespace Dedup.Host.Configuration;

/// <summary>What kind of value a setting takes.</summary>
public enum SettingKind
{
    /// <summary>More settings.</summary>
    Section,

    /// <summary>Any text, as the range says.</summary>
    Text,

    /// <summary>A duration: number and unit.</summary>
    Duration,

    /// <summary>A size: number and unit.</summary>
    Size,

    /// <summary>A whole number.</summary>
    Count,

    /// <summary>One of a few words.</summary>
    Choice,
}

/// <summary>One setting, as docs/configuration.md shows it and as the reader reads it.</summary>
public sealed record Setting
{
    /// <summary>Path with <c>*</c> for a name that the user chooses: <c>pipelines.*.window</c>.</summary>
    public required string Path { get; init; }

    /// <summary>Kind of value.</summary>
    public required SettingKind Kind { get; init; }

    /// <summary>The default, as one would write it, or in words where it is calculated; <c>required</c> where there is none.</summary>
    public required string Default { get; init; }

    /// <summary>What it is for.</summary>
    public required string Meaning { get; init; }

    /// <summary>What a higher, lower, or other value brings about.</summary>
    public required string Consequence { get; init; }

    /// <summary>Smallest value, in ms, bytes, or units.</summary>
    public long Min { get; init; }

    /// <summary>Largest value, in ms, bytes, or units.</summary>
    public long Max { get; init; } = long.MaxValue;

    /// <summary>The words of a choice.</summary>
    public ImmutableArray<string> Choices { get; init; } = [];

    /// <summary>The range in words where it is not from Min to Max.</summary>
    public string? RangeText { get; init; }

    /// <summary>Last part of the path.</summary>
    public string Name => Path[(Path.LastIndexOf('.') + 1)..];

    /// <summary>The range as users read it.</summary>
    public string Range =>
        RangeText
        ?? Kind switch
        {
            SettingKind.Duration => $"{Quantities.Duration(Min)} to {Quantities.Duration(Max)}",
            SettingKind.Size => $"{Quantities.Size(Min)} to {Quantities.Size(Max)}",
            SettingKind.Count => $"{Quantities.Count(Min)} to {Quantities.Count(Max)}",
            SettingKind.Choice => string.Join(" \\| ", Choices),
            _ => "text",
        };
}
