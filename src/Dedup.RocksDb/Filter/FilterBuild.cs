using System.Runtime.CompilerServices;
using Dedup.RocksDb.Seal;

namespace Dedup.RocksDb.Filter;

/// <summary>
/// Fills a new filter from a bucket's key log, a piece at a time, so that seals of other stores go on in between. Seals of the
/// same bucket append to the log meanwhile; the worker runs one thing at a time, so when the end is reached nothing is missing.
/// </summary>
internal sealed class FilterBuild(
    BucketState bucket,
    BlockedFilter filter,
    FilterKeeper keeper,
    Storage storage
) : IBackgroundWork
{
    // 256 K keys: 2 MB read and about 2 ms of work before others have their turn.
    private const int PiecesPerTurn = 4;
    private ulong _checksum = KeyLog.EmptyChecksum;
    private long _position;
    private bool _isEnded;

    /// <inheritdoc/>
    public bool Run(WorkerScratch scratch)
    {
        if (bucket.IsDropped || storage.IsClosing || bucket.Keys is not { IsComplete: true } keys)
        {
            Dispose();
            return false;
        }

        for (int i = 0; i < PiecesPerTurn && _position < keys.Count; i++)
        {
            if (!TryAddPiece(keys, scratch.Keys))
            {
                Dispose();
                storage.RebuildKeys(bucket);
                return false;
            }
        }

        if (_position < keys.Count)
        {
            return true;
        }

        if (_checksum != keys.Checksum)
        {
            Dispose();
            storage.RebuildKeys(bucket);
            return false;
        }

        _isEnded = true;
        bucket.IsBuilding = false;
        keeper.Publish(bucket, filter);
        return false;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_isEnded)
        {
            _isEnded = true;
            bucket.IsBuilding = false;
            keeper.Discard(filter);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private bool TryAddPiece(KeyLog keys, ulong[] target)
    {
        try
        {
            int n = keys.Read(_position, target);
            ReadOnlySpan<ulong> piece = target.AsSpan(0, n);
            foreach (ulong key in piece)
            {
                _ = filter.Add(key);
            }

            _checksum = KeyLog.Extend(_checksum, piece);
            _position += n;
            return true;
        }
        catch (IOException)
        {
            // The file is only a shortcut: what it says can be had from RocksDB.
            return false;
        }
    }
}
