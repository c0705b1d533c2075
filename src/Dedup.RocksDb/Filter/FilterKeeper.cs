using System.Collections.Concurrent;
using Dedup.RocksDb.Seal;

namespace Dedup.RocksDb.Filter;

/// <summary>
/// Makes, grows, and lets go of a store's filters, within the budget of the process. Runs on the worker; only
/// <see cref="FreeRetired"/> belongs to the lane.
/// </summary>
/// <remarks>
/// A bucket has one filter. When it has fewer than <see cref="GrowBelow"/> bits for each ID a larger one is made in the
/// background from the key log, and takes its place. When the budget has no room for both, the old one serves on until
/// <see cref="ReplaceBelow"/>, then goes first, and lookups go through for the second that the new one takes. When the budget
/// has no room at all the filter fills up, until below <see cref="DropBelow"/> it is not worth its memory.
/// </remarks>
internal sealed class FilterKeeper(StoreBudget budget, Storage storage) : IDisposable
{
    private const double GrowBelow = 12;
    private const double ReplaceBelow = 10;
    private const double DropBelow = 3;

    // Room for half as many again: memory for an ID is then 12 to 18 bits, and each ID is read from the log twice in all.
    private const double Growth = 1.5;
    private const long SmallestBytes = 64 << 10;
    private readonly ConcurrentQueue<BlockedFilter> _retired = new();
    private long _bytes;

    /// <summary>Bytes of the filters in use, and of those made at the moment.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>A filter for a bucket that has nothing in RocksDB yet; null when there is no memory for one.</summary>
    public BlockedFilter? ForNewBucket(long expected) =>
        Make((long)(expected * Growth * GrowBelow / 8));

    /// <summary>After a seal or a start: makes a better filter when the bucket needs one.</summary>
    public void Consider(BucketState bucket)
    {
        if (
            bucket.IsBuilding
            || bucket.IsDropped
            || bucket.Family is null
            || bucket.Keys is not { } keys
        )
        {
            return;
        }

        double count = Math.Max(1, keys.Count);
        BlockedFilter? old = bucket.Filter;
        double bits = old is null ? 0 : old.Bytes * 8 / count;
        if (bits >= GrowBelow)
        {
            return;
        }

        BlockedFilter? next = Make((long)(count * Growth * GrowBelow / 8));
        if (next is null && (old is null || bits < ReplaceBelow))
        {
            // The best that memory allows, if that is better than what there is.
            long room = budget.FreeFilterBytes + (old?.Bytes ?? 0);
            if (room * 8 / count >= Math.Max(DropBelow, bits * 1.2))
            {
                Retire(bucket);
                next = Make(Math.Min(room, (long)(count * Growth * GrowBelow / 8)));
            }
        }

        if (next is null)
        {
            DropWhenUseless(bucket, bits);
            return;
        }

        bucket.IsBuilding = true;
        storage.Post(new FilterBuild(bucket, next, this, storage));
    }

    /// <summary>Puts a new filter in a bucket's place for the old.</summary>
    public void Publish(BucketState bucket, BlockedFilter filter)
    {
        BlockedFilter? old = bucket.Filter;
        bucket.Filter = filter;
        if (old is not null)
        {
            LetGo(old);
        }
    }

    /// <summary>Takes the filter from a bucket.</summary>
    public void Retire(BucketState bucket)
    {
        if (bucket.Filter is { } old)
        {
            bucket.Filter = null;
            LetGo(old);
        }
    }

    /// <summary>Gives a filter back that no one asks.</summary>
    public void Discard(BlockedFilter filter)
    {
        Return(filter.Bytes);
        filter.Dispose();
    }

    /// <summary>Frees filters that were replaced. Called by the lane, which alone asks them, when it asks none.</summary>
    public void FreeRetired()
    {
        while (_retired.TryDequeue(out BlockedFilter? filter))
        {
            filter.Dispose();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => FreeRetired();

    private BlockedFilter? Make(long bytes)
    {
        long size = Math.Max(SmallestBytes, bytes);
        if (!budget.TryTakeFilterBytes(size))
        {
            return null;
        }

        var filter = new BlockedFilter(size);
        // The size is rounded to blocks; what was taken must equal what is given back.
        budget.ReturnFilterBytes(size - filter.Bytes);
        _ = Interlocked.Add(ref _bytes, filter.Bytes);
        return filter;
    }

    private void DropWhenUseless(BucketState bucket, double bits)
    {
        if (bits is > 0 and < DropBelow)
        {
            Retire(bucket);
        }
    }

    private void LetGo(BlockedFilter filter)
    {
        Return(filter.Bytes);
        _retired.Enqueue(filter);
    }

    private void Return(long bytes)
    {
        _ = Interlocked.Add(ref _bytes, -bytes);
        budget.ReturnFilterBytes(bytes);
    }
}
