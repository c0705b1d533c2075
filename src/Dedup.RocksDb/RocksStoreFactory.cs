using System.Collections.Immutable;
using Dedup.Contracts.Changelog;
using Dedup.RocksDb.Filter;
using Dedup.RocksDb.Native;
using Dedup.RocksDb.Seal;
using Dedup.Topology.Ports;

namespace Dedup.RocksDb;

/// <summary>Opens the stores of a pipeline, one RocksDB for each partition.</summary>
/// <param name="root">Directory of the pipeline's state; made when missing.</param>
/// <param name="budget">Memory and worker, shared by all stores of the process.</param>
/// <param name="crashPoint">
/// Called with the name of each point at which a test may end the process: seal-cut, seal-sst-written, seal-between-ingests,
/// seal-before-floor, seal-after-floor, bucket-before-drop, bucket-after-drop. On the lane's thread or the worker's.
/// </param>
public sealed class RocksStoreFactory(
    string root,
    StoreBudget budget,
    Action<string>? crashPoint = null
) : IStoreFactory
{
    private const int LongestReason = 40;

    /// <summary>Directory of the pipeline's state.</summary>
    public string Root { get; } = Path.GetFullPath(root);

    /// <inheritdoc/>
    public StoreOpening Open(int partition)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(partition);
        string path = PathOf(partition);
        if (!OpenPaths.TryTake(path))
        {
            return new StoreOpening(
                StoreOpenStatus.Locked,
                null,
                $"{path} is open in this process"
            );
        }

        bool isOpen = false;
        try
        {
            RocksStore store = OpenAt(partition, path);
            isOpen = true;
            return new StoreOpening(StoreOpenStatus.Opened, store, null);
        }
        catch (RocksException e) when (e.Kind == RocksErrorKind.LockHeld)
        {
            return new StoreOpening(StoreOpenStatus.Locked, null, e.Message);
        }
        catch (RocksException e) when (e.Kind == RocksErrorKind.Corruption)
        {
            return new StoreOpening(StoreOpenStatus.Corrupt, null, e.Message);
        }
        catch (Exception e) when (e is RocksException or IOException or UnauthorizedAccessException)
        {
            throw new StoreFailedException($"The store in {path} cannot be opened: {e.Message}", e);
        }
        finally
        {
            if (!isOpen)
            {
                OpenPaths.GiveBack(path);
            }
        }
    }

    /// <inheritdoc/>
    public void SetAside(int partition, string why)
    {
        string path = PathOf(partition);
        if (!OpenPaths.TryTake(path))
        {
            return;
        }

        try
        {
            SetAside(partition, path, why);
        }
        finally
        {
            OpenPaths.GiveBack(path);
        }
    }

    private void SetAside(int partition, string path, string why)
    {
        if (!Directory.Exists(path))
        {
            return;
        }

        string reason = string.Concat(
            why.Select(static c => char.IsAsciiLetterOrDigit(c) ? c : '-')
        )[..Math.Min(why.Length, LongestReason)];
        int n = 1;
        while (
            Directory
                .EnumerateFileSystemEntries(Root, $"{partition}.aside-{n}*")
                .Any(e => IsAside(e, partition, n))
        )
        {
            n++;
        }

        try
        {
            Directory.Move(path, $"{path}.aside-{n}{(reason.Length == 0 ? "" : "-" + reason)}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StoreFailedException(
                $"The store in {path} cannot be set aside: {e.Message}",
                e
            );
        }
    }

    private static bool IsAside(string entry, int partition, int n)
    {
        string name = Path.GetFileName(entry);
        string mine = $"{partition}.aside-{n}";
        return name == mine || name.StartsWith(mine + "-", StringComparison.Ordinal);
    }

    private string PathOf(int partition) => Path.Combine(Root, partition.ToString());

    private RocksStore OpenAt(int partition, string path)
    {
        _ = Directory.CreateDirectory(path);
        using OptionsHandle options = RocksSettings.ForDatabase();
        OptionsHandle bucketOptions = RocksSettings.ForBuckets(budget.Cache);
        Database database;
        FamilyHandle[] families;
        ImmutableArray<string> names;
        try
        {
            names = FamiliesOf(options, path);
            database = Database.Open(options, bucketOptions, path, names, out families);
        }
        catch
        {
            bucketOptions.Dispose();
            throw;
        }

        FamilyHandle header = families[names.IndexOf(Database.DefaultFamily)];
        var storage = new Storage(
            partition,
            path,
            database,
            header,
            bucketOptions,
            budget,
            crashPoint
        );
        try
        {
            return Resume(partition, storage, names, families);
        }
        catch
        {
            // Key logs that are being made anew read from the families.
            storage.EndWork();
            Array.ForEach(families, static f => f.Dispose());
            storage.Dispose();
            throw;
        }
    }

    private static ImmutableArray<string> FamiliesOf(OptionsHandle options, string path)
    {
        if (File.Exists(Path.Combine(path, "CURRENT")))
        {
            return Database.ListFamilies(options, path);
        }

        // Without CURRENT RocksDB would make a new database and delete the files of the old one: they are evidence.
        string? left = Directory
            .EnumerateFiles(path)
            .FirstOrDefault(static f =>
                f.EndsWith(".sst", StringComparison.Ordinal)
                || Path.GetFileName(f).StartsWith("MANIFEST-", StringComparison.Ordinal)
            );
        return left is null
            ? [Database.DefaultFamily]
            : throw new RocksException(
                "open",
                path,
                $"Corruption: CURRENT is missing, but there is {Path.GetFileName(left)}"
            );
    }

    private RocksStore Resume(
        int partition,
        Storage storage,
        ImmutableArray<string> names,
        FamilyHandle[] families
    )
    {
        StoreHeader? header = null;
        ImmutableArray<BucketRecord> records = [];
        if (storage.ReadHeader() is { } bytes)
        {
            header =
                HeaderCodec.TryRead(bytes, out records, out int? owner)
                ?? throw new RocksException(
                    "read",
                    storage.Path,
                    "Corruption: the header is not readable"
                );
            if (owner is { } other && other != partition)
            {
                // Floor and hash key are another partition's: what lies below that floor would be taken for known.
                throw new RocksException(
                    "read",
                    storage.Path,
                    $"Corruption: this is the store of partition {other}, not of {partition}"
                );
            }
        }

        ClearSealDirectory(storage.Path);
        _ = Directory.CreateDirectory(Storage.FilterDirectory(storage.Path));
        for (int i = 0; i < names.Length; i++)
        {
            if (names[i] != Database.DefaultFamily)
            {
                Admit(storage, names[i], families[i], records);
            }
        }

        RemoveStrayLogs(storage);
        return new RocksStore(storage, header, budget);
    }

    private static void Admit(
        Storage storage,
        string name,
        FamilyHandle family,
        ImmutableArray<BucketRecord> records
    )
    {
        BucketId id =
            BucketState.Parse(name)
            ?? throw new RocksException(
                "open",
                storage.Path,
                $"Corruption: column family {name} is none of ours"
            );
        BucketRecord record = records.FirstOrDefault(r => r.Id == id && r.Entries > 0);
        if (storage.Database.FileBytes(family) == 0)
        {
            if (record.Entries > 0)
            {
                throw new RocksException(
                    "open",
                    storage.Path,
                    $"Corruption: bucket {id} is empty, but the header counts {record.Entries} IDs"
                );
            }

            // Made by a seal that ended before its file was in.
            storage.Database.DropFamily(family);
            family.Dispose();
            return;
        }

        var bucket = new BucketState(id);
        storage.Admit(bucket, family);
        bucket.Keys = new KeyLog(Storage.KeyLogPath(storage.Path, bucket));
        // What the header does not know of will be replayed, and counted then.
        bucket.Count = record.Entries;
        if (record.Entries > 0 && bucket.Keys.Resume(record.Keys, record.Checksum))
        {
            storage.Filters.Consider(bucket);
        }
        else
        {
            storage.RebuildKeys(bucket);
        }
    }

    private static void ClearSealDirectory(string path)
    {
        DirectoryInfo directory = Directory.CreateDirectory(Storage.SealDirectory(path));
        foreach (FileInfo file in directory.EnumerateFiles("*.sst"))
        {
            file.Delete();
        }
    }

    private static void RemoveStrayLogs(Storage storage)
    {
        foreach (
            string file in Directory.EnumerateFiles(Storage.FilterDirectory(storage.Path), "*.keys")
        )
        {
            string name = Path.GetFileNameWithoutExtension(file);
            if (!storage.Buckets.Any(b => b.Name == name))
            {
                File.Delete(file);
            }
        }
    }
}
