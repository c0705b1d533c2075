using System.Text.Json.Nodes;
using Dedup.Bench.Clusters;
using Dedup.Bench.Contenders;
using Dedup.Bench.Measuring;
using Dedup.Bench.Reports;
using Dedup.Bench.Workloads;

namespace Dedup.Bench.Benchmarks;

/// <summary>
/// What recipes, scopes, windows by type, and by-id cost in the whole pipeline: the product over one input in which each of
/// them finds the same duplicates, against `id: key`.
/// </summary>
internal static class RecipesBench
{
    private const string Baseline = "key";

    // Name, settings of the pipeline, largest CPU per record as a multiple of the baseline's (issue 6).
    private static readonly (string Name, string Settings, double Most)[] Variants =
    [
        (Baseline, "id: key, window: 24h", 1),
        (
            "header",
            $"id: {{ header: {Loader.IdHeader} }}, window: 24h, partitioning: by-input",
            1.15
        ),
        ("json", "id: { json: $.id }, window: 24h, partitioning: by-input", 1.25),
        ("content", "id: content, window: 24h, partitioning: by-input", 1.6),
        (
            "scope",
            $"id: key, scope: {{ tenant: {{ header: {Loader.TenantHeader} }}, type: {{ json: $.type }} }}, window: 24h, "
                + "windows: { \"order.*\": 48h, heartbeat: 5m }, partitioning: by-input",
            1.25
        ),
        ("by-id", "id: key, window: 24h, partitioning: by-id", 2.2),
    ];

    public static int Run(BenchOptions options)
    {
        using BenchCluster cluster = BenchCluster.Start(options.HeapMiB);
        var report = new Report("recipes", Setting.Of(options, cluster.KafkaHome));
        LoadedInput input = BenchInput.Load(cluster, options, options.Records, forRecipes: true);
        BenchWarmUp.Run(cluster, options, input);
        List<ThroughputResult> results = [];
        for (int round = 1; round <= options.Rounds; round++)
        {
            List<DedupProgram> programs = [.. Programs(cluster, options, round)];
            if (round % 2 == 0)
            {
                programs.Reverse();
            }

            foreach (DedupProgram program in programs)
            {
                results.Add(
                    ThroughputRun.Measure(cluster, program, BenchInput.Topic, input, round)
                );
                program.Clean();
            }
        }

        ThroughputTable.Fill(report, input, results, allocated: null);
        AddRatios(report, results);
        report.Print(options.JsonFile);
        return results.TrueForAll(static r => r.Verdict == "exact") ? 0 : 1;
    }

    private static IEnumerable<DedupProgram> Programs(
        BenchCluster cluster,
        BenchOptions options,
        int round
    ) =>
        from variant in Variants
        where variant.Name == Baseline || options.Wants(variant.Name)
        select new DedupProgram(
            new Job(
                cluster,
                BenchInput.Topic,
                options.Partitions,
                options.Lanes,
                options.CommitMs,
                $"r{round}"
            ),
            variant.Name,
            variant.Settings
        );

    private static void AddRatios(Report report, List<ThroughputResult> results)
    {
        double key = Cpu(results, Baseline);
        List<string[]> rows =
        [
            ["recipe", "µs CPU/record", "against key", "goal"],
        ];
        var ratios = new JsonObject();
        foreach ((string name, _, double most) in Variants)
        {
            if (results.Exists(r => r.Contender == name))
            {
                double cpu = Cpu(results, name);
                ratios[name] = Math.Round(cpu / key, 3);
                rows.Add([name, $"{cpu:F2}", $"{cpu / key:F2}", $"≤ {most:F2}"]);
            }
        }

        report.Results["cpu_against_key"] = ratios;
        report.Table("medians over the rounds", [.. rows]);
    }

    private static double Cpu(List<ThroughputResult> results, string name) =>
        ThroughputTable.Median(
            results.Where(r => r.Contender == name).Select(static r => r.CpuPerRecordUs)
        );
}
