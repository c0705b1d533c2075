namespace Dedup.Bench.Contenders;

/// <summary>The malloc that ./dedup gives the product, for the others too: RocksDB's own advice is the same for Kafka Streams.</summary>
internal static class Malloc
{
    /// <summary>Variables of the environment for a process; none unless DEDUP_MALLOC is jemalloc.</summary>
    public static IReadOnlyDictionary<string, string> Environment { get; } =
        System.Environment.GetEnvironmentVariable("DEDUP_MALLOC") == "jemalloc"
            ? new Dictionary<string, string>
            {
                ["LD_PRELOAD"] = "libjemalloc.so.2",
                ["MALLOC_CONF"] = $"narenas:{System.Environment.ProcessorCount}",
            }
            : [];
}
