using System.Runtime.CompilerServices;
using Dedup.RocksDb.Native;

namespace Dedup.RocksDb.Recent;

/// <summary>
/// Pieces of memory for rows, shared by all recent tables of the process and used again after each cut: a table that was
/// sealed leaves its memory to whichever grows next.
/// </summary>
internal sealed class RowPool : IDisposable
{
    /// <summary>Rows in a piece: 768 KB, so that a small table does not take much and a large one asks seldom.</summary>
    public const int RowsPerPiece = 1 << 14;

    // 8 pieces have 6 MB: three huge pages. A seal reads rows in the order of keys, which is none in memory.
    private const int PiecesPerSlab = 8;
    private readonly Lock _lock = new();
    private readonly Stack<RowPiece> _free = new();
    private readonly List<NativeArray<RecentRow>> _slabs = [];
    private long _bytes;

    /// <summary>Bytes taken from the system, in use or kept for later, with the slots of all tables.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Counts the memory of slots, which each table takes for itself.</summary>
    public void AddSlotBytes(long change) => _ = Interlocked.Add(ref _bytes, change);

    /// <summary>A piece, its content undefined.</summary>
    public RowPiece Take()
    {
        lock (_lock)
        {
            if (_free.TryPop(out RowPiece piece))
            {
                return piece;
            }

            var slab = new NativeArray<RecentRow>(PiecesPerSlab * RowsPerPiece);
            _slabs.Add(slab);
            _ = Interlocked.Add(ref _bytes, slab.Bytes);
            for (int i = PiecesPerSlab - 1; i > 0; i--)
            {
                _free.Push(new RowPiece(slab, i * RowsPerPiece));
            }

            return new RowPiece(slab, 0);
        }
    }

    /// <summary>Gives a piece back.</summary>
    public void Return(RowPiece piece)
    {
        lock (_lock)
        {
            _free.Push(piece);
        }
    }

    /// <summary>Frees all memory; no table may be in use.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _free.Clear();
            _slabs.ForEach(static s => s.Dispose());
            _slabs.Clear();
        }
    }
}

/// <summary>Memory for <see cref="RowPool.RowsPerPiece"/> rows.</summary>
internal readonly struct RowPiece(NativeArray<RecentRow> slab, int first)
{
    /// <summary>A row of the piece.</summary>
    public ref RecentRow this[int row]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ref slab[first + row];
    }
}
