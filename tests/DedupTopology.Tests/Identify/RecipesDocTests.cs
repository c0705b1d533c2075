using System.Text.Json.Nodes;
using Dedup.Topology.Identify;
using Dedup.Topology.Identify.Parsing;
using Shouldly;
using Xunit;
using YamlDotNet.RepresentationModel;

namespace DedupTopology.Tests.Identify;

/// <summary>Runs every example of docs/recipes.md.</summary>
public sealed class RecipesDocTests
{
    private const int LeastExamples = 40;

    private static readonly string[] Given = ["key", "value", "headers"];

    [Fact]
    public void Every_example_does_what_the_page_says()
    {
        int examples = 0;
        RecipeResult? recipe = null;
        foreach (
            (string language, string text, int line) in Blocks(RepoFiles.Path("docs", "recipes.md"))
        )
        {
            switch (language)
            {
                case "yaml":
                    recipe = Parse(text);
                    break;
                case "errors":
                    recipe.ShouldNotBeNull();
                    string.Join('\n', recipe.Errors).ShouldBe(text.TrimEnd(), $"recipes.md:{line}");
                    examples++;
                    break;
                case "jsonl":
                    recipe.ShouldNotBeNull();
                    recipe.Errors.ShouldBeEmpty($"recipes.md:{line}");
                    foreach (
                        string example in text.Split('\n', StringSplitOptions.RemoveEmptyEntries)
                    )
                    {
                        Run(
                            recipe.Recipe!,
                            JsonNode.Parse(example)!.AsObject(),
                            $"recipes.md:{line}: {example}"
                        );
                        examples++;
                    }

                    break;
                default:
                    break;
            }
        }

        examples.ShouldBeGreaterThanOrEqualTo(LeastExamples);
    }

    private static void Run(Recipe recipe, JsonObject example, string where)
    {
        OneRecord record = Vectors.Record(example);
        JsonObject computed = Vectors.Compute(recipe, record);
        if (computed["id"] is { } hex)
        {
            computed["id"] = System.Text.Encoding.UTF8.GetString(
                Convert.FromHexString(hex.GetValue<string>())
            );
        }

        computed["bucket-ms"] = Outcome.Of(recipe, record).All.BucketMs;
        foreach ((string name, JsonNode? expected) in example)
        {
            if (!Given.Contains(name))
            {
                (computed[name]?.ToJsonString()).ShouldBe(
                    expected!.ToJsonString(),
                    $"{where} ({name})"
                );
            }
        }
    }

    private static IEnumerable<(string Language, string Text, int Line)> Blocks(string file)
    {
        string[] lines = File.ReadAllLines(file);
        for (int i = 0; i < lines.Length; i++)
        {
            if (!lines[i].StartsWith("```", StringComparison.Ordinal))
            {
                continue;
            }

            int start = i + 1;
            int end = Array.IndexOf(lines, "```", start);
            yield return (lines[i][3..], string.Join('\n', lines[start..end]), start + 1);
            i = end;
        }
    }

    private static RecipeResult Parse(string yaml)
    {
        YamlStream stream = [];
        using StringReader reader = new(yaml);
        stream.Load(reader);
        Dictionary<string, RecipeNode> parts = (
            (YamlMappingNode)stream.Documents[0].RootNode
        ).Children.ToDictionary(
            static pair => ((YamlScalarNode)pair.Key).Value!,
            static pair => Node(pair.Value)
        );
        return RecipeParser.Parse(
            new RecipeNodes
            {
                Id = parts.GetValueOrDefault("id"),
                Scope = parts.GetValueOrDefault("scope"),
                Fingerprint = parts.GetValueOrDefault("fingerprint"),
                Prefix = parts.GetValueOrDefault("id-prefix"),
                Json = parts.GetValueOrDefault("json"),
            }
        );
    }

    private static RecipeNode Node(YamlNode node)
    {
        int line = (int)node.Start.Line;
        return node switch
        {
            YamlMappingNode map => RecipeNode.Map(
                map.Children.Select(static m => new RecipeMember(
                    ((YamlScalarNode)m.Key).Value!,
                    (int)m.Key.Start.Line,
                    Node(m.Value)
                )),
                line
            ),
            YamlSequenceNode list => RecipeNode.List(list.Children.Select(Node), line),
            _ => RecipeNode.Of(((YamlScalarNode)node).Value, line),
        };
    }
}
