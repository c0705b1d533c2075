namespace Dedup.RocksDb.Seal;

/// <summary>Drops a bucket on disk, after the seal that may just be writing to it.</summary>
internal sealed class DropJob(BucketState bucket, Storage storage) : IBackgroundWork
{
    /// <inheritdoc/>
    public bool Run(WorkerScratch scratch)
    {
        storage.CrashPoint(StoreCrashPoints.BucketBeforeDrop);
        storage.Drop(bucket);
        storage.CrashPoint(StoreCrashPoints.BucketAfterDrop);
        return false;
    }

    /// <inheritdoc/>
    public void Dispose() { }
}
