using Dedup.RocksDb.Native;
using Dedup.RocksDb.Seal;

namespace Dedup.RocksDb.Filter;

/// <summary>Makes a bucket's key log anew from RocksDB, a piece at a time, when the file is missing or torn.</summary>
/// <remarks>
/// The scan sees RocksDB as it was when it began; what is sealed meanwhile is appended to the log by the seal. In the end all
/// is in it, some keys perhaps twice, which a filter does not mind.
/// </remarks>
internal sealed class KeyRebuild(BucketState bucket, Storage storage) : IBackgroundWork
{
    private ReadOptionsHandle? _options;
    private KeyScan? _scan;

    /// <inheritdoc/>
    public bool Run(WorkerScratch scratch)
    {
        if (
            bucket.IsDropped
            || storage.IsClosing
            || bucket.Family is not { } family
            || bucket.Keys is not { } keys
        )
        {
            Dispose();
            return false;
        }

        if (_scan is null)
        {
            _options = new ReadOptionsHandle(fillCache: false);
            _scan = new KeyScan(storage.Database, family, _options);
        }

        int n = _scan.Read(scratch.Keys);
        keys.Append(scratch.Keys.AsSpan(0, n));
        if (n == scratch.Keys.Length)
        {
            return true;
        }

        keys.IsComplete = true;
        Dispose();
        storage.Filters.Consider(bucket);
        return false;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        bucket.IsBuilding = false;
        _scan?.Dispose();
        _options?.Dispose();
    }
}
