using System.Text.Json.Nodes;
using Dedup.Bench.Clusters;
using Dedup.Bench.Contenders;
using Dedup.Bench.Latency;
using Dedup.Bench.Measuring;
using Dedup.Bench.Reports;

namespace Dedup.Bench.Benchmarks;

/// <summary>
/// From the call of the producer to the hand of a consumer that reads committed, at a steady rate, through the product and
/// through the copy.
/// </summary>
internal static class LatencyBench
{
    public static int Run(BenchOptions options)
    {
        using BenchCluster cluster = BenchCluster.Start(options.HeapMiB);
        var report = new Report("latency", Setting.Of(options, cluster.KafkaHome));
        List<string[]> rows =
        [
            [
                "program",
                "p50 ms",
                "p99 ms",
                "p99.9 ms",
                "max ms",
                "records",
                "CPU %",
                "sent late ms",
            ],
        ];
        var runs = new JsonArray();
        foreach (string name in Names(options, report))
        {
            string input = $"{name}-input";
            cluster.Create(options.Partitions, isCompacted: false, input);
            Job job = new(
                cluster,
                input,
                options.Partitions,
                options.Lanes,
                options.CommitMs,
                $"latency-{name}"
            );
            Contender contender = name switch
            {
                "copy" => new PlainCopy(job),
                "streams" => new KafkaStreams(job),
                "runtime" => new InProcessProgram(job),
                _ => new DedupProgram(job),
            };
            LatencyResult r = Measure(cluster, contender, input, options);
            rows.Add([
                name,
                $"{r.Percentile(0.5):F1}",
                $"{r.Percentile(0.99):F1}",
                $"{r.Percentile(0.999):F1}",
                $"{r.Percentile(1):F1}",
                $"{r.Count:N0}",
                $"{r.CpuShare * 100:F0}",
                $"{r.WorstSendLagMs:F1}",
            ]);
            runs.Add(
                new JsonObject
                {
                    ["program"] = name,
                    ["p50_ms"] = Math.Round(r.Percentile(0.5), 2),
                    ["p99_ms"] = Math.Round(r.Percentile(0.99), 2),
                    ["p999_ms"] = Math.Round(r.Percentile(0.999), 2),
                    ["max_ms"] = Math.Round(r.Percentile(1), 2),
                    ["records"] = r.Count,
                    ["cpu_share"] = Math.Round(r.CpuShare, 3),
                    ["worst_send_lag_ms"] = Math.Round(r.WorstSendLagMs, 2),
                }
            );
        }

        report.Results["rate_per_s"] = options.Rate;
        report.Results["seconds"] = options.Seconds;
        report.Results["runs"] = runs;
        report.Table(
            $"end to end at {options.Rate:N0} records/s over {options.Seconds} s (goal of dedup: p50 ≤ 50 ms, p99 ≤ 125 ms)",
            [.. rows]
        );
        report.Print(options.JsonFile);
        return 0;
    }

    private static List<string> Names(BenchOptions options, Report report)
    {
        List<string> names = [];
        if (options.Wants("dedup"))
        {
            names.Add(DedupProgram.IsThere() ? "dedup" : "runtime");
        }

        if (options.Wants("copy"))
        {
            names.Add("copy");
        }

        // Not by default: it is no part of the goal and takes another minute.
        if (options.Only.Contains("streams"))
        {
            if (KafkaStreams.WhyNot() is { } reason)
            {
                report.Note($"Kafka Streams skipped: {reason}");
            }
            else
            {
                names.Add("streams");
            }
        }

        return names;
    }

    private static LatencyResult Measure(
        BenchCluster cluster,
        Contender contender,
        string input,
        BenchOptions options
    )
    {
        Progress.Say(
            $"latency of {contender.Name}: {options.WarmUpSeconds} s of warm-up, {options.Seconds} s measured"
        );
        contender.Prepare();
        using MeasuredProcess process = contender.Start();
        using var sender = new PacedSender(
            cluster.Bootstrap,
            input,
            options.Partitions,
            options.Rate
        );
        using var receiver = new Receiver(cluster.Bootstrap, contender.Output, options.Partitions);
        sender.Start();
        receiver.Start();
        try
        {
            receiver.WaitForFirst(process);
            Thread.Sleep(TimeSpan.FromSeconds(options.WarmUpSeconds));
            sender.ForgetLag();
            double cpu = process.CpuSeconds;
            long from = System.Diagnostics.Stopwatch.GetTimestamp();
            Thread.Sleep(TimeSpan.FromSeconds(options.Seconds));
            long to = System.Diagnostics.Stopwatch.GetTimestamp();
            cpu = process.CpuSeconds - cpu;
            double lag = sender.WorstLagMs;
            receiver.WaitForSentAfter(to, process);
            sender.Stop();
            return receiver.Result(from, to, cpu / options.Seconds, lag);
        }
        catch (BenchException e)
        {
            throw new BenchException($"{e.Message}\n{process.Tail()}");
        }
        finally
        {
            sender.Stop();
            receiver.Stop();
            _ = process.Stop(TimeSpan.FromSeconds(20));
        }
    }
}
