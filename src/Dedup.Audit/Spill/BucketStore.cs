using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Dedup.Audit.Spill;

/// <summary>
/// Lists of entries, one for each bucket, in order of arrival. They lie in memory up to a limit and beyond it in one
/// temporary file, in blocks.
/// </summary>
/// <remarks>Used by one thread at a time. Adding allocates only blocks, and those are reused after <see cref="Clear"/>.</remarks>
internal sealed class BucketStore<T> : IDisposable
    where T : unmanaged
{
    private const int BlockEntries = BlockPool<T>.BlockEntries;

    private readonly List<Block>[] _full;
    private readonly T[]?[] _open;
    private readonly int[] _openCounts;
    private readonly BlockPool<T> _pool;
    private readonly SpillFile _file;

    /// <summary>Makes a store.</summary>
    /// <param name="buckets">Number of lists.</param>
    /// <param name="pool">Where blocks come from; at least one for each bucket is taken.</param>
    /// <param name="file">Where the rest goes. Owned by the caller.</param>
    public BucketStore(int buckets, BlockPool<T> pool, SpillFile file)
    {
        _full = new List<Block>[buckets];
        _open = new T[]?[buckets];
        _openCounts = new int[buckets];
        _file = file;
        _pool = pool;
        for (int i = 0; i < buckets; i++)
        {
            _full[i] = [];
        }
    }

    /// <summary>Number of lists.</summary>
    public int Buckets => _full.Length;

    /// <summary>Adds an entry.</summary>
    public void Add(int bucket, in T entry)
    {
        T[]? open = _open[bucket];
        int count = _openCounts[bucket];
        if (open is null || count == BlockEntries)
        {
            open = NextBlock(bucket);
            count = 0;
        }

        open[count] = entry;
        _openCounts[bucket] = count + 1;
    }

    /// <summary>Number of entries of a bucket.</summary>
    public int Count(int bucket) =>
        checked((_full[bucket].Count * BlockEntries) + _openCounts[bucket]);

    /// <summary>Copies a bucket in order of arrival and returns the number of entries; the array grows as needed.</summary>
    public int Read(int bucket, ref T[] target)
    {
        int count = Count(bucket);
        if (target.Length < count)
        {
            target = new T[Math.Max(count, target.Length * 2)];
        }

        int at = 0;
        foreach (Block block in _full[bucket])
        {
            if (block.Entries is null)
            {
                _file.Read(
                    block.FileOffset,
                    MemoryMarshal.AsBytes(target.AsSpan(at, BlockEntries))
                );
            }
            else
            {
                block.Entries.AsSpan().CopyTo(target.AsSpan(at));
            }

            at += BlockEntries;
        }

        _open[bucket]?.AsSpan(0, _openCounts[bucket]).CopyTo(target.AsSpan(at));
        return count;
    }

    /// <summary>Forgets a bucket and keeps its blocks for others.</summary>
    public void Clear(int bucket)
    {
        foreach (Block block in _full[bucket])
        {
            if (block.Entries is not null)
            {
                _pool.Return(block.Entries);
            }
        }

        _full[bucket].Clear();
        if (_open[bucket] is { } open)
        {
            _pool.Return(open);
            _open[bucket] = null;
        }

        _openCounts[bucket] = 0;
    }

    public void Dispose()
    {
        for (int i = 0; i < _full.Length; i++)
        {
            Clear(i);
        }
    }

    private T[] NextBlock(int bucket)
    {
        T[]? open = _open[bucket];
        if (open is not null)
        {
            if (_pool.IsExhausted)
            {
                // Over the limit: the block goes to the file and is used again at once.
                long offset = _file.Append(MemoryMarshal.AsBytes(open.AsSpan()));
                _full[bucket].Add(new Block(null, offset));
                return open;
            }

            _full[bucket].Add(new Block(open, 0));
        }

        T[] fresh = _pool.Take();
        _open[bucket] = fresh;
        return fresh;
    }

    private readonly record struct Block(T[]? Entries, long FileOffset);
}
