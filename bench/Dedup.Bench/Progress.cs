namespace Dedup.Bench;

/// <summary>What goes on, for the one who waits; stdout belongs to the results.</summary>
internal static class Progress
{
    /// <summary>Says a line.</summary>
    public static void Say(string text) => Console.Error.WriteLine($"bench: {text}");
}
