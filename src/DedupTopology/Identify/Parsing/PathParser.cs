using Dedup.Topology.Identify.Json;

namespace Dedup.Topology.Identify.Parsing;

/// <summary>Reads paths, one or a list of them.</summary>
internal static class PathParser
{
    /// <summary>A path; null after an error.</summary>
    public static JsonPath? Parse(RecipeNode node, string where, RecipeErrors errors)
    {
        string? text = errors.Text(node, where, "a path like $.event_id");
        if (text is null)
        {
            return null;
        }

        if (JsonPathParser.TryParse(text, out JsonPath? path, out string error))
        {
            return path;
        }

        errors.Add(node.Line, $"{where}: '{text}' is no path", error);
        return null;
    }

    /// <summary>A path or a list of paths, each with its line; without those that are wrong.</summary>
    public static List<(JsonPath Path, int Line)> ParseMany(
        RecipeNode node,
        string where,
        int most,
        RecipeErrors errors
    )
    {
        List<(JsonPath, int)> paths = [];
        RecipeNode[] items = node.IsList ? [.. node.Items] : [node];
        if (items.Length == 0 || items.Length > most)
        {
            errors.Add(
                node.Line,
                $"{where}: {items.Length} paths",
                $"write 1 to {most}, or leave it out"
            );
            return paths;
        }

        foreach (RecipeNode item in items)
        {
            if (Parse(item, where, errors) is { } path)
            {
                paths.Add((path, item.Line));
            }
        }

        return paths;
    }
}
