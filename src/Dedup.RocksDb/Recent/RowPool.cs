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

    private readonly Lock _lock = new();
    private readonly Stack<NativeArray<RecentRow>> _free = new();
    private long _pieces;
    private bool _isDisposed;

    /// <summary>Bytes taken from the system, in use or kept for later.</summary>
    public long Bytes => Interlocked.Read(ref _pieces) * RowsPerPiece * RecentRow.Size;

    /// <summary>A piece, its content undefined.</summary>
    public NativeArray<RecentRow> Take()
    {
        lock (_lock)
        {
            if (_free.TryPop(out NativeArray<RecentRow>? piece))
            {
                return piece;
            }
        }

        var made = new NativeArray<RecentRow>(RowsPerPiece);
        _ = Interlocked.Increment(ref _pieces);
        return made;
    }

    /// <summary>Gives a piece back.</summary>
    public void Return(NativeArray<RecentRow> piece)
    {
        lock (_lock)
        {
            if (!_isDisposed)
            {
                _free.Push(piece);
                return;
            }
        }

        _ = Interlocked.Decrement(ref _pieces);
        piece.Dispose();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock)
        {
            _isDisposed = true;
            while (_free.TryPop(out NativeArray<RecentRow>? piece))
            {
                _ = Interlocked.Decrement(ref _pieces);
                piece.Dispose();
            }
        }
    }
}
