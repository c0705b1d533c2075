using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Dedup.Contracts.Identity;
using Dedup.RocksDb.Filter;
using Dedup.RocksDb.Native;
using Dedup.RocksDb.Recent;
using Dedup.Topology.Ports;
using Dedup.Topology.Proof;

namespace Dedup.RocksDb.Seal;

/// <summary>Writes a cut table to disk: sort, one SST file for each bucket, ingest, filters, and last of all the header.</summary>
/// <remarks>
/// A crash at any point leaves the old header, from whose floor the changelog is replayed: what is in RocksDB beyond it was
/// committed before the cut, so it is true, and replaying it again changes nothing.
/// </remarks>
internal sealed class SealJob(RecentTable table, StoreHeader header, Storage storage)
    : IBackgroundWork
{
    // Rows are read in the order of keys, that is at random: far enough ahead that memory answers in time.
    private const int PrefetchDistance = 16;
    private volatile bool _isDone;

    // Which bug is planted is known on the lane's thread only.
    private readonly bool _isHeaderEarly = Planted.Is(PlantedBug.FloorBeforeBuckets);

    /// <summary>The cut table; answers until the seal is complete.</summary>
    public RecentTable Table { get; } = table;

    /// <summary>What becomes the store's header.</summary>
    public StoreHeader Header { get; } = header;

    /// <summary>Whether everything is in and the header written.</summary>
    public bool IsDone => _isDone;

    /// <inheritdoc/>
    public bool Run(WorkerScratch scratch)
    {
        var files = new List<SealedFile>(Table.Buckets.Count);
        var ends = new int[Table.Buckets.Count];
        scratch.Sorter.Group(Table, ends);
        for (int i = 0; i < ends.Length; i++)
        {
            int start = i == 0 ? 0 : ends[i - 1];
            if (!Table.Buckets[i].IsDropped && ends[i] > start)
            {
                files.Add(WriteFile(Table.Buckets[i], scratch.Sorter, start, ends[i] - start));
            }
        }

        if (_isHeaderEarly)
        {
            storage.WriteHeader(Header);
        }

        storage.CrashPoint(StoreCrashPoints.SealSstWritten);
        foreach (SealedFile file in files)
        {
            Ingest(file, scratch);
            storage.CrashPoint(StoreCrashPoints.SealBetweenIngests);
        }

        storage.CrashPoint(StoreCrashPoints.SealBeforeFloor);
        storage.WriteHeader(Header);
        storage.CrashPoint(StoreCrashPoints.SealAfterFloor);
        _isDone = true;
        storage.CountReaders();
        foreach (BucketState bucket in storage.Buckets)
        {
            storage.Filters.Consider(bucket);
        }

        return false;
    }

    /// <inheritdoc/>
    public void Dispose() { }

    // Optimised at once: a seal runs this loop a million times, but calls it too seldom to be compiled anew in time (half of the
    // time of a seal went into the first, slow version).
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private SealedFile WriteFile(BucketState bucket, KeySorter sorter, int start, int length)
    {
        ReadOnlySpan<SortItem> items = sorter.Sort(Table, start, length);
        BlockedFilter? filter = bucket.Filter;
        FamilyHandle? family = bucket.Family;
        if (family is null)
        {
            filter = storage.Filters.ForNewBucket(length);
            bucket.Filter = filter;
            family = storage.CreateFamily(bucket);
        }

        Span<byte> key = stackalloc byte[EventKey.Size];
        Span<byte> value = stackalloc byte[EntryCodec.MaxSize];
        using SstWriter writer = storage.CreateFile(bucket, out string path);
        for (int i = 0; i < items.Length; i++)
        {
            Table.PrefetchRow((int)items[Math.Min(i + PrefetchDistance, items.Length - 1)].Row);
            ref RecentRow row = ref Table[(int)items[i].Row];
            _ = filter?.Add(row.Key.High);
            row.Key.Write(key);
            int valueLength = EntryCodec.Write(row.Entry, value);
            writer.Put(key, value[..valueLength]);
        }

        writer.Finish();
        return new SealedFile(bucket, family, path, start, length);
    }

    private void Ingest(SealedFile file, WorkerScratch scratch)
    {
        if (file.Bucket.IsDropped)
        {
            File.Delete(file.Path);
            return;
        }

        PageCache.Load(file.Path);
        storage.Ingest(file.Family, file.Path);
        ReadOnlySpan<SortItem> rest = scratch.Sorter.Items(file.Start, file.Length);
        while (rest.Length > 0)
        {
            int n = Math.Min(rest.Length, scratch.Keys.Length);
            for (int i = 0; i < n; i++)
            {
                scratch.Keys[i] = rest[i].Prefix;
            }

            file.Bucket.Keys!.Append(scratch.Keys.AsSpan(0, n));
            rest = rest[n..];
        }

        file.Bucket.Count += file.Length;
    }

    private readonly record struct SealedFile(
        BucketState Bucket,
        FamilyHandle Family,
        string Path,
        int Start,
        int Length
    );
}
