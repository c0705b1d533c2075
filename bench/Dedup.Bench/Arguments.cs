namespace Dedup.Bench;

/// <summary>Reads <c>--name value</c> pairs of the hidden modes, which only this program starts.</summary>
internal static class Arguments
{
    /// <summary>Value of an option, or null.</summary>
    public static string? Find(string[] args, string name)
    {
        int at = Array.IndexOf(args, name);
        return at >= 0 && at + 1 < args.Length ? args[at + 1] : null;
    }

    /// <summary>Value of an option that has to be there.</summary>
    public static string Get(string[] args, string name) =>
        Find(args, name) ?? throw new BenchException($"{name} is missing");
}
