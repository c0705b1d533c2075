using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Dedup.Contracts.Changelog;
using Dedup.Contracts.Identity;
using Dedup.RocksDb.Filter;
using Dedup.RocksDb.Native;
using Dedup.RocksDb.Recent;
using Dedup.RocksDb.Seal;
using Dedup.Topology.Ports;

namespace Dedup.RocksDb;

/// <summary>
/// The first-seen store of a partition: recent table, table being sealed, filters, RocksDB. All calls come from one thread;
/// the worker of the <see cref="StoreBudget"/> seals behind it.
/// </summary>
/// <remarks>
/// What an ID means is kept exact whatever the state of seals: in a bucket the entry with the greatest time stands for it,
/// in whichever tier it lies; among buckets the one with the greatest time within the window answers.
/// </remarks>
internal sealed class RocksStore : IFirstSeenStore
{
    // How far ahead of its turn the slot of an ID is fetched: about the number of lines that can be under way at once.
    private const int AddAhead = 12;

    private readonly Storage _storage;
    private readonly StoreBudget _budget;
    private readonly Dictionary<BucketId, BucketState> _byId = [];
    private readonly List<BucketState> _buckets = [];
    private readonly Finder _finder;
    private ImmutableArray<BucketId> _bucketIds;
    private BucketState? _lastBucket;
    private RecentTable _recent;
    private RecentTable _kept;
    private SealJob? _seal;
    private int _rows;
    private bool _isClosed;

    /// <summary>Takes an open storage.</summary>
    internal RocksStore(Storage storage, StoreHeader? header, StoreBudget budget)
    {
        _storage = storage;
        _budget = budget;
        Header = header;
        _recent = new RecentTable(budget.Rows);
        _kept = new RecentTable(budget.Rows);
        _finder = new Finder(storage);
        foreach (BucketState bucket in storage.Buckets)
        {
            _byId.Add(bucket.Id, bucket);
            _buckets.Add(bucket);
        }

        _budget.AddStores(1);
    }

    /// <inheritdoc/>
    public StoreHeader? Header { get; private set; }

    /// <inheritdoc/>
    public long Count
    {
        get
        {
            long sum = _recent.LiveCount + (_seal is null ? 0 : _kept.LiveCount);
            foreach (BucketState bucket in _buckets)
            {
                sum += bucket.Count;
            }

            return sum;
        }
    }

    /// <inheritdoc/>
    public long MemoryBytes =>
        _storage.Filters.Bytes + _storage.ReaderBytes + _recent.MemoryBytes + _kept.MemoryBytes;

    /// <inheritdoc/>
    public bool WantsSeal => _seal is null && _recent.Count > 0 && _budget.IsAtBound(_recent.Count);

    /// <inheritdoc/>
    public bool IsFull => _seal is not null && _budget.IsAtBound(_recent.Count);

    /// <inheritdoc/>
    public ImmutableArray<BucketId> Buckets
    {
        get
        {
            if (_bucketIds.IsDefault)
            {
                _bucketIds = [.. _buckets.Select(static b => b.Id).Order()];
            }

            return _bucketIds;
        }
    }

    /// <summary>Bits of filters for each ID; for tests and measurements.</summary>
    internal double FilterBitsPerId => _storage.Filters.Bytes * 8.0 / Math.Max(1, Count);

    /// <summary>Whether filters are still being made and lookups go through; for tests and measurements.</summary>
    internal bool IsBuildingFilters => _storage.Pending > 0;

    /// <summary>Whether a seal is under way on disk; for tests.</summary>
    internal bool IsSealing => _seal is { IsDone: false };

    /// <inheritdoc/>
    public void Find(ReadOnlySpan<StoreProbe> probes, Span<StoreHit> hits)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(hits.Length, probes.Length);
        Step();
        try
        {
            _finder.Find(probes, hits, _recent, _kept, _buckets);
        }
        catch (RocksException e)
        {
            _storage.Fail(e);
            ThrowFailure();
        }
    }

    /// <inheritdoc/>
    public void Add(ReadOnlySpan<NewEntry> entries)
    {
        Step();
        for (int i = 0; i < entries.Length; i++)
        {
            if (i + AddAhead < entries.Length)
            {
                _recent.PrefetchFor(entries[i + AddAhead].Key);
            }

            ref readonly NewEntry entry = ref entries[i];
            BucketState bucket =
                _lastBucket is { } last && last.Id == entry.Bucket ? last : BucketOf(entry.Bucket);
            _ = _recent.Add(entry.Key, entry.Entry, bucket);
        }

        _budget.AddRows(_recent.Count - _rows, 0);
        _rows = _recent.Count;
    }

    /// <inheritdoc/>
    public void BeginSeal(StoreHeader header)
    {
        ArgumentNullException.ThrowIfNull(header);
        Step();
        if (_seal is not null)
        {
            throw new InvalidOperationException(
                "A seal is under way: wait for it before the next."
            );
        }

        (_recent, _kept) = (_kept, _recent);
        _budget.AddRows(-_rows, _rows - _recent.Count);
        _rows = 0;
        _recent.Reset();
        _seal = new SealJob(_kept, header, _storage);
        _storage.CrashPoint(StoreCrashPoints.SealCut);
        _storage.Post(_seal);
    }

    /// <inheritdoc/>
    public void Step()
    {
        ObjectDisposedException.ThrowIf(_isClosed, this);
        if (_storage.Failure is not null)
        {
            ThrowFailure();
        }

        if (_seal is { IsDone: true } seal)
        {
            // The table answers on until the next cut needs its memory: repeats are mostly of IDs seen lately, and RocksDB
            // takes 20 times as long for them.
            Header = seal.Header;
            _seal = null;
        }

        if (_seal is null && _kept.Count > 0 && _budget.MustGiveUp(_kept.Count))
        {
            _budget.AddRows(0, -_kept.Count);
            _kept.Reset();
        }

        _storage.Filters.FreeRetired();
    }

    /// <inheritdoc/>
    public void WaitForSeal()
    {
        if (_seal is { } seal)
        {
            _storage.WaitFor(() => seal.IsDone);
        }

        Step();
    }

    /// <inheritdoc/>
    public void DropBuckets(ReadOnlySpan<BucketId> buckets)
    {
        Step();
        foreach (BucketId id in buckets)
        {
            if (_byId.Remove(id, out BucketState? bucket))
            {
                bucket.IsDropped = true;
                _ = _buckets.Remove(bucket);
                _lastBucket = null;
                _bucketIds = default;
                _storage.Post(new DropJob(bucket, _storage));
            }
        }
    }

    /// <inheritdoc/>
    public void Close(StoreHeader? header)
    {
        if (_isClosed)
        {
            return;
        }

        try
        {
            if (header is not null)
            {
                WaitForSeal();
                BeginSeal(header);
                WaitForSeal();
            }
        }
        finally
        {
            Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Close(null);

    private void Release()
    {
        _isClosed = true;
        try
        {
            _storage.Dispose();
        }
        finally
        {
            OpenPaths.GiveBack(_storage.Path);
        }

        _budget.AddRows(-_rows, -_kept.Count);
        _budget.AddStores(-1);
        _seal?.Dispose();
        _recent.Dispose();
        _kept.Dispose();
    }

    private BucketState BucketOf(BucketId id)
    {
        if (!_byId.TryGetValue(id, out BucketState? bucket))
        {
            bucket = new BucketState(id);
            _byId.Add(id, bucket);
            _buckets.Add(bucket);
            _bucketIds = default;
        }

        return _lastBucket = bucket;
    }

    [DoesNotReturn]
    private void ThrowFailure()
    {
        Exception failure = _storage.Failure!;
        throw new StoreFailedException(
            $"The store in {_storage.Path} failed: {failure.Message}",
            failure
        )
        {
            IsCorruption = failure is RocksException { Kind: RocksErrorKind.Corruption },
            Partition = _storage.Partition,
        };
    }
}
