using System.Diagnostics;
using System.Text.Json.Nodes;
using Dedup.Contracts.Identity;
using Dedup.Topology.Identify.Parsing;
using Shouldly;
using Xunit;

namespace DedupTopology.Tests.Identify;

public sealed class VectorTests
{
    private const int LeastIdentityVectors = 150;

    [Fact]
    public void The_product_computes_what_the_published_vectors_say()
    {
        int count = 0;
        List<string> wrong = [];
        foreach (
            string file in Directory
                .EnumerateFiles(RepoFiles.Path("docs", "vectors"), "*.json")
                .Order()
        )
        {
            foreach (JsonNode? vector in JsonNode.Parse(File.ReadAllText(file))!.AsArray())
            {
                string name = $"{Path.GetFileName(file)}: {vector!["name"]}";
                JsonNode computed;
                if (vector["input"] is { } input)
                {
                    EventKey hash = Outcome.Hash.Hash(
                        Convert.FromHexString(input.GetValue<string>())
                    );
                    computed = new JsonObject { ["hash"] = hash.ToString() };
                }
                else
                {
                    RecipeResult result = Vectors.Parse(vector["recipe"]!);
                    result.Errors.ShouldBeEmpty(name);
                    computed = Vectors.Compute(result.Recipe!, Vectors.Record(vector["record"]!));
                    count++;
                }

                if (!JsonNode.DeepEquals(computed, vector["expected"]))
                {
                    wrong.Add(
                        $"{name}\n  file:     {vector["expected"]!.ToJsonString()}\n  computed: {computed.ToJsonString()}"
                    );
                }
            }
        }

        wrong.ShouldBeEmpty(string.Join("\n", wrong));
        count.ShouldBeGreaterThanOrEqualTo(LeastIdentityVectors);
    }

    [Theory]
    [InlineData("python3", "check.py")]
    [InlineData("node", "check.mjs")]
    public void So_does_another_language(string program, string script)
    {
        (int code, string output) = Run(program, RepoFiles.Path("docs", "vectors", script));
        code.ShouldBe(0, output);
        output.ShouldContain("vectors ok");
    }

    /// <summary>Runs a program to its end; skips the test where it is not installed.</summary>
    internal static (int Code, string Output) Run(string program, params string[] args)
    {
        Process? process = null;
        try
        {
            process = Process.Start(
                new ProcessStartInfo(program, args) { RedirectStandardOutput = true }
            );
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip($"{program} is not installed");
        }

        using (process)
        {
            string output = process!.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return (process.ExitCode, output);
        }
    }
}
