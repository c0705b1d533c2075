using System.Security.Cryptography;
using Dedup.Contracts.Identity;
using Dedup.Topology.Identify.Canonical;
using Dedup.Topology.Identify.Json;
using Dedup.Topology.Records;

namespace Dedup.Topology.Identify.Sources;

/// <summary>What a content recipe does with a payload that has no canonical form: no JSON, or a path is missing.</summary>
public enum OnMissing : byte
{
    /// <summary>The next source of the chain.</summary>
    Next,

    /// <summary>SHA-256 over the payload's bytes.</summary>
    Raw,

    /// <summary>Quarantine.</summary>
    Quarantine,
}

/// <summary>Whether payloads begin with Schema Registry framing (zero byte, schema id of four bytes).</summary>
public enum Framing : byte
{
    /// <summary>JSON behind such a prefix is read; of other payloads all bytes count, since the prefix may be their own.</summary>
    Auto,

    /// <summary>They do: of Avro and Protobuf the bytes behind the prefix count.</summary>
    SchemaRegistry,

    /// <summary>They do not.</summary>
    None,
}

/// <summary>What a content recipe looks at.</summary>
public sealed record ContentOptions
{
    /// <summary>Which parts count; null for all.</summary>
    public PathTree? Paths { get; init; }

    /// <summary>Form that is hashed.</summary>
    public CanonicalStyle Style { get; init; } = CanonicalStyle.Jcs;

    /// <summary>For payloads without canonical form.</summary>
    public OnMissing OnMissing { get; init; } = OnMissing.Raw;

    /// <summary>Schema Registry framing.</summary>
    public Framing Framing { get; init; }

    /// <summary>Width of time buckets in ms, 0 without: see <see cref="ContentBucket"/>.</summary>
    public long BucketMs { get; init; }

    /// <summary>Limits of JSON.</summary>
    public JsonLimits Limits { get; init; } = JsonLimits.Default;
}

/// <summary><c>content:</c>: SHA-256 over the canonical JSON of the payload, or of parts of it.</summary>
/// <remarks>A null or empty payload has no content: all tombstones would be one event.</remarks>
public sealed class ContentSource : IdSource
{
    private readonly ContentOptions _options;

    /// <summary>Makes a source.</summary>
    public ContentSource(ContentOptions options)
    {
        _options = options;
        Text = Write(options);
    }

    /// <inheritdoc/>
    public override string Text { get; }

    /// <summary>What it looks at.</summary>
    public ContentOptions Options => _options;

    /// <inheritdoc/>
    public override long BucketMs => _options.BucketMs;

    /// <inheritdoc/>
    public override bool EndsChain(Reason reason) => _options.OnMissing == OnMissing.Quarantine;

    /// <inheritdoc/>
    internal override Reason Append(in RecordView record, IdScratch scratch, out IdKind kind)
    {
        kind = IdKind.Content;
        if (record.Value.IsEmpty)
        {
            return Reason.NoId;
        }

        Reason reason = ContentBytes.Of(
            record.Value,
            _options,
            scratch,
            out ReadOnlySpan<byte> bytes
        );
        if (reason != Reason.None && _options.OnMissing != OnMissing.Raw)
        {
            return reason;
        }

        scratch.Sha256(bytes, scratch.Reserve(SHA256.HashSizeInBytes));
        scratch.Advance(SHA256.HashSizeInBytes);
        return Reason.None;
    }

    private static string Write(ContentOptions options)
    {
        List<string> parts = [];
        if (options.Paths is { } paths)
        {
            parts.AddRange(
                paths
                    .Include.Select(static p => p.Text)
                    .Order(StringComparer.Ordinal)
                    .Select(static p => $"include {p}")
            );
            parts.AddRange(
                paths
                    .Exclude.Select(static p => p.Text)
                    .Order(StringComparer.Ordinal)
                    .Select(static p => $"exclude {p}")
            );
        }

        parts.Add($"canonical {options.Style.Text}");
        parts.Add($"on-missing {RecipeText.Of(options.OnMissing)}");
        if (options.Framing != Framing.Auto)
        {
            parts.Add($"framing {RecipeText.Of(options.Framing)}");
        }

        if (options.BucketMs > 0)
        {
            parts.Add($"bucket {options.BucketMs}ms");
        }

        return $"content({string.Join(", ", parts)})";
    }
}
