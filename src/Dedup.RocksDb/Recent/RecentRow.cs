using System.Runtime.InteropServices;
using Dedup.Contracts.Identity;

namespace Dedup.RocksDb.Recent;

/// <summary>An ID in the recent table.</summary>
/// <remarks>
/// <code>
/// 0      16       24             32            40         44        48
/// | Key  | SeenMs | SourceOffset | Fingerprint | ScopeTag | Bucket |
/// </code>
/// </remarks>
/// <param name="Key">The ID's key.</param>
/// <param name="SeenMs">Time that the window counts from.</param>
/// <param name="SourceOffset">Offset in the input.</param>
/// <param name="Fingerprint">Hash of the payload.</param>
/// <param name="ScopeTag">Hash of tenant and type.</param>
/// <param name="Bucket">Number of the bucket within this table.</param>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
internal record struct RecentRow(
    EventKey Key,
    long SeenMs,
    long SourceOffset,
    ulong Fingerprint,
    uint ScopeTag,
    uint Bucket
)
{
    /// <summary>Size in memory; a test holds the layout to it.</summary>
    public const int Size = 48;

    /// <summary>What is remembered of the ID.</summary>
    public readonly SeenEntry Entry => new(SeenMs, SourceOffset, Fingerprint, ScopeTag);
}
