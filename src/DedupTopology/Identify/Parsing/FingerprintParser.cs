using Dedup.Topology.Identify.Canonical;
using Dedup.Topology.Identify.Json;
using Dedup.Topology.Identify.Sources;

namespace Dedup.Topology.Identify.Parsing;

/// <summary>Reads <c>fingerprint:</c>.</summary>
internal static class FingerprintParser
{
    private static readonly string[] Known = ["payload"];

    /// <summary>A fingerprint; null after an error.</summary>
    public static Fingerprint? Parse(RecipeNode node, JsonLimits limits, RecipeErrors errors)
    {
        if (node.IsScalar && !node.Scalar!.StartsWith('$'))
        {
            if (node.Scalar == "payload")
            {
                return new Fingerprint();
            }

            errors.Unknown(node.Line, "fingerprint", node.Scalar, Known);
            return null;
        }

        if (node.IsMap)
        {
            errors.Add(
                node.Line,
                "fingerprint: a map",
                "write payload, or a list of paths: [$.amount, $.currency]"
            );
            return null;
        }

        List<(JsonPath Path, int Line)> paths = PathParser.ParseMany(
            node,
            "fingerprint",
            PathTree.MaxPaths,
            errors
        );
        return paths.Count == 0
            ? null
            : new Fingerprint(
                new ContentOptions
                {
                    Paths = new PathTree(
                        [.. paths.Select(static p => p.Path).DistinctBy(static p => p.Text)],
                        []
                    ),
                    Limits = limits,
                }
            );
    }
}
