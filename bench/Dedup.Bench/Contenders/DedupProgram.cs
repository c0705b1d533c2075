using System.Diagnostics;
using Dedup.Bench.Clusters;
using Dedup.Bench.Measuring;

namespace Dedup.Bench.Contenders;

/// <summary>The product as a user runs it: ./dedup run --config FILE, topics made by ./dedup topics --apply.</summary>
internal sealed class DedupProgram(
    Job job,
    string name = "dedup",
    string settings = "id: key, window: 24h"
) : Contender(job)
{
    private static readonly TimeSpan TopicsTimeout = TimeSpan.FromSeconds(60);

    public override string Name => name;

    public override string Group => IsById ? $"dedup-{Pipeline}-rekey" : $"dedup-{Pipeline}";

    public override (string Group, string Topic)? SecondHop =>
        IsById ? ($"dedup-{Pipeline}", $"dedup-{Pipeline}-repartition") : null;

    private bool IsById => settings.Contains("partitioning: by-id", StringComparison.Ordinal);

    /// <summary>Name of the pipeline.</summary>
    public string Pipeline => $"{Job.Tag}-{(name == "dedup" ? "main" : name)}";

    /// <summary>State directory.</summary>
    public string State => Job.PathOf($"{name}-state");

    private string Config => Job.PathOf($"{name}.yaml");

    private string LogFile => Job.PathOf($"{name}.log");

    public override void Prepare()
    {
        File.WriteAllText(
            Config,
            $$"""
            kafka:
              bootstrap.servers: {{Job.Cluster.Bootstrap}}
            state:
              directory: {{State}}
            lanes: {{Job.Lanes}}
            commit:
              interval: {{Job.CommitMs}}ms
            pipelines:
              {{Pipeline}}: { input: {{Job.Input}}, clean: {{Output}}, quarantine: {{Job.Tag}}-quarantine, {{settings}} }

            """
        );
        using MeasuredProcess topics = Launch("topics", "--config", Config, "--apply");
        if (!topics.WaitForExit(TopicsTimeout) || topics.ExitCode != 0)
        {
            throw new BenchException($"dedup topics --apply failed\n{topics.Tail()}");
        }
    }

    public override MeasuredProcess Start() => Launch("run", "--config", Config);

    private MeasuredProcess Launch(params IReadOnlyList<string> arguments) =>
        MeasuredProcess.Start(
            LogFile,
            new Dictionary<string, string>(),
            [Path.Combine(Repository.Root, "dedup"), .. arguments]
        );

    /// <summary>Whether this build has the command at all.</summary>
    public static bool IsThere()
    {
        var start = new ProcessStartInfo(Path.Combine(Repository.Root, "dedup"))
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            ArgumentList = { "--help" },
        };
        using Process help = Process.Start(start) ?? throw new BenchException("./dedup not found");
        string text = help.StandardOutput.ReadToEnd();
        help.WaitForExit();
        return text.Contains("\n  run ", StringComparison.Ordinal)
            && text.Contains("\n  topics ", StringComparison.Ordinal);
    }
}
