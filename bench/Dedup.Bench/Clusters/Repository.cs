namespace Dedup.Bench.Clusters;

/// <summary>Where this program's sources lie.</summary>
internal static class Repository
{
    /// <summary>The folder with Dedup.sln; bench/run.sh names it.</summary>
    public static string Root { get; } =
        Environment.GetEnvironmentVariable("DEDUP_ROOT") ?? Search(AppContext.BaseDirectory);

    private static string Search(string from)
    {
        for (string? at = from; at is not null; at = Path.GetDirectoryName(at))
        {
            if (File.Exists(Path.Combine(at, "Dedup.sln")))
            {
                return at;
            }
        }

        throw new BenchException("start it by bench/run.sh: the repository's root is not known");
    }
}
