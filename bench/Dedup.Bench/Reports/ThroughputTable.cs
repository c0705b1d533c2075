using System.Text.Json.Nodes;
using Dedup.Bench.Measuring;
using Dedup.Bench.Workloads;

namespace Dedup.Bench.Reports;

/// <summary>The results of the main benchmark as tables and JSON.</summary>
internal static class ThroughputTable
{
    /// <summary>Fills a report.</summary>
    public static void Fill(
        Report report,
        LoadedInput input,
        IReadOnlyList<ThroughputResult> results,
        (double Bytes, long Records)? allocated
    )
    {
        report.Results["records"] = input.Records;
        report.Results["ids"] = input.Ids;
        report.Results["load_records_per_s"] = Math.Round(input.Records / input.Seconds);
        report.Results["runs"] = new JsonArray([.. results.Select(static r => (JsonNode)Json(r))]);
        report.Table(
            $"{input.Records:N0} records, {input.Ids:N0} IDs",
            [
                [
                    "round",
                    "program",
                    "records/s",
                    "µs CPU/record",
                    "(whole process)",
                    "start s",
                    "peak RSS MiB",
                    "output",
                ],
                .. results.Select(static r =>
                    new[]
                    {
                        $"{r.Round}",
                        r.Contender,
                        $"{r.RecordsPerSecond:N0}",
                        $"{r.CpuPerRecordUs:F2}",
                        $"{r.CpuPerRecordWholeUs:F2}",
                        $"{r.StartSeconds:F1}",
                        $"{r.PeakBytes >> 20}",
                        r.Verdict,
                    }
                ),
            ]
        );
        AddRatios(report, results, allocated);
        foreach (ThroughputResult result in results)
        {
            if (result.MeasuredRecords == result.Records)
            {
                report.Note(
                    $"{result.Contender}: all was committed at once; records/s counts from the program's start. Take more records."
                );
            }

            if (!result.StoppedCleanly)
            {
                report.Note($"{result.Contender}: did not stop cleanly");
            }
        }
    }

    private static void AddRatios(
        Report report,
        IReadOnlyList<ThroughputResult> results,
        (double Bytes, long Records)? allocated
    )
    {
        List<string[]> rows =
        [
            ["figure", "measured", "goal"],
        ];
        var ratios = new JsonObject();
        ThroughputResult[] ours = Of(results, "dedup", "runtime");
        ThroughputResult[] streams = Of(results, "streams");
        ThroughputResult[] copy = Of(results, "copy");
        if (ours.Length > 0 && streams.Length > 0)
        {
            Add(
                "records_per_s_against_streams",
                "records/s, against Kafka Streams",
                Rate(ours) / Rate(streams),
                "≥ 5"
            );
            Add(
                "streams_cpu_against_ours",
                "CPU per record, Kafka Streams against it",
                Cpu(streams) / Cpu(ours),
                "≥ 7"
            );
        }

        if (ours.Length > 0 && copy.Length > 0)
        {
            Add(
                "records_per_s_against_copy",
                "records/s, against the copy",
                Rate(ours) / Rate(copy),
                "≥ 0.65"
            );
        }

        if (allocated is { } bytes)
        {
            Add(
                "managed_bytes_per_record",
                $"managed bytes per record, over {bytes.Records:N0}",
                bytes.Bytes,
                "≤ 1"
            );
        }

        report.Results["figures"] = ratios;
        if (rows.Count > 1)
        {
            report.Table("medians over the rounds", [.. rows]);
        }

        void Add(string name, string title, double value, string goal)
        {
            ratios[name] = double.IsFinite(value) ? Math.Round(value, 3) : null;
            rows.Add([title, $"{value:F2}", goal]);
        }
    }

    private static ThroughputResult[] Of(
        IReadOnlyList<ThroughputResult> results,
        params ReadOnlySpan<string> names
    )
    {
        List<ThroughputResult> found = [];
        foreach (ThroughputResult result in results)
        {
            if (names.Contains(result.Contender))
            {
                found.Add(result);
            }
        }

        return [.. found];
    }

    private static double Rate(ThroughputResult[] results) =>
        Median(results.Select(static r => r.RecordsPerSecond));

    private static double Cpu(ThroughputResult[] results) =>
        Median(results.Select(static r => r.CpuPerRecordUs));

    /// <summary>The middle value, or the mean of the two in the middle.</summary>
    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        int middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    private static JsonObject Json(ThroughputResult r) =>
        new()
        {
            ["program"] = r.Contender,
            ["round"] = r.Round,
            ["records_per_s"] = Math.Round(r.RecordsPerSecond),
            ["measured_records"] = r.MeasuredRecords,
            ["seconds"] = Math.Round(r.Seconds, 3),
            ["start_seconds"] = Math.Round(r.StartSeconds, 3),
            ["cpu_s_per_million_records"] = Math.Round(r.CpuPerRecordUs, 3),
            ["cpu_s_per_million_records_whole_process"] = Math.Round(r.CpuPerRecordWholeUs, 3),
            ["cpu_seconds"] = Math.Round(r.CpuSeconds, 2),
            ["cpu_seconds_whole_process"] = Math.Round(r.CpuSecondsWhole, 2),
            ["peak_rss_bytes"] = r.PeakBytes,
            ["output"] = r.Verdict,
            ["output_records"] = r.Output.Records,
            ["output_twice"] = r.Output.Twice,
            ["output_lost"] = r.Output.Lost,
            ["stopped_cleanly"] = r.StoppedCleanly,
        };
}
