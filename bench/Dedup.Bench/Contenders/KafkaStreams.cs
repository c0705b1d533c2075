using System.Diagnostics;
using Dedup.Bench.Clusters;
using Dedup.Bench.Measuring;
using Dedup.Bench.Workloads;

namespace Dedup.Bench.Contenders;

/// <summary>The peer: a deduplicator as Kafka Streams users write it, with RocksDB tuned.</summary>
internal sealed class KafkaStreams(Job job) : Contender(job)
{
    public override string Name => "streams";

    public override string Group => $"{Job.Tag}-streams";

    private string Folder => Path.Combine(Job.Cluster.TemporaryPath, "peers", "streams");

    /// <summary>The peer's folder as KAFKA_STREAMS_PEER names it.</summary>
    public static string? Peer => Environment.GetEnvironmentVariable("KAFKA_STREAMS_PEER");

    /// <summary>Null when the peer can run here, else why not.</summary>
    public static string? WhyNot()
    {
        if (string.IsNullOrEmpty(Peer) || !File.Exists(Path.Combine(Peer, "run.sh")))
        {
            return "KAFKA_STREAMS_PEER does not name the peer's folder";
        }

        return
            IsOnPath("java")
            && (IsOnPath("javac") || Directory.Exists(Path.Combine(Peer, "classes")))
            ? null
            : "java or javac is not installed";
    }

    public override void Prepare()
    {
        Job.Cluster.Create(Job.Partitions, isCompacted: false, Output);
        if (Directory.Exists(Path.Combine(Folder, "classes")))
        {
            return;
        }

        // run.sh compiles into its own folder, which may be read-only, and takes Kafka's libraries from ../../kafka.
        Run("mkdir", "-p", Path.GetDirectoryName(Folder)!);
        Run("cp", "-r", Peer!, Folder);
        Run("chmod", "-R", "u+w", Folder);
        Run("ln", "-sfn", Job.Cluster.KafkaHome, Path.Combine(Job.Cluster.TemporaryPath, "kafka"));
        string classes = Path.Combine(Folder, "classes");
        if (!Directory.Exists(classes))
        {
            // Here, so that the compiler's CPU time is not the peer's.
            Run("mkdir", classes);
            Run(
                "javac",
                "-cp",
                $"{Folder}/libs/*:{Job.Cluster.KafkaHome}/libs/*",
                "-d",
                classes,
                Path.Combine(Folder, "src", "StreamsDedup.java")
            );
        }
    }

    public override MeasuredProcess Start() =>
        MeasuredProcess.Start(
            Job.PathOf("streams.log"),
            Malloc.Environment,
            Path.Combine(Folder, "run.sh"),
            "--bootstrap",
            Job.Cluster.Bootstrap,
            "--tuned",
            "--clean",
            "--threads",
            $"{Job.Lanes}",
            "--commit-ms",
            $"{Job.CommitMs}",
            "--state-dir",
            Job.PathOf("streams-state"),
            "--group",
            Group,
            "--in",
            Job.Input,
            "--out",
            Output
        );

    /// <summary>It partitions its output anew, by its own hash of the key.</summary>
    public override string Judge(OutputCounts output, LoadedInput input) =>
        base.Judge(output with { Misplaced = 0 }, input);

    private static bool IsOnPath(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(':')
            .Any(folder => File.Exists(Path.Combine(folder, program)));

    private static void Run(string program, params ReadOnlySpan<string> arguments)
    {
        using Process process = Process.Start(program, [.. arguments]);
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new BenchException(
                $"{program} ended with {process.ExitCode} while the Kafka Streams peer was prepared"
            );
        }
    }
}
