using Dedup.Topology.Identify.Json;
using Dedup.Topology.Identify.Sources;

namespace Dedup.Topology.Identify.Parsing;

/// <summary>Reads one source: <c>key</c>, <c>{ header: NAME }</c>, <c>header:NAME</c>, and so on.</summary>
internal sealed class SourceParser(RecipeErrors errors, JsonLimits limits)
{
    private static readonly string[] IdSources = ["key", "header", "json", "content", "join"];
    private static readonly string[] ScopeSources = ["header", "json", "key", "value"];

    private static readonly string[] JoinSources = ["key", "header", "json", "content"];
    private readonly ContentParser _content = new(errors, limits);

    /// <summary>A source of an ID; null after an error.</summary>
    /// <param name="node">What the user wrote.</param>
    /// <param name="where">Where, for errors.</param>
    /// <param name="isLast">Whether no other source follows, on which defaults depend.</param>
    public IdSource? ForId(RecipeNode node, string where, bool isLast) =>
        Parse(node, where, IdSources, isLast);

    /// <summary>A source of a part of the scope; null after an error.</summary>
    public IdSource? ForScope(RecipeNode node, string where) =>
        Parse(node, where, ScopeSources, isLast: true);

    private IdSource? Parse(RecipeNode node, string where, string[] known, bool isLast)
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
            return FromMap(node, where, known, isLast);
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

        return FromParts(kind, value, node.Line, where, known, isLast);
    }

    private IdSource? FromMap(RecipeNode node, string where, string[] known, bool isLast)
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
        return FromParts(member.Name, member.Value, member.Line, where, known, isLast);
    }

    private IdSource? FromParts(
        string kind,
        RecipeNode value,
        int line,
        string where,
        string[] known,
        bool isLast
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
            case "content":
                return _content.Parse(value, $"{where}: content", isLast);
            case "join":
                return Join(value, line, $"{where}: join", isLast);
            default:
                JsonPath? path = PathParser.Parse(value, $"{where}: json", errors);
                return path is null ? null : new JsonSource(path, limits);
        }
    }

    private JoinSource? Join(RecipeNode value, int line, string where, bool isLast)
    {
        if (!value.IsList || value.Items.Length < 2 || value.Items.Length > JoinSource.MaxParts)
        {
            errors.Add(
                line,
                $"{where}: a list of 2 to {JoinSource.MaxParts} sources is expected",
                "write join: [ { header: order }, { json: $.line } ]"
            );
            return null;
        }

        int before = errors.Count;
        List<IdSource> parts = [];
        for (int i = 0; i < value.Items.Length; i++)
        {
            IdSource? part = Parse(value.Items[i], $"{where}, part {i + 1}", JoinSources, isLast);
            if (part is null)
            {
                continue;
            }

            if (part.BucketMs > 0)
            {
                errors.Add(
                    value.Items[i].Line,
                    $"{where}, part {i + 1}: content with a bucket",
                    "a bucket belongs to a source of its own: leave it out here"
                );
            }

            parts.Add(part);
        }

        return errors.Count == before ? new JoinSource([.. parts]) : null;
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
                    "join" => "join: [ { header: order }, { json: $.line } ]",
                    _ => k,
                }
            )
        );
}
