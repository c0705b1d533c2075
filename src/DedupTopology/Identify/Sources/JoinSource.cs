using System.Collections.Immutable;
using Dedup.Contracts.Identity;
using Dedup.Topology.Records;

namespace Dedup.Topology.Identify.Sources;

/// <summary><c>join: [a, b]</c>: several sources as one ID. Each must yield; each stands with its kind and length.</summary>
/// <remarks>
/// <code>
/// | kind u8 | length u32 little-endian | bytes |   for each part
/// </code>
/// </remarks>
public sealed class JoinSource : IdSource
{
    /// <summary>Most parts.</summary>
    public const int MaxParts = 32;

    private readonly IdSource[] _parts;

    /// <summary>Makes a source of at least two others.</summary>
    public JoinSource(params IdSource[] parts)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(parts.Length, 2);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(parts.Length, MaxParts);
        _parts = parts;
        Text = $"join({string.Join(", ", parts.Select(static p => p.Text))})";
    }

    /// <inheritdoc/>
    public override string Text { get; }

    /// <summary>The parts in order.</summary>
    public ImmutableArray<IdSource> Parts => [.. _parts];

    /// <inheritdoc/>
    internal override Reason Append(in RecordView record, IdScratch scratch, out IdKind kind)
    {
        const int prefix = 5;
        kind = IdKind.Join;
        foreach (IdSource part in _parts)
        {
            int at = scratch.Length;
            _ = scratch.Reserve(prefix);
            scratch.Advance(prefix);
            Reason reason = part.Append(record, scratch, out IdKind partKind);
            if (reason != Reason.None)
            {
                return reason;
            }

            scratch.PatchByte(at, (byte)partKind);
            scratch.PatchLength(at + 1, scratch.Length - at - prefix);
        }

        return Reason.None;
    }
}
