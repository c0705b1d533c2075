using System.Diagnostics;
using Dedup.Bench.Clusters;
using Dedup.Bench.Contenders;
using Dedup.Bench.Measuring;
using Dedup.Bench.Reports;
using Dedup.Bench.Workloads;

namespace Dedup.Bench.Benchmarks;

/// <summary>Resident memory of the program when it holds N IDs, with the default settings.</summary>
internal static class RssBench
{
    private const double Goal = 450;
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(10);

    // Seals and filters end within a second or two after the last record; then the figure stands still.
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(5);

    public static int Run(BenchOptions options)
    {
        using BenchCluster cluster = BenchCluster.Start(options.HeapMiB);
        var report = new Report("rss", Setting.Of(options, cluster.KafkaHome));
        LoadedInput input = BenchInput.Load(cluster, options, long.MaxValue, options.Records);
        var job = new Job(
            cluster,
            BenchInput.Topic,
            options.Partitions,
            options.Lanes,
            options.CommitMs,
            "rss"
        );
        Contender contender = DedupProgram.IsThere()
            ? new DedupProgram(job)
            : new InProcessProgram(job);
        contender.Prepare();
        using MeasuredProcess process = contender.Start();
        WaitForEnd(cluster, contender, process, input);
        Thread.Sleep(Settle);
        long peak = ProcessTree.Memory(process.Id, "VmHWM");
        long resident = ProcessTree.Memory(process.Id, "VmRSS");
        long anonymous = ProcessTree.Memory(process.Id, "RssAnon");
        report.Results["program"] = contender.Name;
        report.Results["ids"] = input.Ids;
        report.Results["peak_rss_bytes"] = peak;
        report.Results["rss_bytes"] = resident;
        report.Results["anonymous_bytes"] = anonymous;
        report.Table(
            $"{contender.Name} with {input.Ids:N0} IDs, default settings",
            ["figure", "MiB", "goal"],
            ["peak RSS", $"{peak >> 20}", $"≤ {Goal:F0} MB"],
            ["RSS, drained", $"{resident >> 20}", ""],
            ["of it anonymous", $"{anonymous >> 20}", ""]
        );
        report.Print(options.JsonFile);
        return 0;
    }

    private static void WaitForEnd(
        BenchCluster cluster,
        Contender contender,
        MeasuredProcess process,
        LoadedInput input
    )
    {
        var waited = Stopwatch.StartNew();
        using var watch = new GroupWatch(
            cluster.Bootstrap,
            contender.Group,
            BenchInput.Topic,
            input.Ends.Length
        );
        while (watch.Committed() < input.Records)
        {
            if (!process.IsRunning || waited.Elapsed > Timeout)
            {
                throw new BenchException($"{contender.Name} did not finish\n{process.Tail()}");
            }

            Thread.Sleep(200);
        }
    }
}
