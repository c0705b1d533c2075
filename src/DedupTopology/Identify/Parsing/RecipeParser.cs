using System.Globalization;
using Dedup.Topology.Identify.Json;
using Dedup.Topology.Identify.Scopes;

namespace Dedup.Topology.Identify.Parsing;

/// <summary>Makes a recipe of what a user wrote, or says all that is wrong with it at once.</summary>
public static class RecipeParser
{
    private static readonly string[] ScopeParts = ["tenant", "service", "type"];
    private static readonly string[] LimitNames = ["max-depth", "max-bytes"];

    /// <summary>Parses the parts of a pipeline's configuration.</summary>
    public static RecipeResult Parse(RecipeNodes nodes)
    {
        RecipeErrors errors = new();
        JsonLimits limits = Limits(nodes.Json, errors);
        SourceParser sources = new(errors, limits);
        List<IdSource> chain = Chain(nodes, sources, errors);
        Scope? scope = nodes.Scope is null ? null : ParseScope(nodes.Scope, sources, errors);
        Fingerprint? fingerprint = nodes.Fingerprint is null
            ? null
            : FingerprintParser.Parse(nodes.Fingerprint, limits, errors);
        string? prefix = nodes.Prefix is null
            ? "dedup"
            : errors.Text(nodes.Prefix, "id-prefix", "id-prefix: dedup");
        return errors.Count > 0
            ? new RecipeResult(null, errors.ByLine)
            : new RecipeResult(new Recipe([.. chain], scope, fingerprint) { Prefix = prefix! }, []);
    }

    /// <summary>
    /// Parses a recipe of the command line: <c>key</c>, <c>header:NAME</c>, <c>json:$.path</c>; several with <c>|</c> between.
    /// </summary>
    public static RecipeResult Parse(string text)
    {
        RecipeNode[] items = [.. Split(text).Select(static part => RecipeNode.Of(part))];
        return Parse(
            new RecipeNodes { Id = items.Length == 1 ? items[0] : RecipeNode.List(items) }
        );
    }

    private static List<IdSource> Chain(
        RecipeNodes nodes,
        SourceParser sources,
        RecipeErrors errors
    )
    {
        List<IdSource> chain = [];
        if (nodes.Id is not { } id)
        {
            errors.Add(
                nodes.Line,
                "id: missing",
                "write id: key, or another recipe (docs/recipes.md)"
            );
            return chain;
        }

        RecipeNode[] items = id.IsList ? [.. id.Items] : [id];
        if (items.Length is 0 or > Recipe.MaxSources)
        {
            errors.Add(id.Line, $"id: {items.Length} sources", $"write 1 to {Recipe.MaxSources}");
            return chain;
        }

        for (int i = 0; i < items.Length; i++)
        {
            IdSource? source = sources.ForId(
                items[i],
                items.Length == 1 ? "id" : $"id, source {i + 1}",
                i == items.Length - 1
            );
            if (source is not null && chain.Exists(s => s.Text == source.Text))
            {
                errors.Add(
                    items[i].Line,
                    $"id, source {i + 1}: {source.Text} stands there twice",
                    "keep one of them"
                );
            }

            if (source is not null)
            {
                chain.Add(source);
            }
        }

        return chain;
    }

    private static Scope? ParseScope(RecipeNode node, SourceParser sources, RecipeErrors errors)
    {
        Dictionary<string, RecipeMember> members = errors.Members(
            node,
            "scope",
            ScopeParts,
            "scope: { tenant: { header: tenant-id } }"
        );
        if (node.IsMap && node.Members.Length == 0)
        {
            errors.Add(
                node.Line,
                "scope: empty",
                "give it tenant, service, or type, or leave it out"
            );
        }

        return new Scope(Part("tenant"), Part("service"), Part("type"));

        ScopePart? Part(string name)
        {
            if (!members.TryGetValue(name, out RecipeMember? member))
            {
                return null;
            }

            RecipeNode value = member.Value;
            bool required = false;
            if (
                value.IsMap
                && value.Members.FirstOrDefault(static m => m.Name == "required") is { } flag
            )
            {
                required = errors.Flag(flag.Value, $"scope.{name}.required");
                value = RecipeNode.Map(
                    value.Members.Where(static m => m.Name != "required"),
                    value.Line
                );
            }

            IdSource? source = sources.ForScope(value, $"scope.{name}");
            return source is null ? null : new ScopePart(source, required);
        }
    }

    private static JsonLimits Limits(RecipeNode? node, RecipeErrors errors)
    {
        JsonLimits limits = JsonLimits.Default;
        if (node is null)
        {
            return limits;
        }

        Dictionary<string, RecipeMember> members = errors.Members(
            node,
            "json",
            LimitNames,
            "json: { max-depth: 64 }"
        );
        if (members.TryGetValue("max-depth", out RecipeMember? depth))
        {
            limits = limits with
            {
                MaxDepth = Number(depth.Value, "json.max-depth", 1, JsonLimits.MaxMaxDepth, errors),
            };
        }

        if (members.TryGetValue("max-bytes", out RecipeMember? bytes))
        {
            limits = limits with
            {
                MaxBytes = Number(bytes.Value, "json.max-bytes", 1, 1 << 30, errors),
            };
        }

        return limits;
    }

    private static int Number(
        RecipeNode node,
        string where,
        int least,
        int most,
        RecipeErrors errors
    )
    {
        string text = (node.Scalar ?? "").Replace("_", "", StringComparison.Ordinal);
        (string suffix, int unit) = text switch
        {
            _ when text.EndsWith("KiB", StringComparison.Ordinal) => ("KiB", 1 << 10),
            _ when text.EndsWith("MiB", StringComparison.Ordinal) => ("MiB", 1 << 20),
            _ => ("", 1),
        };
        if (
            long.TryParse(
                text[..^suffix.Length],
                NumberStyles.None,
                CultureInfo.InvariantCulture,
                out long value
            )
            && value <= most
            && value * unit >= least
            && value * unit <= most
        )
        {
            return (int)(value * unit);
        }

        errors.Add(
            node.Line,
            $"{where}: '{node.Scalar}' is not in range",
            $"write a number from {least} to {most}"
        );
        return least;
    }

    /// <summary>Cuts at bars that stand outside of brackets and quotes, which paths may contain.</summary>
    private static List<string> Split(string text)
    {
        List<string> parts = [];
        int start = 0;
        char quote = '\0';
        int brackets = 0;
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            if (quote != '\0')
            {
                i += c == '\\' ? 1 : 0;
                quote = c == quote ? '\0' : quote;
            }
            else if (brackets > 0 && c is '\'' or '"')
            {
                quote = c;
            }
            else
            {
                brackets +=
                    c == '[' ? 1
                    : c == ']' ? -1
                    : 0;
                if (c == '|' && brackets <= 0)
                {
                    parts.Add(text[start..i]);
                    start = i + 1;
                }
            }
        }

        parts.Add(text[start..]);
        return parts;
    }
}
