using Dedup.Topology.Identify.Json;
using Dedup.Topology.Identify.Sources;

namespace Dedup.Topology.Identify.Parsing;

/// <summary>Reads one source: <c>key</c>, <c>{ header: NAME }</c>, <c>header:NAME</c>, and so on.</summary>
internal sealed class SourceParser(RecipeErrors errors, JsonLimits limits)
{
    private static readonly string[] IdSources = ["key", "header", "json"];
    private static readonly string[] ScopeSources = ["header", "json", "key", "value"];

    /// <summary>A source of an ID; null after an error.</summary>
    public IdSource? ForId(RecipeNode node, string where) => Parse(node, where, IdSources);

    /// <summary>A source of a part of the scope; null after an error.</summary>
    public IdSource? ForScope(RecipeNode node, string where) => Parse(node, where, ScopeSources);

    private IdSource? Parse(RecipeNode node, string where, string[] known)
    {
        if (node.IsList)
        {
            errors.Add(
                node.Line,
                $"{where}: a list where one source is expected",
                "write one of: " + Examples(known)
            );
            return null;
        }

        if (node.IsMap)
        {
            return FromMap(node, where, known);
        }

        string text = node.Scalar!.Trim();
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        string kind = colon < 0 ? text : text[..colon].TrimEnd();
        RecipeNode value = RecipeNode.Of(colon < 0 ? "" : text[(colon + 1)..].Trim(), node.Line);
        if (text.Length == 0)
        {
            errors.Add(node.Line, $"{where}: empty", "write one of: " + Examples(known));
            return null;
        }

        return FromParts(kind, value, node.Line, where, known);
    }

    private IdSource? FromMap(RecipeNode node, string where, string[] known)
    {
        if (node.Members.Length != 1)
        {
            errors.Add(
                node.Line,
                $"{where}: {node.Members.Length} names where one source is expected",
                "one source in one map; several sources as a list, each with a dash"
            );
            return null;
        }

        RecipeMember member = node.Members[0];
        return FromParts(member.Name, member.Value, member.Line, where, known);
    }

    private IdSource? FromParts(
        string kind,
        RecipeNode value,
        int line,
        string where,
        string[] known
    )
    {
        if (!known.Contains(kind))
        {
            errors.Unknown(line, where, kind, known);
            return null;
        }

        switch (kind)
        {
            case "key":
                if (value.IsScalar && value.Scalar!.Length == 0)
                {
                    return new KeySource();
                }

                errors.Add(line, $"{where}: key takes no value", "write key");
                return null;
            case "header":
                string? name = errors.Text(value, $"{where}: header", "header: Idempotency-Key");
                return name is null ? null : new HeaderSource(name);
            case "value":
                string? constant = errors.Text(value, $"{where}: value", "value: checkout");
                return constant is null ? null : new ConstantSource(constant);
            default:
                JsonPath? path = Path(value, $"{where}: json");
                return path is null ? null : new JsonSource(path, limits);
        }
    }

    /// <summary>A path; null after an error.</summary>
    public JsonPath? Path(RecipeNode node, string where)
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

    private static string Examples(string[] known) =>
        string.Join(
            ", ",
            known.Select(static k =>
                k switch
                {
                    "header" => "header: Idempotency-Key",
                    "json" => "json: $.event_id",
                    "value" => "value: checkout",
                    _ => k,
                }
            )
        );
}
