using Dedup.Topology.Identify;

namespace Dedup.Host.Configuration;

/// <summary>Reads <c>id</c>.</summary>
internal static class RecipeReader
{
    /// <summary>How recipes are written.</summary>
    public const string RangeText = "`key`";

    private const string Help = "write 'id: key'";

    /// <summary>Whether by-input is right by construction.</summary>
    public static bool IsKey(Recipe recipe) => recipe.Text == Recipe.Key.Text;

    /// <summary>Reads the recipe; null when it is wrong (and then it was said).</summary>
    public static Recipe? Read(SectionReader section)
    {
        ConfigNode? node = section.Find("id");
        if (node is null)
        {
            _ = section.Text("id");
            return null;
        }

        if (node is { Kind: NodeKind.Scalar, Text: "key" })
        {
            return Recipe.Key;
        }

        section.Context.Findings.Error(
            section.Where("id"),
            $"'{section.PathOf("id")}' is {node.Describe()}, which is no recipe of this version",
            Help
        );
        return null;
    }
}
