using Dedup.Topology.Identify;
using Dedup.Topology.Identify.Json;
using Dedup.Topology.Pipelines;

namespace Dedup.Host.Configuration;

/// <summary>
/// Reads what happens to records that are not firsts, and by which time: <c>refresh</c>, <c>conflict</c>, <c>time</c>,
/// <c>mode</c>, <c>headers</c>. Each alone, then what contradicts one another.
/// </summary>
internal static class PolicyReader
{
    private const int MostPercent = 99;
    private static readonly string[] Modes = ["enforce", "shadow", "off"];
    private static readonly string[] Times = ["event", "append"];
    private static readonly string[] HeaderNames = ["standard", "verdict"];

    /// <summary>The pipeline with its policies.</summary>
    public static PipelineSpec Apply(PipelineSpec spec, SectionReader section)
    {
        PipelineSpec read = spec with
        {
            Refresh = section.Choice("refresh") == "true",
            Conflict = section.Choice("conflict") switch
            {
                "duplicate" => ConflictPolicy.Duplicate,
                "clean" => ConflictPolicy.Clean,
                _ => ConflictPolicy.Quarantine,
            },
            Time = Time(section),
            Mode = Mode(section),
            Headers = Headers(section),
        };
        CheckTogether(read, section);
        return read;
    }

    private static void CheckTogether(PipelineSpec spec, SectionReader section)
    {
        if (section.Find("conflict") is not null && spec.Recipe.Fingerprint is null)
        {
            Error(
                section,
                "conflict",
                $"'{section.PathOf("conflict")}' is about the same ID with another fingerprint, and there is no fingerprint",
                "add 'fingerprint: payload' or 'fingerprint: [$.path]', or take it out"
            );
        }

        if (spec.Refresh && spec.Recipe.Sources.All(static s => s.BucketMs > 0))
        {
            Error(
                section,
                "refresh",
                $"'{section.PathOf("refresh")}' has no effect: with time buckets a suppressed duplicate extends nothing",
                "take it out, or take 'bucket' out of the content ID"
            );
        }

        if (spec.Mode.Kind == ModeKind.Off && spec.Headers.HasFlag(HeaderSets.Verdict))
        {
            Error(
                section,
                "headers",
                $"'{section.PathOf("headers")}' asks for the verdict, and with 'mode: off' nothing is judged",
                "write mode: shadow, or take 'verdict' out"
            );
        }
    }

    private static TimeRule Time(SectionReader section)
    {
        ConfigNode? node = section.Find("time");
        if (node is null or { Text: "event" })
        {
            return TimeRule.Event;
        }

        if (node is { Text: "append" })
        {
            return new TimeRule(IsAppend: true);
        }

        ConfigNode? path = Member(node, "payload");
        ConfigNode? unit = Member(node, "unit");
        if (
            node.Kind != NodeKind.Mapping
            || path is null
            || node.Members.Length != (unit is null ? 1 : 2)
        )
        {
            Unknown(section, "time", node, Times, "{ payload: $.occurred_at }");
            return TimeRule.Event;
        }

        if (unit is not (null or { Text: "ms" or "s" }))
        {
            section.Context.Findings.Error(
                unit.Place.ToString(),
                $"'{section.PathOf("time")}.unit' is {unit.Describe()}",
                "write ms or s: what a number in the payload counts since 1970"
            );
        }

        if (
            path.Text is not { } text
            || !JsonPathParser.TryParse(text, out JsonPath? parsed, out string error)
        )
        {
            _ = JsonPathParser.TryParse(path.Text ?? "", out _, out error);
            section.Context.Findings.Error(
                path.Place.ToString(),
                $"'{section.PathOf("time")}.payload' is {path.Describe()}, which is no path",
                error
            );
            return TimeRule.Event;
        }

        return new TimeRule(
            Payload: new PayloadTime(parsed!, Limits(section), unit?.Text == "s" ? 1000 : 1)
        );
    }

    /// <summary>What <c>json</c> says; what is wrong there the recipe's reader has said.</summary>
    private static JsonLimits Limits(SectionReader section)
    {
        JsonLimits limits = JsonLimits.Default;
        if (section.Find("json") is not { } json)
        {
            return limits;
        }

        if (
            Member(json, "max-depth")?.Text is { } depth
            && Quantities.TryCount(depth, out long levels)
            && levels is > 0 and <= JsonLimits.MaxMaxDepth
        )
        {
            limits = limits with { MaxDepth = (int)levels };
        }

        return
            Member(json, "max-bytes")?.Text is { } size
            && Quantities.TrySize(size, out long bytes)
            && bytes is > 0 and <= int.MaxValue
            ? limits with
            {
                MaxBytes = (int)bytes,
            }
            : limits;
    }

    private static PipelineMode Mode(SectionReader section)
    {
        ConfigNode? node = section.Find("mode");
        switch (node)
        {
            case null or { Text: "enforce" }:
                return default;
            case { Text: "shadow" }:
                return new PipelineMode(ModeKind.Shadow);
            case { Text: "off" }:
                return new PipelineMode(ModeKind.Off);
            default:
                break;
        }

        ConfigNode? percent = Member(node, "percent");
        if (node.Kind != NodeKind.Mapping || percent is null || node.Members.Length != 1)
        {
            Unknown(section, "mode", node, Modes, "{ percent: 10 }");
            return default;
        }

        if (
            percent.Text is { } text
            && Quantities.TryCount(text, out long share)
            && share is > 0 and <= MostPercent
        )
        {
            return new PipelineMode(ModeKind.Percent, (int)share);
        }

        section.Context.Findings.Error(
            percent.Place.ToString(),
            $"'{section.PathOf("mode")}.percent' is {percent.Describe()}, out of its range",
            $"write a whole number from 1 to {MostPercent}; none is mode: shadow, all is mode: enforce"
        );
        return default;
    }

    private static HeaderSets Headers(SectionReader section)
    {
        ConfigNode? node = section.Find("headers");
        HeaderSets sets = HeaderSets.None;
        if (node is null)
        {
            return sets;
        }

        ConfigNode[] items = node.Kind == NodeKind.Sequence ? [.. node.Items] : [node];
        foreach (ConfigNode item in items)
        {
            HeaderSets set = item.Text switch
            {
                "standard" => HeaderSets.Standard,
                "verdict" => HeaderSets.Verdict,
                _ => HeaderSets.None,
            };
            sets |= set;
            if (set == HeaderSets.None)
            {
                Unknown(section, "headers", item, HeaderNames, "[standard, verdict]");
            }
        }

        return sets;
    }

    private static ConfigNode? Member(ConfigNode node, string name)
    {
        foreach (ConfigMember member in node.Members)
        {
            if (member.Name == name)
            {
                return member.Value;
            }
        }

        return null;
    }

    private static void Unknown(
        SectionReader section,
        string name,
        ConfigNode node,
        string[] known,
        string also
    )
    {
        string? near = node.Text is null ? null : Nearest.To(node.Text, known);
        section.Context.Findings.Error(
            node.Place.ToString(),
            $"'{section.PathOf(name)}' is {node.Describe()}, which is not one of {string.Join(", ", known)}, {also}",
            near is null ? "write one of them" : $"write '{near}'"
        );
    }

    private static void Error(SectionReader section, string name, string what, string fix) =>
        section.Context.Findings.Error(section.Where(name), what, fix);
}
