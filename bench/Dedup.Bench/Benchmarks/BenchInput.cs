using Dedup.Bench.Clusters;
using Dedup.Bench.Workloads;

namespace Dedup.Bench.Benchmarks;

/// <summary>Makes and fills an input topic.</summary>
internal static class BenchInput
{
    /// <summary>Name of the topic.</summary>
    public const string Topic = "bench-input";

    /// <summary>Loads records, or as many as give <paramref name="ids"/> IDs; see <see cref="Loader.Load"/>.</summary>
    public static LoadedInput Load(
        BenchCluster cluster,
        BenchOptions options,
        long records,
        long? ids = null,
        bool forRecipes = false
    )
    {
        cluster.Create(options.Partitions, isCompacted: false, Topic);
        LoadedInput input = Loader.Load(
            cluster.Bootstrap,
            Topic,
            options.Partitions,
            records,
            ids,
            forRecipes
        );
        if (!cluster.EndsOf(Topic, options.Partitions).SequenceEqual(input.Ends))
        {
            throw new BenchException("the input does not hold what was sent to it");
        }

        Progress.Say(
            $"loaded {input.Records} records, {input.Ids} IDs, in {input.Seconds:F1} s ({input.Records / input.Seconds / 1000:F0} k/s)"
        );
        return input;
    }
}
