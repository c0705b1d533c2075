using System.Globalization;
using Dedup.Topology.Identify.Canonical;
using Dedup.Topology.Identify.Json;
using Dedup.Topology.Identify.Sources;

namespace Dedup.Topology.Identify.Parsing;

/// <summary>Reads <c>content:</c>.</summary>
internal sealed class ContentParser(RecipeErrors errors, JsonLimits limits)
{
    /// <summary>Widest bucket: a day; what is the same for longer is the window's business.</summary>
    public const long MaxBucketMs = 24L * 3600 * 1000;

    private static readonly string[] Names =
    [
        "include",
        "exclude",
        "bucket",
        "on-missing",
        "canonical",
        "separators",
        "ensure-ascii",
        "framing",
    ];

    private static readonly string[] Misses = ["next", "raw", "quarantine"];
    private static readonly string[] Styles = ["jcs", "python"];
    private static readonly string[] Framings = ["auto", "schema-registry", "none"];
    private static readonly (string Unit, long Ms)[] Units =
    [
        ("ms", 1),
        ("s", 1000),
        ("m", 60_000),
        ("h", 3_600_000),
        ("d", 86_400_000),
    ];

    /// <summary>A source; null after an error.</summary>
    /// <param name="node">The value of <c>content</c>, empty for all defaults.</param>
    /// <param name="where">Where, for errors.</param>
    /// <param name="isLast">Whether it ends the chain: then what has no canonical form is hashed as it stands.</param>
    public ContentSource? Parse(RecipeNode node, string where, bool isLast)
    {
        int before = errors.Count;
        OnMissing onMissing = isLast ? OnMissing.Raw : OnMissing.Next;
        if (node.IsScalar && node.Scalar!.Length == 0)
        {
            return new ContentSource(new ContentOptions { OnMissing = onMissing, Limits = limits });
        }

        Dictionary<string, RecipeMember> members = errors.Members(
            node,
            where,
            Names,
            "content: { include: [$.data] }"
        );
        if (members.TryGetValue("on-missing", out RecipeMember? missing))
        {
            onMissing = (OnMissing)Choice(missing, $"{where}.on-missing", Misses);
        }

        ContentOptions options = new()
        {
            Paths = Paths(members, where),
            Style = Style(members, where),
            OnMissing = onMissing,
            Framing = members.TryGetValue("framing", out RecipeMember? framing)
                ? (Framing)Choice(framing, $"{where}.framing", Framings)
                : Framing.Auto,
            BucketMs = members.TryGetValue("bucket", out RecipeMember? bucket)
                ? Bucket(bucket.Value, $"{where}.bucket")
                : 0,
            Limits = limits,
        };
        return errors.Count == before ? new ContentSource(options) : null;
    }

    private PathTree? Paths(Dictionary<string, RecipeMember> members, string where)
    {
        List<(JsonPath Path, int Line)> include = members.TryGetValue(
            "include",
            out RecipeMember? i
        )
            ? PathParser.ParseMany(i.Value, $"{where}.include", PathTree.MaxPaths, errors)
            : [];
        List<(JsonPath Path, int Line)> exclude = members.TryGetValue(
            "exclude",
            out RecipeMember? e
        )
            ? PathParser.ParseMany(e.Value, $"{where}.exclude", PathTree.MaxPaths, errors)
            : [];
        foreach ((JsonPath path, int line) in exclude)
        {
            JsonPath? gone = include.Find(p => p.Path.IsWithin(path)).Path;
            if (path.Segments.IsEmpty)
            {
                errors.Add(
                    line,
                    $"{where}.exclude: $ leaves nothing",
                    "name the parts that do not count"
                );
            }
            else if (gone is not null)
            {
                errors.Add(
                    line,
                    $"{where}: {gone.Text} is included, and excluded by {path.Text}",
                    "leave one of them out"
                );
            }
            else if (include.Count > 0 && !include.Exists(p => path.IsWithin(p.Path)))
            {
                errors.Add(
                    line,
                    $"{where}.exclude: {path.Text} lies under no included path",
                    "leave it out, or include a path above it"
                );
            }
        }

        bool all = include.Count == 0 || include.Exists(static p => p.Path.Segments.IsEmpty);
        return all && exclude.Count == 0
            ? null
            : new PathTree(all ? [] : [.. Distinct(include)], [.. Distinct(exclude)]);
    }

    private static IEnumerable<JsonPath> Distinct(List<(JsonPath Path, int Line)> paths) =>
        paths.Select(static p => p.Path).DistinctBy(static p => p.Text);

    private CanonicalStyle Style(Dictionary<string, RecipeMember> members, string where)
    {
        bool python =
            members.TryGetValue("canonical", out RecipeMember? style)
            && Choice(style, $"{where}.canonical", Styles) == 1;
        string item = ", ";
        string key = ": ";
        bool ascii = true;
        if (members.TryGetValue("separators", out RecipeMember? separators))
        {
            RequirePython(python, separators, where);
            if (
                separators.Value is
                { IsList: true, Items: [{ IsScalar: true } first, { IsScalar: true } second] }
            )
            {
                (item, key) = (first.Scalar!, second.Scalar!);
                if (item.Trim() != "," || key.Trim() != ":")
                {
                    errors.Add(
                        separators.Line,
                        $"{where}.separators: '{item}' and '{key}' do not make JSON",
                        "write a comma and a colon, each with or without blanks: [\",\", \":\"]"
                    );
                }
            }
            else
            {
                errors.Add(
                    separators.Line,
                    $"{where}.separators: two texts are expected",
                    "write [\",\", \":\"]"
                );
            }
        }

        if (members.TryGetValue("ensure-ascii", out RecipeMember? ensure))
        {
            RequirePython(python, ensure, where);
            ascii = errors.Flag(ensure.Value, $"{where}.ensure-ascii");
        }

        return python ? CanonicalStyle.Python(item, key, ascii) : CanonicalStyle.Jcs;
    }

    private void RequirePython(bool python, RecipeMember member, string where)
    {
        if (!python)
        {
            errors.Add(
                member.Line,
                $"{where}.{member.Name} is for canonical: python",
                "add canonical: python, or leave it out"
            );
        }
    }

    private int Choice(RecipeMember member, string where, string[] known)
    {
        int index = Array.IndexOf(known, member.Value.Scalar);
        if (index < 0)
        {
            errors.Unknown(member.Value.Line, where, member.Value.Scalar ?? "…", known);
        }

        return Math.Max(index, 0);
    }

    private long Bucket(RecipeNode node, string where)
    {
        string text = (node.Scalar ?? "").Trim();
        (string unit, long ms) = Units.FirstOrDefault(
            u => text.EndsWith(u.Unit, StringComparison.Ordinal),
            ("", 0)
        );
        if (
            ms > 0
            && long.TryParse(
                text[..^unit.Length],
                NumberStyles.None,
                CultureInfo.InvariantCulture,
                out long value
            )
            && value is > 0 and <= MaxBucketMs
            && value * ms <= MaxBucketMs
        )
        {
            return value * ms;
        }

        errors.Add(
            node.Line,
            $"{where}: '{node.Scalar ?? "…"}' is no width",
            "write a duration from 1ms to 1d, like 100ms"
        );
        return 0;
    }
}
