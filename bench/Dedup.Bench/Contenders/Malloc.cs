using Dedup.Bench.Clusters;

namespace Dedup.Bench.Contenders;

/// <summary>The malloc that ./dedup gives the product, for the others too: RocksDB's own advice is the same for Kafka Streams.</summary>
internal static class Malloc
{
    /// <summary>Variables of the environment for a process; none where the set-up found no jemalloc, or DEDUP_MALLOC is system.</summary>
    public static IReadOnlyDictionary<string, string> Environment { get; } = Find();

    private static Dictionary<string, string> Find()
    {
        string found = Path.Combine(Repository.Root, ".dedup-setup", "malloc");
        if (
            System.Environment.GetEnvironmentVariable("DEDUP_MALLOC") == "system"
            || !File.Exists(found)
        )
        {
            return [];
        }

        string library = File.ReadAllText(found).Trim();
        return File.Exists(library)
            ? new Dictionary<string, string>
            {
                ["LD_PRELOAD"] = library,
                ["MALLOC_CONF"] = $"narenas:{System.Environment.ProcessorCount}",
            }
            : [];
    }
}
