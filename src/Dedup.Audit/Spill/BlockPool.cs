using System.Runtime.CompilerServices;

namespace Dedup.Audit.Spill;

/// <summary>
/// The blocks of one kind of entry, used again from partition to partition: left to the collector, those of the partition
/// before would still be in memory beside those of the next.
/// </summary>
internal sealed class BlockPool<T>
    where T : unmanaged
{
    /// <summary>Entries in a block: 20 KiB at 80 bytes, large enough that a write costs nothing beside its bytes.</summary>
    public const int BlockEntries = 256;

    private readonly Stack<T[]> _free = new();
    private long _made;

    /// <summary>Memory that blocks may take; may be changed between partitions.</summary>
    public long MemoryBytes { get; set; }

    /// <summary>Whether there is no block left within the limit.</summary>
    public bool IsExhausted =>
        _free.Count == 0 && _made * BlockEntries * Unsafe.SizeOf<T>() >= MemoryBytes;

    /// <summary>A block; beyond the limit too, since each bucket needs one.</summary>
    public T[] Take()
    {
        if (_free.TryPop(out T[]? block))
        {
            return block;
        }

        _made++;
        return new T[BlockEntries];
    }

    /// <summary>Gives a block back.</summary>
    public void Return(T[] block) => _free.Push(block);
}
