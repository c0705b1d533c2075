namespace Dedup.Tests;

/// <summary>How often a test draws at random.</summary>
internal static class Repetitions
{
    private const int Share = 10;

    /// <summary>
    /// As often as said; under tests/mutate (<c>DEDUP_MUTATION</c>), where each of thousands of mutants is tried, a tenth, at
    /// least ten. A mutant that such a run kills, the whole one kills as well: the score is a lower bound.
    /// </summary>
    public static int Of(int many) =>
        Environment.GetEnvironmentVariable("DEDUP_MUTATION") is null
            ? many
            : Math.Min(many, Math.Max(10, many / Share));
}
