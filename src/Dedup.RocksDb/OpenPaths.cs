namespace Dedup.RocksDb;

/// <summary>
/// The stores that this process has open. RocksDB keeps such a list for its LOCK files, but cannot be asked; renaming a
/// directory under an open database would break it.
/// </summary>
internal static class OpenPaths
{
    private static readonly HashSet<string> Paths = new(StringComparer.Ordinal);

    /// <summary>Takes a path; false when it is taken.</summary>
    public static bool TryTake(string path)
    {
        lock (Paths)
        {
            return Paths.Add(path);
        }
    }

    /// <summary>Gives a path back.</summary>
    public static void GiveBack(string path)
    {
        lock (Paths)
        {
            _ = Paths.Remove(path);
        }
    }
}
