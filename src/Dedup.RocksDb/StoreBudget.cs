using Dedup.RocksDb.Native;
using Dedup.RocksDb.Recent;
using Dedup.RocksDb.Seal;

namespace Dedup.RocksDb;

/// <summary>
/// Memory and the worker thread that all stores of a process share. Make one, hand it to every
/// <see cref="RocksStoreFactory"/>, dispose of it after the last store.
/// </summary>
public sealed class StoreBudget : IDisposable
{
    /// <summary>Least memory that a budget can be: below it seals become so small that RocksDB drowns in files.</summary>
    public const long MinBytes = 16L << 20;

    // Filters, our own and those of the files: 100 M IDs take 160 and 100 MB, of 384 MiB they have 265. Recent tables: 1.5 M IDs,
    // since what repeats does so mostly within these. The rest is RocksDB's block cache, for IDs that come again later.
    private const double FilterShare = 0.66;
    private const double RecentShare = 0.3;

    // Row 48 bytes, slots 6 to 13, and two sort items of 16 for the half that is being sealed.
    private const int BytesPerRow = 80;

    // A seal of fewer IDs makes files so small that their number costs more than their content.
    private const int FewestRowsPerSeal = 1024;
    private long _filterBytesTaken;
    private long _readerBytes;
    private int _filling;
    private int _kept;
    private int _stores;

    /// <summary>Makes a budget.</summary>
    /// <param name="bytes">
    /// Bytes over filters, recent tables, and block cache of all stores; at least <see cref="MinBytes"/>. Of the setting
    /// state.memory it is what prefetching leaves.
    /// </param>
    public StoreBudget(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bytes, MinBytes);
        Bytes = bytes;
        FilterBytes = (long)(bytes * FilterShare);
        MaxRows = (int)Math.Min(bytes * RecentShare / BytesPerRow, RecentTable.MaxRows);
        Cache = new CacheHandle(bytes - FilterBytes - (long)(bytes * RecentShare));
        Worker = new StoreWorker();
        Rows = new RowPool();
    }

    /// <summary>Bytes in all.</summary>
    public long Bytes { get; }

    /// <summary>Bytes that filters may take, our own and those of open files.</summary>
    public long FilterBytes { get; }

    /// <summary>IDs that recent tables, filling and sealed, may hold over the whole process.</summary>
    public int MaxRows { get; }

    /// <summary>Bytes in use by filters, tables, sorting, and the block cache of all stores.</summary>
    public long MemoryBytes =>
        Interlocked.Read(ref _filterBytesTaken)
        + Rows.Bytes
        + Worker.MemoryBytes
        + Cache.UsageBytes;

    internal CacheHandle Cache { get; }

    internal StoreWorker Worker { get; }

    internal RowPool Rows { get; }

    internal long FreeFilterBytes =>
        FilterBytes - Interlocked.Read(ref _filterBytesTaken) - Interlocked.Read(ref _readerBytes);

    /// <summary>Rows that every open store may have whatever the others do: half of all, evenly.</summary>
    internal int RowsPerStore =>
        Math.Max(FewestRowsPerSeal, MaxRows / 2 / Math.Max(1, Volatile.Read(ref _stores)));

    /// <summary>Whether a filling table of so many rows has had its part.</summary>
    internal bool IsAtBound(int rows) =>
        rows >= MaxRows / 2 || (rows >= RowsPerStore && Volatile.Read(ref _filling) >= MaxRows / 2);

    /// <summary>Whether a sealed table of so many rows, kept only because it answers quickly, must go.</summary>
    internal bool MustGiveUp(int rows) =>
        rows > RowsPerStore && Volatile.Read(ref _filling) + Volatile.Read(ref _kept) > MaxRows;

    internal void AddRows(int filling, int kept)
    {
        _ = Interlocked.Add(ref _filling, filling);
        _ = Interlocked.Add(ref _kept, kept);
    }

    internal void AddStores(int change) => _ = Interlocked.Add(ref _stores, change);

    internal bool TryTakeFilterBytes(long bytes)
    {
        while (true)
        {
            long taken = Interlocked.Read(ref _filterBytesTaken);
            if (taken + bytes > FilterBytes - Interlocked.Read(ref _readerBytes))
            {
                return false;
            }

            if (Interlocked.CompareExchange(ref _filterBytesTaken, taken + bytes, taken) == taken)
            {
                return true;
            }
        }
    }

    internal void AddReaderBytes(long change) => _ = Interlocked.Add(ref _readerBytes, change);

    internal void ReturnFilterBytes(long bytes) =>
        _ = Interlocked.Add(ref _filterBytesTaken, -bytes);

    /// <summary>Stops the worker and frees the memory; every store must be closed.</summary>
    public void Dispose()
    {
        Worker.Dispose();
        Rows.Dispose();
        Cache.Dispose();
    }
}
