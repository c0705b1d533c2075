using System.Globalization;
using Dedup.Contracts.Changelog;
using Dedup.Contracts.Identity;
using Dedup.RocksDb;
using Dedup.Simulation.Chance;
using Dedup.Simulation.Clients;
using Dedup.Simulation.Faults;
using Dedup.Simulation.Runs;
using Dedup.Simulation.Worlds;
using Dedup.Topology.Ports;

namespace Dedup.Simulation.Disk;

/// <summary>
/// A state directory of the real store. Where a process dies its files are copied as they are at that moment, with RocksDB open
/// and a seal half done: that is what kill -9 leaves, and what the next process opens.
/// </summary>
internal sealed class RealDisk(string home) : IStateDisk
{
    /// <summary>Tries for a copy with nothing changing meanwhile.</summary>
    private const int CopyAttempts = 50;

    private readonly List<RealStore> _open = [];
    private readonly HashSet<int> _corrupted = [];
    private int _life;

    /// <summary>The directory of the process that runs now.</summary>
    public string Root => Path.Combine(home, _life.ToString(CultureInfo.InvariantCulture));

    public IStoreFactory Stores(ClientEnvironment env, int capacity, Rng chance) =>
        new RealStoreFactory(env, this, capacity, chance);

    public void OnDeath()
    {
        string before = Root;
        _life++;
        if (Directory.Exists(before))
        {
            CopyAtRest(before, Root);
            foreach (RealStore store in _open.ToArray())
            {
                store.Dispose();
            }

            Directory.Delete(before, recursive: true);
        }
    }

    public void Lose()
    {
        _corrupted.Clear();
        if (Directory.Exists(Root))
        {
            Directory.Delete(Root, recursive: true);
        }
    }

    public void MakeForeign()
    {
        foreach (int partition in Partitions())
        {
            using var budget = new StoreBudget(StoreBudget.MinBytes);
            StoreOpening opening = new RocksStoreFactory(Root, budget).Open(partition);
            if (opening.Store is { Header: { } header } store)
            {
                store.Close(header with { Marker = header.Marker with { RecipeVersion = 1 } });
            }

            opening.Store?.Dispose();
        }
    }

    public IEnumerable<IStoreEvidence> Evidence()
    {
        foreach (int partition in Partitions())
        {
            if (_corrupted.Contains(partition))
            {
                continue;
            }

            // A copy: looking at it must not be what repairs it.
            string look = Path.Combine(home, "look");
            Copy(
                Path.Combine(Root, partition.ToString(CultureInfo.InvariantCulture)),
                Path.Combine(look, partition.ToString(CultureInfo.InvariantCulture))
            );
            using var budget = new StoreBudget(StoreBudget.MinBytes);
            StoreOpening opening = new RocksStoreFactory(look, budget).Open(partition);
            IFirstSeenStore store =
                opening.Store
                ?? throw new ViolationException(
                    new Violation(
                        "I5",
                        $"store {partition} does not open after a death: {opening.Status}: {opening.Detail}"
                    )
                );
            using (store)
            {
                yield return new RealEvidence(partition, store);
            }

            Directory.Delete(look, recursive: true);
        }
    }

    public void Dispose()
    {
        foreach (RealStore store in _open.ToArray())
        {
            store.Dispose();
        }

        if (Directory.Exists(home))
        {
            Directory.Delete(home, recursive: true);
        }
    }

    public void Remember(RealStore store) => _open.Add(store);

    public void Forget(RealStore store) => _open.Remove(store);

    public bool IsOpen(int partition) => _open.Exists(store => store.Partition == partition);

    /// <summary>Damages a store so that RocksDB says Corruption; nothing happens where there is none, or it is open.</summary>
    public void Corrupt(int partition)
    {
        string current = Path.Combine(
            Root,
            partition.ToString(CultureInfo.InvariantCulture),
            "CURRENT"
        );
        if (!IsOpen(partition) && File.Exists(current))
        {
            File.WriteAllText(current, "MANIFEST");
            _ = _corrupted.Add(partition);
        }
    }

    /// <summary>Whether that store may be found corrupt.</summary>
    public bool IsCorrupted(int partition) => _corrupted.Contains(partition);

    /// <summary>What was set aside is not looked at any more.</summary>
    public void RemoveAside(int partition)
    {
        _ = _corrupted.Remove(partition);
        foreach (string aside in Directory.GetDirectories(Root, $"{partition}.aside-*"))
        {
            Directory.Delete(aside, recursive: true);
        }
    }

    private int[] Partitions() =>
        Directory.Exists(Root)
            ? Directory
                .GetDirectories(Root)
                .Select(static path =>
                    int.Parse(Path.GetFileName(path), CultureInfo.InvariantCulture)
                )
                .Order()
                .ToArray()
            : [];

    /// <summary>The worker stands still; RocksDB's own threads may be removing files, and then the copy is no moment's image.</summary>
    private static void CopyAtRest(string from, string to)
    {
        for (int attempt = 0; attempt < CopyAttempts; attempt++)
        {
            try
            {
                string[] before = Names(from);
                Copy(from, to);
                if (before.SequenceEqual(Names(from)))
                {
                    return;
                }
            }
            catch (FileNotFoundException)
            {
                // One that was listed is gone: once more.
            }

            if (Directory.Exists(to))
            {
                Directory.Delete(to, recursive: true);
            }
        }

        throw new InvalidOperationException($"{from} does not come to rest");
    }

    private static string[] Names(string root) =>
        [
            .. new DirectoryInfo(root)
                .GetFiles("*", SearchOption.AllDirectories)
                .Select(static file => $"{file.FullName} {file.Length}")
                .Order(StringComparer.Ordinal),
        ];

    private static void Copy(string from, string to)
    {
        _ = Directory.CreateDirectory(to);
        foreach (string directory in Directory.GetDirectories(from))
        {
            Copy(directory, Path.Combine(to, Path.GetFileName(directory)));
        }

        foreach (string file in Directory.GetFiles(from))
        {
            if (Path.GetFileName(file) is not ("LOCK" or "LOG"))
            {
                File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
            }
        }
    }
}

/// <summary>Opens real stores.</summary>
internal sealed class RealStoreFactory(
    ClientEnvironment env,
    RealDisk disk,
    int capacity,
    Rng chance
) : IStoreFactory
{
    /// <summary>A store that is open elsewhere in the process is asked for again after so long, in ms.</summary>
    private const int LockedMs = 5;

    public StoreOpening Open(int partition)
    {
        env.Enter(Point.StoreOpen, partition);
        if (env.Faults.Happens(FaultKind.DiskFull))
        {
            throw new StoreFailedException($"partition {partition}: no space left on device");
        }

        if (env.Faults.Happens(FaultKind.DiskLocked))
        {
            env.Actor.SleepUntilMs = env.World.NowMs + LockedMs;
            return new StoreOpening(StoreOpenStatus.Locked, null, "LOCK is held");
        }

        if (env.Faults.Happens(FaultKind.DiskCorrupt))
        {
            disk.Corrupt(partition);
        }

        int owner = Environment.CurrentManagedThreadId;
        var gate = new WorkerGate();
        var budget = new StoreBudget(StoreBudget.MinBytes);
        var factory = new RocksStoreFactory(
            disk.Root,
            budget,
            point =>
            {
                if (Environment.CurrentManagedThreadId == owner)
                {
                    env.Leave();
                }
                else
                {
                    gate.Reached(point);
                }
            }
        );
        StoreOpening opening = factory.Open(partition);
        if (opening.Status == StoreOpenStatus.Opened)
        {
            var store = new RealStore(
                env,
                disk,
                (RocksStore)opening.Store!,
                budget,
                gate,
                new RealStoreOptions(partition, capacity, chance)
            );
            disk.Remember(store);
            return opening with { Store = store };
        }

        budget.Dispose();
        if (opening.Status == StoreOpenStatus.Locked)
        {
            env.Actor.SleepUntilMs = env.World.NowMs + LockedMs;
        }
        else if (!disk.IsCorrupted(partition))
        {
            throw new ViolationException(
                new Violation("I5", $"store {partition} is corrupt: {opening.Detail}")
            );
        }

        return opening;
    }

    public void SetAside(int partition, string why)
    {
        env.Enter(Point.StoreSetAside, partition);
        if (disk.IsOpen(partition))
        {
            return;
        }

        using var budget = new StoreBudget(StoreBudget.MinBytes);
        new RocksStoreFactory(disk.Root, budget).SetAside(partition, why);
        disk.RemoveAside(partition);
    }
}

/// <summary>A real store, asked through the product's own port: what lies on disk answers, since it was opened anew.</summary>
internal sealed class RealEvidence(int partition, IFirstSeenStore store) : IStoreEvidence
{
    public int Partition => partition;

    public StoreHeader? Header => store.Header;

    public bool Holds(BucketId bucket, EventKey key, SeenEntry entry)
    {
        StoreHit hit = Find(key, entry.SeenMs, long.MaxValue / 4);
        return hit.IsFound && hit.Entry.SeenMs >= entry.SeenMs;
    }

    public IEnumerable<(EventKey Key, SeenEntry Entry)> Entries(
        IReadOnlyList<(EventKey Key, SeenEntry Entry)> sent
    )
    {
        foreach ((EventKey key, SeenEntry entry) in sent)
        {
            StoreHit hit = Find(key, entry.SeenMs, 0);
            if (hit.IsFound)
            {
                yield return (key, hit.Entry);
            }
        }
    }

    private StoreHit Find(EventKey key, long timeMs, long windowMs)
    {
        var hits = new StoreHit[1];
        store.Find([new StoreProbe(key, timeMs, windowMs)], hits);
        return hits[0];
    }
}
