using Dedup.Contracts.Changelog;
using Dedup.Contracts.Identity;
using Dedup.Host.Advise;
using Dedup.Host.Running;
using Dedup.Host.Tests.Configuration;
using Dedup.RocksDb;
using Dedup.Topology.Identify;
using Dedup.Topology.Ports;
using Dedup.Topology.Windows;

namespace Dedup.Host.Tests.Advise;

/// <summary>The figures that the advice calculates with are those of the store and the changelog.</summary>
public sealed class StateNeedsTests
{
    private const int Ids = 200_000;
    private const long SeenMs = 1_700_000_000_000;

    [Fact]
    public void An_id_on_disk_takes_what_the_advice_says()
    {
        string root = Directory.CreateTempSubdirectory("dedup-advise-test-").FullName;
        try
        {
            using var budget = new StoreBudget(64 << 20);
            using (IFirstSeenStore store = new RocksStoreFactory(root, budget).Open(0).Store!)
            {
                store.Add([.. Enumerable.Range(0, Ids).Select(Entry)]);
                store.Close(new StoreHeader(Marker, 1));
            }

            // Without what RocksDB writes whatever it holds: its log, manifest, and options.
            double bytes = new DirectoryInfo(root)
                .EnumerateFiles("*.sst", SearchOption.AllDirectories)
                .Sum(static f => f.Length);
            (bytes / Ids).ShouldBe(StateNeeds.DiskBytesPerId, 0.05 * StateNeeds.DiskBytesPerId);
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    [Fact]
    public void An_id_in_the_changelog_takes_what_the_advice_says()
    {
        byte[] target = new byte[1 << 20];
        var writer = new ChunkWriter(target, SeenMs, withTags: false, withFingerprints: false);
        for (int i = 0; i < 10_000; i++)
        {
            NewEntry entry = Entry(i);
            writer.TryAdd(entry.Key, entry.Entry).ShouldBeTrue();
        }

        ((double)writer.Length / writer.Count).ShouldBe(StateNeeds.ChangelogBytesPerId, 1.5);
    }

    [Fact]
    public void Filters_have_the_share_of_the_memory_that_the_advice_says()
    {
        var config = Load.Good(Load.Minimal);
        using StoreBudget budget = Composition.Budget(config);
        ((double)budget.FilterBytes / config.State.MemoryBytes).ShouldBe(
            StateNeeds.FilterShare,
            0.001
        );
    }

    [Fact]
    public void Ids_are_kept_for_window_grace_and_a_bucket()
    {
        const long window = 24 * 3_600_000L;
        var needs = new StateNeeds(1000, 0.9, window);
        var windows = new WindowClass(0, "", window, window);
        needs.KeptMs.ShouldBeInRange(
            windows.RetentionMs + windows.BucketWidthMs - 1,
            windows.RetentionMs + windows.BucketWidthMs
        );
        needs.Ids.ShouldBe(900 * 48 * 3600 * 8 / 7.0, 1);
    }

    private static NewEntry Entry(int n)
    {
        byte[] id = BitConverter.GetBytes(n);
        return new NewEntry(
            new SipHash(1, 2).Hash(id),
            new SeenEntry(SeenMs + (n / 10), n, 0, 0),
            new BucketId(0, 1)
        );
    }

    private static Marker Marker =>
        new()
        {
            RecipeVersion = 1,
            ClusterId = "c",
            InputTopicId = "t",
            PartitionCount = 1,
            HashKey0 = 1,
            HashKey1 = 2,
            InputOffset = Ids,
            Writer = "w",
            Classes = [],
            Buckets = [],
            Counts = [],
        };
}
