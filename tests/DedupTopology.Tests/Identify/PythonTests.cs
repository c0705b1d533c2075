using Dedup.Contracts.Identity;
using Dedup.Tests;
using Dedup.Topology.Identify;
using Dedup.Topology.Identify.Canonical;
using Dedup.Topology.Identify.Sources;
using Shouldly;
using Xunit;

namespace DedupTopology.Tests.Identify;

public sealed class PythonTests
{
    private static readonly int Documents = Repetitions.Of(3000);

    /// <summary>A failure names seed and payload: <c>python3 python_hashes.py SEED COUNT</c> shows the rest.</summary>
    [Fact]
    public void Canonical_python_is_what_a_real_python_hashes()
    {
        const string seed = "20240607";
        string script = RepoFiles.Path(
            "tests",
            "DedupTopology.Tests",
            "Identify",
            "python_hashes.py"
        );
        (int code, string output) = VectorTests.Run("python3", script, seed, $"{Documents}");
        code.ShouldBe(0);
        Recipe[] recipes =
        [
            Of(", ", ": ", true),
            Of(",", ":", true),
            Of(", ", ": ", false),
            Of(",", ":", false),
        ];
        IdScratch scratch = new();
        int compared = 0;
        int refused = 0;
        foreach (string line in output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] parts = line.Split(' ');
            OneRecord record = new() { Value = Convert.FromBase64String(parts[0]) };
            for (int i = 0; i < recipes.Length; i++)
            {
                Outcome outcome = Outcome.Of(recipes[i], record, scratch);
                string digest =
                    outcome.Reason == Reason.None ? Convert.ToHexStringLower(outcome.IdBytes) : "-";
                digest.ShouldBe(
                    parts[i + 1],
                    $"seed {seed}, payload {parts[0]}, style {recipes[i].Text}"
                );
                compared++;
                refused += digest == "-" ? 1 : 0;
            }
        }

        compared.ShouldBe(4 * Documents);
        refused.ShouldBeInRange(1, Documents);
    }

    private static Recipe Of(string item, string key, bool ascii) =>
        new(
            new ContentSource(
                new ContentOptions
                {
                    Style = CanonicalStyle.Python(item, key, ascii),
                    OnMissing = OnMissing.Next,
                    Framing = Framing.None,
                }
            )
        );
}
