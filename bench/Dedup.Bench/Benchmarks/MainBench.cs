using System.Globalization;
using System.Text.Json.Nodes;
using Dedup.Bench.Clusters;
using Dedup.Bench.Contenders;
using Dedup.Bench.InProcess;
using Dedup.Bench.Measuring;
using Dedup.Bench.Reports;
using Dedup.Bench.Workloads;

namespace Dedup.Bench.Benchmarks;

/// <summary>
/// The main job: the product, the exactly-once copy on its transport, and Kafka Streams, one after the other on one broker
/// and one input, in an order that turns round each time.
/// </summary>
internal static class MainBench
{
    private static readonly TimeSpan AllocationTimeout = TimeSpan.FromMinutes(10);

    public static int Run(BenchOptions options)
    {
        using BenchCluster cluster = BenchCluster.Start(options.HeapMiB);
        var report = new Report("main", Setting.Of(options, cluster.KafkaHome));
        bool hasProgram = DedupProgram.IsThere();
        if (!hasProgram)
        {
            report.Note(
                "./dedup has no run command yet: the runtime in a child of the bench instead"
            );
        }

        string? noStreams = KafkaStreams.WhyNot();
        if (options.Wants("streams") && noStreams is not null)
        {
            report.Note($"Kafka Streams skipped: {noStreams}");
        }

        LoadedInput input = BenchInput.Load(cluster, options, options.Records);
        BenchWarmUp.Run(cluster, options, input);
        List<ThroughputResult> results = [];
        for (int round = 1; round <= options.Rounds; round++)
        {
            Job job = new(
                cluster,
                BenchInput.Topic,
                options.Partitions,
                options.Lanes,
                options.CommitMs,
                $"r{round}"
            );
            List<Contender> contenders = Contenders(options, job, hasProgram, noStreams is null);
            if (round % 2 == 0)
            {
                contenders.Reverse();
            }

            foreach (Contender contender in contenders)
            {
                results.Add(
                    ThroughputRun.Measure(cluster, contender, BenchInput.Topic, input, round)
                );
                contender.Clean();
            }
        }

        (double Bytes, long Records)? allocated = options.Wants("alloc")
            ? Allocation(cluster, options, input)
            : null;
        ThroughputTable.Fill(report, input, results, allocated);
        report.Print(options.JsonFile);
        return results.TrueForAll(static r => r.Verdict == "exact") ? 0 : 1;
    }

    private static List<Contender> Contenders(
        BenchOptions options,
        Job job,
        bool hasProgram,
        bool hasStreams
    )
    {
        List<Contender> list = [];
        if (options.Wants("dedup"))
        {
            list.Add(hasProgram ? new DedupProgram(job) : new InProcessProgram(job));
        }

        if (options.Wants("copy"))
        {
            list.Add(new PlainCopy(job));
        }

        if (options.Wants("streams") && hasStreams)
        {
            list.Add(new KafkaStreams(job));
        }

        return list;
    }

    /// <summary>A run of its own: looking at the allocations of a process from outside would disturb it.</summary>
    private static (double Bytes, long Records) Allocation(
        BenchCluster cluster,
        BenchOptions options,
        LoadedInput input
    )
    {
        Progress.Say("managed bytes per record, in a run of its own");
        var job = new Job(
            cluster,
            BenchInput.Topic,
            options.Partitions,
            options.Lanes,
            options.CommitMs,
            "alloc"
        );
        var program = new InProcessProgram(job);
        program.Prepare();
        string log = job.PathOf("alloc.log");
        using MeasuredProcess process = Self.Start(
            log,
            [
                .. program.Arguments(),
                "--records",
                $"{input.Records}",
                .. options.ShowTypes ? ["--types", "yes"] : Array.Empty<string>(),
            ]
        );
        if (!process.WaitForExit(AllocationTimeout) || process.ExitCode != 0)
        {
            throw new BenchException($"the allocation run failed\n{process.Tail()}");
        }

        program.Clean();
        foreach (string line in File.ReadLines(log))
        {
            if (line.StartsWith(RuntimeMode.TypePrefix, StringComparison.Ordinal))
            {
                Progress.Say(line);
            }
        }

        string[] words = File.ReadLines(log)
            .First(static l => l.StartsWith(RuntimeMode.AllocationPrefix, StringComparison.Ordinal))
            .Split(' ');
        return (double.Parse(words[1], CultureInfo.InvariantCulture), long.Parse(words[2]));
    }
}
