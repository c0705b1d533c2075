using System.Runtime.InteropServices;

namespace Dedup.Contracts.Identity;

/// <summary>What is remembered of an ID: when and where it was seen first, and optionally what it looked like.</summary>
/// <remarks>
/// <code>
/// 0         8              16            24        28
/// | SeenMs  | SourceOffset | Fingerprint | ScopeTag | (4 bytes of padding in memory)
/// </code>
/// </remarks>
/// <param name="SeenMs">Timestamp of the record that the window counts from, in ms since the epoch.</param>
/// <param name="SourceOffset">
/// Offset of that record in its input partition; with partitioning: by-id, where a state holds records of several, partition and
/// offset as <see cref="Rekey.SourcePlace"/> packs them.
/// </param>
/// <param name="Fingerprint">64-bit hash of the payload, 0 when the pipeline compares none.</param>
/// <param name="ScopeTag">32-bit hash of tenant and type, 0 when the pipeline has no scope.</param>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
public readonly record struct SeenEntry(
    long SeenMs,
    long SourceOffset,
    ulong Fingerprint,
    uint ScopeTag
);
