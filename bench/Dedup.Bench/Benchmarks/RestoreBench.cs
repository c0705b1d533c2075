using System.Diagnostics;
using Dedup.Bench.Clusters;
using Dedup.Bench.Contenders;
using Dedup.Bench.InProcess;
using Dedup.Bench.Reports;
using Dedup.Bench.Workloads;
using Dedup.Kafka.Running;
using Dedup.Kafka.Tasks;

namespace Dedup.Bench.Benchmarks;

/// <summary>
/// The disk is lost: the runtime fills the changelog with N IDs and stops, its state is deleted, and the time is taken from
/// the first task that restores to the last one that is active.
/// </summary>
internal static class RestoreBench
{
    private const string Goal = "≥ 2,000,000";
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(50);

    public static int Run(BenchOptions options)
    {
        using BenchCluster cluster = BenchCluster.Start(options.HeapMiB);
        var report = new Report("restore", Setting.Of(options, cluster.KafkaHome));
        LoadedInput input = BenchInput.Load(cluster, options, long.MaxValue, options.Records);
        var job = new Job(
            cluster,
            BenchInput.Topic,
            options.Partitions,
            options.Lanes,
            options.CommitMs,
            "restore"
        );
        var program = new InProcessProgram(job);
        program.Prepare();
        string[] arguments = [.. program.Arguments()];
        Progress.Say("filling the changelog");
        Fill(arguments, input);
        List<string[]> rows =
        [
            ["restore", "IDs", "seconds", "IDs/s", "µs CPU/ID", "goal"],
        ];
        var runs = new System.Text.Json.Nodes.JsonArray();
        for (int round = 1; round <= options.Rounds; round++)
        {
            Directory.Delete(Arguments.Get(arguments, "--state"), recursive: true);
            (long ids, double seconds, double cpu) = Restore(arguments, options.Partitions);
            rows.Add([
                $"round {round}",
                $"{ids:N0}",
                $"{seconds:F2}",
                $"{input.Ids / seconds:N0}",
                $"{cpu * 1e6 / input.Ids:F2}",
                Goal,
            ]);
            runs.Add(
                new System.Text.Json.Nodes.JsonObject
                {
                    ["ids"] = ids,
                    ["seconds"] = Math.Round(seconds, 3),
                    ["ids_per_s"] = Math.Round(input.Ids / seconds),
                    ["cpu_s_per_million_ids"] = Math.Round(cpu * 1e6 / input.Ids, 3),
                }
            );
            if (ids < input.Ids)
            {
                report.Note($"WRONG: {ids} IDs restored of {input.Ids}");
            }
            else if (ids > input.Ids)
            {
                // The first lane has all partitions until the second joins; what it had read of those that move is read again.
                report.Note($"round {round}: {ids - input.Ids} IDs were read twice");
            }
        }

        report.Results["ids"] = input.Ids;
        report.Results["runs"] = runs;
        report.Table("state deleted, restored from the changelog", [.. rows]);
        report.Print(options.JsonFile);
        return 0;
    }

    private static void Fill(string[] arguments, LoadedInput input)
    {
        using var stop = new CancellationTokenSource();
        using var parts = new RuntimeParts(arguments, SayTrouble);
        Task<RuntimeEnd> run = Task.Run(() => parts.Runtime.RunAsync(stop.Token));
        WaitFor(run, () => parts.Runtime.Snapshot().Sum(static l => l.Records) >= input.Records);
        End(run, stop);
    }

    private static (long Ids, double Seconds, double Cpu) Restore(
        string[] arguments,
        int partitions
    )
    {
        Progress.Say("restoring");
        long begun = 0;
        long ended = 0;
        TimeSpan cpuBegun = default;
        TimeSpan cpuEnded = default;
        int active = 0;
        var gate = new Lock();
        using var stop = new CancellationTokenSource();
        using var parts = new RuntimeParts(arguments, Hear);
        Task<RuntimeEnd> run = Task.Run(() => parts.Runtime.RunAsync(stop.Token));
        WaitFor(run, () => Volatile.Read(ref active) >= partitions);
        long ids = 0;
        // The snapshots are a quarter of a second behind.
        WaitFor(run, () => (ids = Ids(parts.Runtime, partitions)) >= 0);
        End(run, stop);
        return (
            ids,
            Stopwatch.GetElapsedTime(begun, ended).TotalSeconds,
            (cpuEnded - cpuBegun).TotalSeconds
        );

        void Hear(RuntimeEvent e)
        {
            SayTrouble(e);
            if (e.Name != "task.state")
            {
                return;
            }

            lock (gate)
            {
                if (
                    e.Text.EndsWith($"→ {TaskState.Restoring}", StringComparison.Ordinal)
                    && begun == 0
                )
                {
                    begun = Stopwatch.GetTimestamp();
                    cpuBegun = Environment.CpuUsage.TotalTime;
                }
                else if (e.Text.EndsWith($"→ {TaskState.Active}", StringComparison.Ordinal))
                {
                    ended = Stopwatch.GetTimestamp();
                    cpuEnded = Environment.CpuUsage.TotalTime;
                    active++;
                }
            }
        }
    }

    /// <summary>IDs held when all partitions are shown active, -1 before.</summary>
    private static long Ids(Runtime runtime, int partitions)
    {
        PartitionSnapshot[] active =
        [
            .. runtime
                .Snapshot()
                .SelectMany(static l => l.Partitions)
                .Where(static p => p.State == TaskState.Active),
        ];
        return active.Length == partitions ? active.Sum(static p => p.Ids) : -1;
    }

    private static void WaitFor(Task<RuntimeEnd> run, Func<bool> condition)
    {
        var waited = Stopwatch.StartNew();
        while (!condition())
        {
            if (run.IsCompleted || waited.Elapsed > Timeout)
            {
                throw new BenchException(
                    run.IsCompleted
                        ? $"the runtime ended: {run.Exception?.Message}"
                        : "the runtime makes no progress"
                );
            }

            Thread.Sleep(LookEvery);
        }
    }

    private static void End(Task<RuntimeEnd> run, CancellationTokenSource stop)
    {
        stop.Cancel();
        if (run.GetAwaiter().GetResult() != RuntimeEnd.Stopped)
        {
            throw new BenchException("the runtime did not stop cleanly");
        }
    }

    private static void SayTrouble(RuntimeEvent e)
    {
        if (e.Level != EventLevel.Info)
        {
            Progress.Say($"{e.Name} {e.Lane} {e.Text}");
        }
    }
}
