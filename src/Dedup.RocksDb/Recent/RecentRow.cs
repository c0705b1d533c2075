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
[StructLayout(LayoutKind.Sequential, Pack = 8)]
internal struct RecentRow
{
    /// <summary>Size in memory; a test holds the layout to it.</summary>
    public const int Size = 48;

    /// <summary>The ID's key.</summary>
    public EventKey Key;

    /// <summary>Time that the window counts from.</summary>
    public long SeenMs;

    /// <summary>Offset in the input.</summary>
    public long SourceOffset;

    /// <summary>Hash of the payload.</summary>
    public ulong Fingerprint;

    /// <summary>Hash of tenant and type.</summary>
    public uint ScopeTag;

    /// <summary>Number of the bucket within its table.</summary>
    public uint Bucket;

    /// <summary>A row.</summary>
    public RecentRow(in EventKey key, in SeenEntry entry, uint bucket)
    {
        Key = key;
        SeenMs = entry.SeenMs;
        SourceOffset = entry.SourceOffset;
        Fingerprint = entry.Fingerprint;
        ScopeTag = entry.ScopeTag;
        Bucket = bucket;
    }

    /// <summary>What is remembered of the ID.</summary>
    public readonly SeenEntry Entry => new(SeenMs, SourceOffset, Fingerprint, ScopeTag);
}
