using Dedup.Contracts.Changelog;
using Dedup.RocksDb.Filter;
using Dedup.RocksDb.Native;

namespace Dedup.RocksDb;

/// <summary>
/// A bucket of a store. The lane reads, the worker writes; each field says when. A bucket that was dropped and comes back is a
/// new object, so that rows of the old one stay dead.
/// </summary>
internal sealed class BucketState(BucketId id)
{
    private FamilyHandle? _family;
    private BlockedFilter? _filter;
    private long _count;
    private volatile bool _isDropped;

    /// <summary>Which bucket.</summary>
    public BucketId Id { get; } = id;

    /// <summary>Name of its column family and files.</summary>
    public string Name { get; } = $"{id.Class}-{id.Index}";

    /// <summary>Its column family; null until something was sealed into it.</summary>
    public FamilyHandle? Family
    {
        get => Volatile.Read(ref _family);
        set => Volatile.Write(ref _family, value);
    }

    /// <summary>Its filter; null while there is none, then lookups go through.</summary>
    public BlockedFilter? Filter
    {
        get => Volatile.Read(ref _filter);
        set => Volatile.Write(ref _filter, value);
    }

    /// <summary>IDs in RocksDB.</summary>
    public long Count
    {
        get => Interlocked.Read(ref _count);
        set => Interlocked.Exchange(ref _count, value);
    }

    /// <summary>Set by the lane: nothing of it counts any more, nothing is written to it.</summary>
    public bool IsDropped
    {
        get => _isDropped;
        set => _isDropped = value;
    }

    /// <summary>The file from which the filter can be made again; used by the worker only.</summary>
    public KeyLog? Keys { get; set; }

    /// <summary>Whether a filter is being made; used by the worker only.</summary>
    public bool IsBuilding { get; set; }

    /// <summary>The bucket that a column family's name stands for; null when the name is none of ours.</summary>
    public static BucketId? Parse(string name)
    {
        int dash = name.IndexOf('-', StringComparison.Ordinal);
        return
            dash > 0
            && ushort.TryParse(name.AsSpan(0, dash), out ushort windowClass)
            && long.TryParse(name.AsSpan(dash + 1), out long index)
            ? new BucketId(windowClass, index)
            : null;
    }
}
