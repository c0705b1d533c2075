using System.Diagnostics;
using Dedup.Contracts.Changelog;
using Dedup.RocksDb.Native;
using Dedup.RocksDb.Seal;
using Dedup.Topology.Ports;
using Shouldly;
using Xunit;

namespace Dedup.RocksDb.Tests;

/// <summary>Damaged files, locks, full disks: what is wrong is said, nothing is deleted, nothing is invented.</summary>
public sealed class BadDayTests
{
    private static readonly BucketId _bucket = new(0, 1);
    private const int Ids = 5000;

    [Fact]
    public void A_store_that_is_open_is_locked_for_the_next_who_comes()
    {
        using var test = new TestStore();
        using (IFirstSeenStore store = test.Open())
        {
            StoreOpening second = test.Factory().Open(0);
            second.Status.ShouldBe(StoreOpenStatus.Locked);
            second.Store.ShouldBeNull();
            second.Detail!.ShouldContain(test.PartitionPath);
        }

        test.Open().Dispose();
    }

    [Fact]
    public void A_directory_that_cannot_be_made_is_named()
    {
        using var test = new TestStore();
        File.WriteAllText(test.Root, "a file where a directory should be");
        try
        {
            StoreFailedException e = Should.Throw<StoreFailedException>(() => test.Open());
            e.Message.ShouldContain(test.PartitionPath);
            e.IsCorruption.ShouldBeFalse();
        }
        finally
        {
            File.Delete(test.Root);
        }
    }

    [Fact]
    public void A_flipped_manifest_is_corrupt_and_setting_it_aside_makes_room()
    {
        using var test = new TestStore();
        FillAndClose(test);
        Flip(Newest(test, "MANIFEST-*"), 30);
        StoreOpening opening = test.Factory().Open(0);
        opening.Status.ShouldBe(StoreOpenStatus.Corrupt);
        opening.Detail!.ShouldContain(test.PartitionPath);

        test.Factory().SetAside(0, "corrupt: manifest");
        Directory.Exists(test.PartitionPath + ".aside-1-corrupt--manifest").ShouldBeTrue();
        using (IFirstSeenStore store = test.Open())
        {
            store.Header.ShouldBeNull();
            store.Count.ShouldBe(0);
        }

        test.Factory().SetAside(0, "");
        test.Factory().SetAside(0, "nothing is there any more");
        Directory
            .GetDirectories(test.Root)
            .Select(Path.GetFileName)
            .Order()
            .ShouldBe(["0.aside-1-corrupt--manifest", "0.aside-2"]);
    }

    [Fact]
    public void A_store_that_is_open_is_not_set_aside()
    {
        using var test = new TestStore();
        using (IFirstSeenStore store = test.Open())
        {
            // Another lane has set the damaged one aside already and opened a new one.
            test.Factory().SetAside(0, "corrupt");
            test.Factory().Open(0).Status.ShouldBe(StoreOpenStatus.Locked);
        }

        Directory.GetDirectories(test.Root).ShouldBe([test.PartitionPath]);
        test.Factory().SetAside(0, "corrupt");
        Directory.Exists(test.PartitionPath).ShouldBeFalse();
    }

    [Fact]
    public void A_missing_current_file_is_corrupt_and_nothing_is_deleted()
    {
        using var test = new TestStore();
        FillAndClose(test);
        File.Delete(Path.Combine(test.PartitionPath, "CURRENT"));
        test.Factory().Open(0).Status.ShouldBe(StoreOpenStatus.Corrupt);
        Directory.GetFiles(test.PartitionPath, "*.sst").ShouldNotBeEmpty();
    }

    [Fact]
    public void A_missing_or_shortened_data_file_is_corrupt()
    {
        foreach (bool isMissing in new[] { true, false })
        {
            using var test = new TestStore();
            FillAndClose(test);
            string file = LargestData(test);
            if (isMissing)
            {
                File.Delete(file);
            }
            else
            {
                using FileStream stream = File.OpenWrite(file);
                stream.SetLength(stream.Length / 2);
            }

            StoreOpening opening = test.Factory().Open(0);
            opening.Status.ShouldBe(StoreOpenStatus.Corrupt, opening.Detail);
        }
    }

    [Fact]
    public void A_flipped_block_fails_when_it_is_read_and_is_called_corruption()
    {
        using var test = new TestStore();
        FillAndClose(test);
        string file = LargestData(test);
        for (int at = 100; at < 60_000; at += 1000)
        {
            Flip(file, at);
        }

        StoreOpening opening = test.Factory().Open(0);
        if (opening.Status == StoreOpenStatus.Corrupt)
        {
            return;
        }

        using IFirstSeenStore store = opening.Store!;
        StoreFailedException e = Should.Throw<StoreFailedException>(() =>
        {
            for (long n = 0; n < Ids; n++)
            {
                // No answer may be wrong before the damage shows.
                TestStore.FindOne(store, TestStore.KeyOf(n), n, 0).IsFound.ShouldBeTrue();
            }
        });
        e.IsCorruption.ShouldBeTrue(e.Message);
        e.Message.ShouldContain(test.PartitionPath);
    }

    [Fact]
    public void The_store_of_another_partition_is_corrupt_and_left_as_it_is()
    {
        using var test = new TestStore();
        FillAndClose(test);
        Directory.Move(test.PartitionPath, Path.Combine(test.Root, "1"));
        StoreOpening opening = test.Factory().Open(1);
        opening.Status.ShouldBe(StoreOpenStatus.Corrupt);
        opening.Detail!.ShouldContain("the store of partition 0, not of 1");

        Directory.Move(Path.Combine(test.Root, "1"), test.PartitionPath);
        using IFirstSeenStore store = test.Open();
        store.Header.ShouldNotBeNull();
    }

    [Fact]
    public void A_header_that_is_no_header_is_corrupt()
    {
        using var test = new TestStore();
        FillAndClose(test);
        using (OptionsHandle options = RocksSettings.ForDatabase())
        using (OptionsHandle bucketOptions = RocksSettings.ForBuckets(test.Budget.Cache))
        {
            Database database = Database.Open(
                options,
                bucketOptions,
                test.PartitionPath,
                Database.ListFamilies(options, test.PartitionPath),
                out FamilyHandle[] families
            );
            using (var sync = new SyncWriteOptionsHandle())
            {
                database.Put(sync, families[0], HeaderCodec.Key, "nonsense"u8);
            }

            Array.ForEach(families, static f => f.Dispose());
            database.Dispose();
        }

        StoreOpening opening = test.Factory().Open(0);
        opening.Status.ShouldBe(StoreOpenStatus.Corrupt);
        opening.Detail!.ShouldContain("header");

        // It was not left open.
        test.Factory().Open(0).Status.ShouldBe(StoreOpenStatus.Corrupt);
    }

    [Theory]
    [InlineData("missing")]
    [InlineData("short")]
    [InlineData("flipped")]
    [InlineData("long")]
    public void A_damaged_key_log_costs_a_scan_and_no_answer(string damage)
    {
        using var test = new TestStore();
        FillAndClose(test);
        string log = Directory
            .GetFiles(Path.Combine(test.PartitionPath, "filter"))
            .ShouldHaveSingleItem();
        switch (damage)
        {
            case "missing":
                File.Delete(log);
                break;
            case "short":
                using (FileStream stream = File.OpenWrite(log))
                {
                    stream.SetLength(stream.Length / 2);
                }

                break;
            case "flipped":
                Flip(log, 999);
                break;
            default:
                File.AppendAllText(log, "from a seal that never became complete");
                break;
        }

        for (int opening = 0; opening < 2; opening++)
        {
            using IFirstSeenStore store = test.Open();
            store.Count.ShouldBe(Ids);
            CheckAll(store);
            SpinWait.SpinUntil(() => !((RocksStore)store).IsBuildingFilters, 30_000).ShouldBeTrue();
            store.MemoryBytes.ShouldBeGreaterThan(60_000, "the filter is back");
            CheckAll(store);
            store.Close(TestStore.HeaderAt(2));
        }
    }

    [Fact]
    public void What_fails_in_the_background_is_thrown_at_the_next_call()
    {
        using var test = new TestStore();
        using IFirstSeenStore store = test.Open();
        store.Add([TestStore.Entry(1, 1, _bucket)]);
        Directory.Delete(Path.Combine(test.PartitionPath, "seal"), recursive: true);
        File.WriteAllText(Path.Combine(test.PartitionPath, "seal"), "no directory");
        store.BeginSeal(TestStore.HeaderAt(1));
        StoreFailedException e = Should.Throw<StoreFailedException>(store.WaitForSeal);
        e.Message.ShouldContain("rocksdb_sstfilewriter_open");
        e.Message.ShouldContain(test.PartitionPath);
        e.IsCorruption.ShouldBeFalse();
        store.Header.ShouldBeNull();
        Should.Throw<StoreFailedException>(store.Step);
        Should.Throw<StoreFailedException>(() => store.Add([TestStore.Entry(2, 1, _bucket)]));
        Should.Throw<StoreFailedException>(() =>
            TestStore.FindOne(store, TestStore.KeyOf(1), 1, 1)
        );
        Should.Throw<StoreFailedException>(() => store.Close(TestStore.HeaderAt(1)));

        // It is closed all the same.
        File.Delete(Path.Combine(test.PartitionPath, "seal"));
        using IFirstSeenStore again = test.Open();
        again.Header.ShouldBeNull();
    }

    [Theory]
    [InlineData(
        "IO error: No space left on device: While appending to file: x",
        (int)RocksErrorKind.NoSpace
    )]
    [InlineData(
        "IO error: While open a file for random read: x: Too many open files",
        (int)RocksErrorKind.TooManyOpenFiles
    )]
    [InlineData(
        "IO error: While lock file: x/LOCK: Resource temporarily unavailable",
        (int)RocksErrorKind.LockHeld
    )]
    [InlineData("Corruption: block checksum mismatch", (int)RocksErrorKind.Corruption)]
    [InlineData("IO error: Input/output error: While pread", (int)RocksErrorKind.InputOutput)]
    public void Errors_are_told_apart_by_their_text(string message, int kind) =>
        ((int)new RocksException("call", "path", message).Kind).ShouldBe(kind);

    [Fact]
    public void The_newer_library_gives_the_same_answers()
    {
        const string jni = "librocksdbjni-linux64.so";
        string? jar = RocksJar();
        Assert.SkipWhen(
            jar is null,
            "rocksdbjni-10.1.3.jar is not at hand (KAFKA_STREAMS_PEER or ../shared/peers/streams)"
        );
        Assert.SkipWhen(
            Environment.GetEnvironmentVariable(RocksLibrary.Variable) is not null,
            "already another library"
        );
        using var test = new TestStore();
        _ = Directory.CreateDirectory(test.Root);
        string library = Path.Combine(test.Root, jni);
        using (
            System.IO.Compression.ZipArchive archive = System.IO.Compression.ZipFile.OpenRead(jar!)
        )
        {
            System.IO.Compression.ZipFileExtensions.ExtractToFile(archive.GetEntry(jni)!, library);
        }

        // Another library needs another process: this one has loaded its own.
        var start = new ProcessStartInfo(Environment.ProcessPath!)
        {
            RedirectStandardOutput = true,
        };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
        {
            start.ArgumentList.Add(typeof(BadDayTests).Assembly.Location);
        }

        start.ArgumentList.Add("--filter-class");
        start.ArgumentList.Add(typeof(StoreTests).FullName!);
        start.Environment[RocksLibrary.Variable] = library;
        using Process child = Process.Start(start)!;
        string output = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        child.ExitCode.ShouldBe(0, output);
        output.ShouldContain("failed: 0");
    }

    private static string? RocksJar()
    {
        var places = new List<string>();
        if (Environment.GetEnvironmentVariable("KAFKA_STREAMS_PEER") is { Length: > 0 } peer)
        {
            places.Add(peer);
        }

        for (DirectoryInfo? d = new(AppContext.BaseDirectory); d is not null; d = d.Parent)
        {
            places.Add(Path.Combine(d.FullName, "shared", "peers", "streams"));
        }

        return places
            .Select(static p => Path.Combine(p, "libs", "rocksdbjni-10.1.3.jar"))
            .FirstOrDefault(File.Exists);
    }

    private static void FillAndClose(TestStore test)
    {
        using IFirstSeenStore store = test.Open();
        for (long n = 0; n < Ids; n++)
        {
            store.Add([TestStore.Entry(n, n, _bucket)]);
        }

        store.Close(TestStore.HeaderAt(1));
    }

    private static void CheckAll(IFirstSeenStore store)
    {
        for (long n = -1000; n < Ids; n++)
        {
            TestStore.FindOne(store, TestStore.KeyOf(n), n, 0).IsFound.ShouldBe(n >= 0);
        }
    }

    private static string Newest(TestStore test, string pattern) =>
        Directory.GetFiles(test.PartitionPath, pattern).OrderBy(static f => f).Last();

    private static string LargestData(TestStore test) =>
        Directory.GetFiles(test.PartitionPath, "*.sst").MaxBy(static f => new FileInfo(f).Length)!;

    private static void Flip(string path, long at)
    {
        using FileStream stream = File.Open(path, FileMode.Open, FileAccess.ReadWrite);
        stream.Position = at;
        int b = stream.ReadByte();
        stream.Position = at;
        stream.WriteByte((byte)(b ^ 0x5A));
    }
}
