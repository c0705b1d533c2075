namespace Dedup.Topology.Identify.Json;

/// <summary>What a JSON payload may cost.</summary>
public sealed record JsonLimits
{
    /// <summary>Largest <see cref="MaxDepth"/>: canonicalisation recurses once for each level.</summary>
    public const int MaxMaxDepth = 512;

    /// <summary>64 levels, 1 MiB.</summary>
    public static JsonLimits Default { get; } = new();

    /// <summary>Deepest nesting that is read: 64, 1 to <see cref="MaxMaxDepth"/>. Deeper: json-too-deep.</summary>
    public int MaxDepth { get; init; } = 64;

    /// <summary>How many bytes of a payload are read as JSON: 1 MiB. A value not found by then: json-too-large.</summary>
    public int MaxBytes { get; init; } = 1 << 20;
}
