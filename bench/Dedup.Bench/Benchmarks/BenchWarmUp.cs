using Dedup.Bench.Clusters;
using Dedup.Bench.Contenders;
using Dedup.Bench.Measuring;
using Dedup.Bench.Workloads;

namespace Dedup.Bench.Benchmarks;

/// <summary>
/// A copy that is not counted: a broker just started compiles for some ten seconds, up to half of a core, which whoever comes
/// first would pay for.
/// </summary>
internal static class BenchWarmUp
{
    /// <summary>Copies the whole input once.</summary>
    public static void Run(BenchCluster cluster, BenchOptions options, LoadedInput input)
    {
        Progress.Say("warming up the broker");
        var copy = new PlainCopy(
            new Job(
                cluster,
                BenchInput.Topic,
                options.Partitions,
                options.Lanes,
                options.CommitMs,
                "warm"
            )
        );
        _ = ThroughputRun.Measure(cluster, copy, BenchInput.Topic, input, round: 0);
        copy.Clean();
    }
}
