using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Dedup.Contracts.Changelog;
using Dedup.Contracts.Identity;
using Dedup.RocksDb;
using Dedup.Topology.Ports;

namespace Dedup.Bench.Store;

/// <summary>
/// Cost of the store by itself: unknown IDs and 10 % repeats of one of the last million, as it grows. One partition, one
/// thread, seals and merges behind it.
/// </summary>
/// <example><code>store --ids 100M --memory-mb 384 --buckets 1 --directory /tmp/store-bench</code></example>
public static class StoreBench
{
    private const int Batch = 4096;
    private const int RepeatPercent = 10;
    private const long RepeatSpan = 1_000_000;
    private const long Span = 2_000_000;
    private static readonly JsonSerializerOptions _json = new() { WriteIndented = true };

    /// <summary>Runs and prints a table and JSON; the exit code is 0.</summary>
    public static int Run(string[] args)
    {
        long ids = Number(args, "--ids", 20_000_000);
        long memory = Number(args, "--memory-mb", 384) << 20;
        int buckets = (int)Number(args, "--buckets", 1);
        string directory =
            Text(args, "--directory") ?? Path.Combine(Path.GetTempPath(), "dedup-store-bench");
        if (Directory.Exists(directory))
        {
            Directory.Delete(directory, recursive: true);
        }

        using var budget = new StoreBudget(memory);
        var run = new Workload(new RocksStoreFactory(directory, budget), budget, buckets);
        var rows = new List<Row>();
        Console.WriteLine(
            "      ids   ns/record  find ns  miss ns  table hit  disk hit  old hit  add ns  wait ns  seal ns  cpu ns  filter bits  memory MB  rss MB  files MB  fill cpu ns"
        );
        for (long mark = 1_000_000; ; mark = Math.Min(ids, mark * 3))
        {
            double fill = run.FillTo(mark);
            Row row = run.Measure(Span, directory) with { FillCpuNanoseconds = fill };
            rows.Add(row);
            Console.WriteLine(row);
            if (mark >= ids)
            {
                break;
            }
        }

        Console.WriteLine(
            $"{rows[^1].Ids / 1e6:n0} M against 1 M: {rows[^1].Nanoseconds / rows[0].Nanoseconds:f2}x"
        );
        Reopening reopening = run.Reopen();
        Console.WriteLine(reopening);
        Console.WriteLine(JsonSerializer.Serialize(new { rows, reopening }, _json));
        run.Dispose();
        Directory.Delete(directory, recursive: true);
        return 0;
    }

    private static long Number(string[] args, string name, long otherwise)
    {
        if (Text(args, name) is not { } text)
        {
            return otherwise;
        }

        long factor = char.ToUpperInvariant(text[^1]) switch
        {
            'K' => 1_000,
            'M' => 1_000_000,
            _ => 1,
        };
        return factor * long.Parse(factor == 1 ? text : text[..^1], CultureInfo.InvariantCulture);
    }

    private static string? Text(string[] args, string name)
    {
        int at = Array.IndexOf(args, name);
        return at >= 0 && at + 1 < args.Length ? args[at + 1] : null;
    }

    private sealed record Row(
        long Ids,
        double Nanoseconds,
        double FindNanoseconds,
        double MissNanoseconds,
        double TableHitNanoseconds,
        double DiskHitNanoseconds,
        double OldHitNanoseconds,
        double AddNanoseconds,
        double WaitNanoseconds,
        double SealNanoseconds,
        double CpuNanoseconds,
        double FilterBits,
        double MemoryMegabytes,
        double RssMegabytes,
        double FilesMegabytes,
        double FillCpuNanoseconds = 0
    )
    {
        public override string ToString() =>
            $"{Ids, 9:n0} {Nanoseconds, 10:n0} {FindNanoseconds, 8:n0} {MissNanoseconds, 8:n0} {TableHitNanoseconds, 9:n0} {DiskHitNanoseconds, 9:n0} {OldHitNanoseconds, 8:n0} {AddNanoseconds, 7:n0} {WaitNanoseconds, 8:n0} {SealNanoseconds, 8:n0} "
            + $"{CpuNanoseconds, 7:n0} {FilterBits, 12:n1} {MemoryMegabytes, 10:n1} {RssMegabytes, 7:n0} {FilesMegabytes, 9:n0} {FillCpuNanoseconds, 12:n0}";
    }

    private sealed record Reopening(
        double OpenMilliseconds,
        double FiltersMilliseconds,
        double CloseMilliseconds
    )
    {
        public override string ToString() =>
            $"close {CloseMilliseconds:n0} ms, open {OpenMilliseconds:n0} ms, filters back after {FiltersMilliseconds:n0} ms";
    }

    private sealed class Workload(RocksStoreFactory factory, StoreBudget budget, int buckets)
        : IDisposable
    {
        private readonly StoreProbe[] _probes = new StoreProbe[Batch];
        private readonly StoreHit[] _hits = new StoreHit[Batch];
        private readonly NewEntry[] _entries = new NewEntry[Batch];
        private readonly Random _random = new(1);
        private IFirstSeenStore _store = factory.Open(0).Store!;
        private long _next;
        private long _find;
        private long _add;
        private long _wait;

        public void Dispose() => _store.Dispose();

        /// <summary>Fills; returns the CPU time of the process for each ID, merges of RocksDB included.</summary>
        public double FillTo(long ids)
        {
            long first = _next;
            TimeSpan before = Process.GetCurrentProcess().TotalProcessorTime;
            while (_next < ids)
            {
                Step();
            }

            Settle();
            return (Process.GetCurrentProcess().TotalProcessorTime - before).TotalNanoseconds
                / Math.Max(Batch, _next - first);
        }

        /// <summary>Waits until seals and merges of the filling do not disturb what is measured.</summary>
        public void Settle()
        {
            _store.WaitForSeal();
            TimeSpan before;
            do
            {
                before = Process.GetCurrentProcess().TotalProcessorTime;
                Thread.Sleep(200);
            } while (
                (Process.GetCurrentProcess().TotalProcessorTime - before).TotalMilliseconds > 20
            );
        }

        public Row Measure(long records, string directory)
        {
            long ids = _next;
            _find = _add = _wait = 0;
            TimeSpan cpu = Process.GetCurrentProcess().TotalProcessorTime;
            long started = Stopwatch.GetTimestamp();
            long done = 0;
            for (; done < records; done += Batch)
            {
                Step();
            }

            double wall = Stopwatch.GetElapsedTime(started).TotalNanoseconds / done;
            Settle();
            double used =
                (Process.GetCurrentProcess().TotalProcessorTime - cpu).TotalNanoseconds / done;
            return new Row(
                ids,
                wall,
                (double)_find / done,
                EachFind(static (_, _, n) => -n),
                EachFind(static (next, random, _) => next - 1 - random.NextInt64(100_000)),
                EachFind(
                    static (next, random, _) =>
                        Math.Max(0, next - 1_600_000 - random.NextInt64(500_000))
                ),
                EachFind(static (next, random, _) => random.NextInt64(next)),
                (double)_add / done,
                Each(_wait, done),
                EachSealed(),
                used,
                ((RocksStore)_store).FilterBitsPerId,
                budget.MemoryBytes / 1048576.0,
                Environment.WorkingSet / 1048576.0,
                new DirectoryInfo(directory)
                    .EnumerateFiles("*", SearchOption.AllDirectories)
                    .Sum(static f => f.Length) / 1048576.0
            );
        }

        public Reopening Reopen()
        {
            long start = Stopwatch.GetTimestamp();
            _store.Close(Header());
            double close = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            start = Stopwatch.GetTimestamp();
            _store = factory.Open(0).Store!;
            double open = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            long before = -1;
            while (before != _store.MemoryBytes || before < 1 << 20)
            {
                before = _store.MemoryBytes;
                Thread.Sleep(50);
                _store.Step();
            }

            return new Reopening(open, Stopwatch.GetElapsedTime(start).TotalMilliseconds, close);
        }

        /// <summary>CPU time of a question about IDs of one kind.</summary>
        private double EachFind(Func<long, Random, long, long> choose)
        {
            const int rounds = 16;
            long used = 0;
            for (int round = 0; round < rounds; round++)
            {
                for (int i = 0; i < Batch; i++)
                {
                    long id = choose(_next, _random, (round * Batch) + i + 1);
                    _probes[i] = new StoreProbe(KeyOf(id), TimeOf(Math.Abs(id)), 86_400_000);
                }

                long start = ThreadClock.Now;
                _store.Find(_probes, _hits);
                used += round < rounds / 2 ? 0 : ThreadClock.Now - start;
            }

            return (double)used / (rounds / 2 * Batch);
        }

        /// <summary>CPU time of a seal for each ID: sort, files, ingest, filter, key log.</summary>
        private double EachSealed()
        {
            Settle();
            _store.BeginSeal(Header());
            _store.WaitForSeal();
            long first = _next;
            while (!_store.WantsSeal)
            {
                for (int i = 0; i < Batch; i++)
                {
                    long id = _next++;
                    EventKey key = KeyOf(id);
                    _entries[i] = new NewEntry(
                        key,
                        new SeenEntry(TimeOf(id), id, 0, 0),
                        BucketOf(key)
                    );
                }

                _store.Add(_entries);
            }

            TimeSpan before = Process.GetCurrentProcess().TotalProcessorTime;
            _store.BeginSeal(Header());
            _store.WaitForSeal();
            TimeSpan used = Process.GetCurrentProcess().TotalProcessorTime - before;
            return used.TotalNanoseconds / (_next - first);
        }

        private BucketId BucketOf(in EventKey key) => new(0, (long)(key.Low % (ulong)buckets));

        private static double Each(long ticks, long records) =>
            TimeSpan.FromSeconds((double)ticks / Stopwatch.Frequency).TotalNanoseconds / records;

        private void Step()
        {
            long first = _next;
            for (int i = 0; i < Batch; i++)
            {
                bool isRepeat = first > RepeatSpan && _random.Next(100) < RepeatPercent;
                long id = isRepeat ? first - 1 - _random.NextInt64(RepeatSpan) : _next++;
                _probes[i] = new StoreProbe(KeyOf(id), TimeOf(id), 86_400_000);
            }

            long t0 = ThreadClock.Now;
            _store.Find(_probes, _hits);
            long t1 = ThreadClock.Now;
            int n = 0;
            for (int i = 0; i < Batch; i++)
            {
                if (!_hits[i].IsFound)
                {
                    ref StoreProbe p = ref _probes[i];
                    _entries[n++] = new NewEntry(
                        p.Key,
                        new SeenEntry(p.TimestampMs, first + i, 0, 0),
                        BucketOf(p.Key)
                    );
                }
            }

            if (n != _next - first)
            {
                throw new InvalidOperationException(
                    $"{n} firsts where {_next - first} were expected."
                );
            }

            long t2 = ThreadClock.Now;
            _store.Add(_entries.AsSpan(0, n));
            long t3 = ThreadClock.Now;
            long s3 = Stopwatch.GetTimestamp();
            if (_store.WantsSeal)
            {
                _store.BeginSeal(Header());
            }

            while (_store.IsFull)
            {
                _store.WaitForSeal();
            }

            _find += t1 - t0;
            _add += t3 - t2;
            _wait += Stopwatch.GetTimestamp() - s3;
        }

        private StoreHeader Header() =>
            new(
                new Marker
                {
                    RecipeVersion = 1,
                    ClusterId = "bench",
                    InputTopicId = "bench",
                    PartitionCount = 1,
                    HashKey0 = 1,
                    HashKey1 = 2,
                    InputOffset = _next,
                    Writer = "bench",
                    Classes = [],
                    Buckets = [],
                    Counts = [],
                },
                _next
            );

        private static long TimeOf(long id) => 1_700_000_000_000 + (id / 500);

        private static EventKey KeyOf(long id) => new(Mix((ulong)id * 2), Mix(((ulong)id * 2) + 1));

        // SplitMix64: as even as the hash that makes real keys.
        private static ulong Mix(ulong x)
        {
            x += 0x9E37_79B9_7F4A_7C15;
            x = (x ^ (x >> 30)) * 0xBF58_476D_1CE4_E5B9;
            x = (x ^ (x >> 27)) * 0x94D0_49BB_1331_11EB;
            return x ^ (x >> 31);
        }
    }
}
