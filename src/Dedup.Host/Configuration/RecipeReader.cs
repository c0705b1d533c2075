using Dedup.Topology.Identify;
using Dedup.Topology.Identify.Parsing;
using Dedup.Topology.Identify.Sources;

namespace Dedup.Host.Configuration;

/// <summary>Reads what makes a recipe: <c>id</c>, <c>scope</c>, <c>fingerprint</c>, <c>id-prefix</c>, <c>json</c>. The recipe's own parser does the work.</summary>
internal static class RecipeReader
{
    /// <summary>How recipes are written.</summary>
    public const string RangeText =
        "`key` \\| `{ header: NAME }` \\| `{ json: $.path }` \\| `{ content: … }` \\| `{ join: […] }`, or a list of them; the first that yields an ID wins";

    /// <summary>Whether by-input is right by construction: the ID is the key, and a key always has the same partition.</summary>
    public static bool IsKey(Recipe recipe) => recipe.Sources is [KeySource];

    /// <summary>Reads the recipe; null when it is wrong (and then it was said).</summary>
    public static Recipe? Read(SectionReader section)
    {
        ConfigNode? id = section.Find("id");
        if (id is null or { Kind: NodeKind.Scalar, Text: null or "" })
        {
            _ = section.Text("id");
            return null;
        }

        // A recipe of the command line may be a chain in one text: header:Idempotency-Key | key
        RecipeResult result = id is { Kind: NodeKind.Scalar, Place.Line: 0 }
            ? RecipeParser.Parse(id.Text!)
            : RecipeParser.Parse(
                new RecipeNodes
                {
                    Id = Node(id),
                    Scope = Optional(section.Find("scope")),
                    Fingerprint = Optional(section.Find("fingerprint")),
                    Prefix = Optional(section.Find("id-prefix")),
                    Json = Optional(section.Find("json")),
                    Line = section.Place.Line,
                }
            );
        foreach (RecipeError error in result.Errors)
        {
            string where =
                error.Line > 0
                    ? new Place(section.Place.Source, error.Line).ToString()
                    : section.Where("id");
            section.Context.Findings.Error(where, $"{section.Title}: {error.What}", error.Fix);
        }

        return id is { Kind: NodeKind.Scalar, Place.Line: 0 }
            ? WithFingerprint(result.Recipe, section)
            : result.Recipe;
    }

    /// <summary>In options a fingerprint is of the payload or none; paths need a file.</summary>
    private static Recipe? WithFingerprint(Recipe? recipe, SectionReader section)
    {
        ConfigNode? fingerprint = section.Find("fingerprint");
        if (fingerprint is null || recipe is null)
        {
            return recipe;
        }

        if (fingerprint.Text != "payload")
        {
            section.Context.Findings.Error(
                fingerprint.Place.ToString(),
                $"'--fingerprint' is {fingerprint.Describe()}, which is not payload",
                "write payload; a fingerprint of paths needs a file: fingerprint: [$.path]"
            );
        }

        return new Recipe([.. recipe.Sources], recipe.Scope, new Fingerprint())
        {
            Prefix = recipe.Prefix,
            MaxIdBytes = recipe.MaxIdBytes,
        };
    }

    private static RecipeNode? Optional(ConfigNode? node) => node is null ? null : Node(node);

    private static RecipeNode Node(ConfigNode node) =>
        node.Kind switch
        {
            NodeKind.Mapping => RecipeNode.Map(
                node.Members.Select(static m => new RecipeMember(
                    m.Name,
                    m.Place.Line,
                    Node(m.Value)
                )),
                node.Place.Line
            ),
            NodeKind.Sequence => RecipeNode.List(node.Items.Select(Node), node.Place.Line),
            _ => RecipeNode.Of(node.Text, node.Place.Line),
        };
}
