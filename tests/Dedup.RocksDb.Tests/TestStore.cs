using System.Collections.Immutable;
using Dedup.Contracts.Changelog;
using Dedup.Contracts.Identity;
using Dedup.Topology.Ports;

namespace Dedup.RocksDb.Tests;

/// <summary>A directory that goes away with the test, and what stores are made of.</summary>
internal sealed class TestStore : IDisposable
{
    public TestStore(long budgetBytes = 64 << 20)
    {
        // In memory where there is such a place: these tests sync thousands of times, and it is not the disk that they test.
        string parent = Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath();
        Root = Path.Combine(parent, "dedup-store-" + Guid.NewGuid().ToString("n"));
        Budget = new StoreBudget(budgetBytes);
    }

    public string Root { get; }

    public StoreBudget Budget { get; private set; }

    public string PartitionPath => Path.Combine(Root, "0");

    public RocksStoreFactory Factory(Action<string>? crashPoint = null) =>
        new(Root, Budget, crashPoint);

    public IFirstSeenStore Open(Action<string>? crashPoint = null)
    {
        StoreOpening opening = Factory(crashPoint).Open(0);
        return opening.Store
            ?? throw new InvalidOperationException($"{opening.Status}: {opening.Detail}");
    }

    public static Marker MarkerAt(long inputOffset) =>
        new()
        {
            RecipeVersion = 7,
            ClusterId = "cluster",
            InputTopicId = "topic",
            PartitionCount = 4,
            HashKey0 = 1,
            HashKey1 = 2,
            InputOffset = inputOffset,
            Writer = "dedup-test-0",
            Classes = [],
            Buckets = [],
            Counts = [],
        };

    public static StoreHeader HeaderAt(long inputOffset) =>
        new(MarkerAt(inputOffset), inputOffset * 10);

    /// <summary>A key as a hash would make it.</summary>
    public static EventKey KeyOf(long n) => new(Mix((ulong)n * 2), Mix(((ulong)n * 2) + 1));

    public static NewEntry Entry(long n, long seenMs, BucketId bucket) =>
        new(KeyOf(n), new SeenEntry(seenMs, n, 0, 0), bucket);

    public static StoreHit FindOne(
        IFirstSeenStore store,
        EventKey key,
        long timestampMs,
        long windowMs
    )
    {
        var hits = new StoreHit[1];
        store.Find([new StoreProbe(key, timestampMs, windowMs)], hits);
        return hits[0];
    }

    public static void CopyDirectory(string from, string to)
    {
        _ = Directory.CreateDirectory(to);
        foreach (string directory in Directory.EnumerateDirectories(from))
        {
            CopyDirectory(directory, Path.Combine(to, Path.GetFileName(directory)));
        }

        foreach (string file in Directory.EnumerateFiles(from))
        {
            if (Path.GetFileName(file) != "LOCK")
            {
                File.Copy(file, Path.Combine(to, Path.GetFileName(file)), overwrite: true);
            }
        }
    }

    public void Dispose()
    {
        Budget.Dispose();
        if (Directory.Exists(Root))
        {
            Directory.Delete(Root, recursive: true);
        }
    }

    private static ulong Mix(ulong x)
    {
        x += 0x9E37_79B9_7F4A_7C15;
        x = (x ^ (x >> 30)) * 0xBF58_476D_1CE4_E5B9;
        x = (x ^ (x >> 27)) * 0x94D0_49BB_1331_11EB;
        return x ^ (x >> 31);
    }
}
