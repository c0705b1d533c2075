using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Dedup.Contracts.Identity;
using Dedup.RocksDb.Filter;
using Dedup.RocksDb.Native;
using Dedup.Topology.Ports;

namespace Dedup.RocksDb.Seal;

/// <summary>What a store has on disk, and the work that is done on it behind the lane.</summary>
/// <remarks>
/// <code>
/// {root}/{partition}/           the RocksDB: column family "default" holds the header, "{class}-{index}" a bucket
/// {root}/{partition}/seal/      SST files being written; whatever lies there at a start is left over from a crash
/// {root}/{partition}/filter/    key logs of the buckets, "{class}-{index}.keys"
/// </code>
/// </remarks>
internal sealed class Storage : IDisposable
{
    private readonly StoreBudget _budget;
    private readonly StoreWorker _worker;
    private readonly Action<string>? _crashPoint;
    private readonly FamilyHandle _header;
    private readonly SyncWriteOptionsHandle _sync = new();
    private readonly ReadOptionsHandle _read = new(fillCache: true);
    private readonly IngestOptionsHandle _ingest = new();
    private readonly EnvOptionsHandle _environment = new();
    private readonly List<BucketState> _buckets = [];
    private Exception? _failure;
    private volatile bool _isClosing;
    private long _nextFile;
    private long _readerBytes;

    /// <summary>Takes an open database.</summary>
    public Storage(
        int partition,
        string path,
        Database database,
        FamilyHandle header,
        OptionsHandle bucketOptions,
        StoreBudget budget,
        Action<string>? crashPoint
    )
    {
        Partition = partition;
        Path = path;
        Database = database;
        BucketOptions = bucketOptions;
        _header = header;
        _budget = budget;
        _worker = budget.Worker;
        _crashPoint = crashPoint;
        Filters = new FilterKeeper(budget, this);
    }

    /// <summary>Input partition.</summary>
    public int Partition { get; }

    /// <summary>Directory of the store.</summary>
    public string Path { get; }

    /// <summary>The database.</summary>
    public Database Database { get; }

    /// <summary>Options of buckets' families and files.</summary>
    public OptionsHandle BucketOptions { get; }

    /// <summary>Bytes that indexes and filters of open files take, as counted last.</summary>
    public long ReaderBytes => Interlocked.Read(ref _readerBytes);

    /// <summary>The filters.</summary>
    public FilterKeeper Filters { get; }

    /// <summary>Pieces of work asked for and not done; guarded by the worker.</summary>
    public int Pending { get; set; }

    /// <summary>What went wrong in the background; nothing more is done after it.</summary>
    public Exception? Failure => Volatile.Read(ref _failure);

    /// <summary>Whether work that can be done again at the next start should stop.</summary>
    public bool IsClosing
    {
        get => _isClosing;
        set => _isClosing = value;
    }

    /// <summary>Buckets that have a column family; used by the worker, and by the factory before there is work.</summary>
    public IReadOnlyList<BucketState> Buckets => _buckets;

    /// <summary>Directory of SST files being written.</summary>
    public static string SealDirectory(string path) => System.IO.Path.Combine(path, "seal");

    /// <summary>Directory of key logs.</summary>
    public static string FilterDirectory(string path) => System.IO.Path.Combine(path, "filter");

    /// <summary>Where the key log of a bucket lies.</summary>
    public static string KeyLogPath(string path, BucketState bucket) =>
        System.IO.Path.Combine(FilterDirectory(path), bucket.Name + ".keys");

    /// <summary>Remembers the first failure.</summary>
    public void Fail(Exception e) => _ = Interlocked.CompareExchange(ref _failure, e, null);

    /// <summary>Names a point at which a test or `dedup crash-test` may end the process.</summary>
    public void CrashPoint(string name) => _crashPoint?.Invoke(name);

    /// <summary>Asks for work.</summary>
    public void Post(IBackgroundWork work) => _worker.Enqueue(this, work);

    /// <summary>Waits until a condition holds that some work makes true, or there is no work left.</summary>
    public void WaitFor(Func<bool> condition) => _worker.WaitFor(this, condition);

    /// <summary>Takes in a bucket that has a column family.</summary>
    public void Admit(BucketState bucket, FamilyHandle family)
    {
        bucket.Family = family;
        _buckets.Add(bucket);
    }

    /// <summary>Makes the column family and the key log of a bucket that had none.</summary>
    public FamilyHandle CreateFamily(BucketState bucket)
    {
        var keys = new KeyLog(KeyLogPath(Path, bucket));
        keys.Restart();
        bucket.Keys = keys;
        FamilyHandle family = Database.CreateFamily(BucketOptions, bucket.Name);
        Admit(bucket, family);
        return family;
    }

    /// <summary>A new SST file.</summary>
    public SstWriter CreateFile(BucketState bucket, out string path)
    {
        path = System.IO.Path.Combine(SealDirectory(Path), $"{_nextFile++}-{bucket.Name}.sst");
        return new SstWriter(_environment, BucketOptions, path);
    }

    /// <summary>Moves an SST file into its bucket.</summary>
    public void Ingest(FamilyHandle family, string file) => Database.Ingest(_ingest, family, file);

    /// <summary>Asks RocksDB for an ID in a bucket. Hot path: no allocation.</summary>
    public bool TryGet(FamilyHandle family, in EventKey key, out SeenEntry entry)
    {
        Span<byte> name = stackalloc byte[EventKey.Size];
        Span<byte> value = stackalloc byte[EntryCodec.MaxSize];
        key.Write(name);
        entry = default;
        int length = Database.Get(_read, family, name, value);
        if (length < 0)
        {
            return false;
        }

        if (length > value.Length || !EntryCodec.TryRead(value[..length], out entry))
        {
            throw Corrupt(key);
        }

        return true;
    }

    /// <summary>Reads the header's bytes; null when there is none.</summary>
    public byte[]? ReadHeader()
    {
        int length = Database.Get(_read, _header, HeaderCodec.Key, []);
        if (length < 0)
        {
            return null;
        }

        var bytes = new byte[length];
        _ = Database.Get(_read, _header, HeaderCodec.Key, bytes);
        return bytes;
    }

    /// <summary>Writes the header, and waits until the disk has it.</summary>
    public void WriteHeader(StoreHeader header)
    {
        var records = new List<BucketRecord>(_buckets.Count);
        foreach (BucketState b in _buckets)
        {
            long keys = b.Keys is { IsComplete: true } ? b.Keys.Count : -1;
            records.Add(new BucketRecord(b.Id, b.Count, keys, b.Keys?.Checksum ?? 0));
        }

        Database.Put(
            _sync,
            _header,
            HeaderCodec.Key,
            HeaderCodec
                .Write(
                    Partition,
                    header,
                    System.Runtime.InteropServices.CollectionsMarshal.AsSpan(records)
                )
                .Span
        );
    }

    /// <summary>Tells the budget what the open files take; after whatever adds files.</summary>
    public void CountReaders()
    {
        long bytes = 0;
        foreach (BucketState bucket in _buckets)
        {
            bytes += bucket.Family is { } family ? Database.ReaderBytes(family) : 0;
        }

        _budget.AddReaderBytes(bytes - _readerBytes);
        _readerBytes = bytes;
    }

    /// <summary>Makes a bucket's key log anew from RocksDB.</summary>
    public void RebuildKeys(BucketState bucket)
    {
        bucket.Keys ??= new KeyLog(KeyLogPath(Path, bucket));
        bucket.Keys.Restart();
        bucket.Keys.IsComplete = false;
        bucket.IsBuilding = true;
        Post(new KeyRebuild(bucket, this));
    }

    /// <summary>Drops a bucket with all that belongs to it.</summary>
    public void Drop(BucketState bucket)
    {
        Filters.Retire(bucket);
        if (bucket.Family is not { } family)
        {
            return;
        }

        Database.DropFamily(family);
        family.Dispose();
        _ = _buckets.Remove(bucket);
        File.Delete(KeyLogPath(Path, bucket));
    }

    /// <summary>Ends the work that can be done again at the next start, and waits for the rest.</summary>
    public void EndWork()
    {
        IsClosing = true;
        WaitFor(static () => false);
    }

    /// <summary>Ends the work, and closes everything.</summary>
    public void Dispose()
    {
        EndWork();
        foreach (BucketState bucket in _buckets)
        {
            Filters.Retire(bucket);
            bucket.Family?.Dispose();
        }

        Filters.Dispose();
        _budget.AddReaderBytes(-_readerBytes);
        Database.CancelBackgroundWork();
        _header.Dispose();
        Database.Dispose();
        BucketOptions.Dispose();
        _sync.Dispose();
        _read.Dispose();
        _ingest.Dispose();
        _environment.Dispose();
    }

    private RocksException Corrupt(in EventKey key) =>
        new("read", Path, $"Corruption: the value of {key} is not an entry");
}
