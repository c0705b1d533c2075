using System.Collections.Immutable;
using Dedup.Contracts.Identity;
using Dedup.Topology.Identify;
using Dedup.Topology.Windows;

namespace Dedup.Host.Identity;

/// <summary>A source of the chain that gave no ID.</summary>
/// <param name="Index">Its position, from 0.</param>
/// <param name="Text">The source in canonical form.</param>
/// <param name="Reason">Why, out of the closed list.</param>
/// <param name="Why">Why, in words, about this very record.</param>
internal sealed record PassedOver(int Index, string Text, Reason Reason, string Why);

/// <summary>What a recipe makes of one record.</summary>
internal sealed record Explained
{
    /// <summary>None when there is an ID; else the reason that the record is quarantined under.</summary>
    public required Reason Reason { get; init; }

    /// <summary>What is missing of the scope, in words, with <see cref="Reason.ScopeMissing"/>; else null.</summary>
    public string? ScopeProblem { get; init; }

    /// <summary>The ID: bytes, canonical JSON, or the digest of content; of a join its frame.</summary>
    public byte[] Id { get; init; } = [];

    /// <summary>What the ID is.</summary>
    public IdKind Kind { get; init; }

    /// <summary>Which source gave it, from 0.</summary>
    public int Source { get; init; }

    /// <summary>That source in canonical form.</summary>
    public string SourceText { get; init; } = "";

    /// <summary>The visible key.</summary>
    public string Visible { get; init; } = "";

    /// <summary>Tenant, service, and type, empty when missing; null when the recipe has no scope.</summary>
    public (byte[] Tenant, byte[] Service, byte[] Type)? Scope { get; init; }

    /// <summary>The window class that it is judged in.</summary>
    public WindowClass? Window { get; init; }

    /// <summary>Bucket width of a content ID in ms, 0 without.</summary>
    public long BucketMs { get; init; }

    /// <summary>Of a content ID the canonical JSON that was hashed; null when the bytes were hashed as they are, or it is no content.</summary>
    public byte[]? Canonical { get; init; }

    /// <summary>The sources before it, in order; all of them when there is no ID.</summary>
    public ImmutableArray<PassedOver> PassedOver { get; init; } = [];
}
