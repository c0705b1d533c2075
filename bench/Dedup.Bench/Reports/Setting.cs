using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Confluent.Kafka;
using Dedup.Bench.Clusters;
using Dedup.Bench.Workloads;

namespace Dedup.Bench.Reports;

/// <summary>The setting in which figures were made: without it they say nothing.</summary>
internal static class Setting
{
    /// <summary>Machine, versions, options.</summary>
    public static JsonObject Of(BenchOptions options, string? kafkaHome) =>
        new()
        {
            ["date"] = DateTime.UtcNow.ToString("yyyy-MM-dd HH:mm"),
            ["commit"] = Commit(),
            ["cores"] = Environment.ProcessorCount,
            ["cpu"] = FirstValue("/proc/cpuinfo", "model name"),
            ["memory_mib"] = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >> 20,
            // Above the number of cores, somebody else was at work: the figures are not to be quoted.
            ["load_before"] = File.ReadAllText("/proc/loadavg").Split(' ')[0],
            ["broker"] = kafkaHome is null
                ? "none"
                : $"Kafka {KafkaVersion(kafkaHome)}, 1 node, on the same cores",
            ["broker_heap_mib"] = options.HeapMiB,
            ["dotnet"] = RuntimeInformation.FrameworkDescription,
            ["librdkafka"] = Library.VersionString,
            ["record_bytes"] = Workload.RecordBytes,
            ["duplicates"] = $"{Workload.DuplicateShare:P0} of the last {Workload.Reach:N0} IDs",
            ["partitions"] = options.Partitions,
            ["lanes"] = options.Lanes,
            ["commit_interval_ms"] = options.CommitMs,
        };

    private static string KafkaVersion(string home)
    {
        string? jar = Directory
            .EnumerateFiles(Path.Combine(home, "libs"), "kafka_2.*.jar")
            .Select(Path.GetFileNameWithoutExtension)
            .FirstOrDefault();
        return jar is null ? "of unknown version" : jar[(jar.LastIndexOf('-') + 1)..];
    }

    private static string FirstValue(string file, string name) =>
        File.ReadLines(file)
            .FirstOrDefault(l => l.StartsWith(name, StringComparison.Ordinal))
            ?.Split(':', 2)[1]
            .Trim()
        ?? "unknown";

    /// <summary>The commit that is checked out, with a plus when files differ from it.</summary>
    private static string Commit()
    {
        string head = Git("rev-parse", "--short", "HEAD");
        return head.Length == 0 ? "unknown"
            : Git("status", "--porcelain", "--untracked-files=no").Length == 0 ? head
            : head + "+";
    }

    private static string Git(params ReadOnlySpan<string> arguments)
    {
        try
        {
            var start = new System.Diagnostics.ProcessStartInfo("git", [.. arguments])
            {
                WorkingDirectory = Repository.Root,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            using var git = System.Diagnostics.Process.Start(start);
            string text = git?.StandardOutput.ReadToEnd().Trim() ?? "";
            git?.WaitForExit();
            return text;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            // No git here, as in an image.
            return "";
        }
    }
}
