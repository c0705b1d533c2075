using System.Globalization;
using System.Text;
using System.Text.Json;
using Dedup.Audit.Reports;
using Dedup.Host.Commands;
using AuditFinding = Dedup.Audit.Reports.Finding;

namespace Dedup.Host.Verify;

/// <summary>Prints what an audit found.</summary>
internal static class ReportPrinter
{
    private const int Red = 31;
    private const int Green = 32;
    private const int Yellow = 33;

    private static readonly (FindingKind Kind, string Name)[] Kinds =
    [
        (FindingKind.Lost, "lost"),
        (FindingKind.Twice, "twice"),
        (FindingKind.Changed, "changed"),
        (FindingKind.Foreign, "foreign"),
        (FindingKind.OutOfOrder, "out of order"),
        (FindingKind.LedgerMismatch, "ledger"),
    ];

    /// <summary>For people.</summary>
    public static void Print(
        string pipeline,
        string input,
        string clean,
        AuditReport report,
        CliContext context
    )
    {
        TextWriter output = context.Out;
        AuditCounts c = report.Counts;
        output.WriteLine($"{pipeline}: {input} → {clean}");
        output.WriteLine(
            $"  in {N(c.In)}: first {N(c.First)}, duplicates {N(c.Duplicates)}, late forwarded {N(c.Late)}, {Rare(c)}quarantined {N(c.Quarantined)}, dropped {N(c.Dropped)}, undecided {N(c.Undecided)}"
        );
        output.WriteLine(
            $"  clean {N(c.Clean)}{(c.CleanAhead > 0 ? $", of which {N(c.CleanAhead)} came while the audit ran" : "")}"
        );
        output.WriteLine(
            "  "
                + string.Join(
                    ", ",
                    Kinds.Select(k => Count(k.Name, report.CountOf(k.Kind), context))
                )
        );
        foreach (FindingGroup group in report.Findings)
        {
            output.WriteLine(
                context.Colour(
                    $"  {Name(group.Kind)}: {N(group.Count)}{(group.Count > group.Shown.Count ? $", the first {group.Shown.Count}" : "")}",
                    Red
                )
            );
            foreach (AuditFinding finding in group.Shown)
            {
                output.WriteLine("    " + Line(finding, input, clean));
            }
        }

        foreach (UnknownCount unknown in report.Unknown)
        {
            output.WriteLine(
                context.Colour(
                    $"  unknown {N(unknown.Count)}: {UnknownReasonText.Of(unknown.Reason)}",
                    Yellow
                )
            );
        }

        foreach (string note in report.Notes)
        {
            output.WriteLine(context.Colour($"  note: {note}", Yellow));
        }

        string speed =
            $"{N(report.RecordsRead)} records read in {report.Duration.TotalSeconds:0.0} s, {report.RecordsPerSecond:#,0}/s";
        output.WriteLine(
            report.IsSound
                ? $"  {context.Colour("sound", Green)}; {speed}"
                : $"  {context.Colour("NOT SOUND", Red)}; {speed}"
        );
    }

    /// <summary>Writes an object for scripts.</summary>
    public static void Write(Utf8JsonWriter json, string pipeline, AuditReport report)
    {
        AuditCounts c = report.Counts;
        json.WriteStartObject();
        json.WriteString("pipeline", pipeline);
        json.WriteBoolean("sound", report.IsSound);
        json.WriteNumber("in", c.In);
        json.WriteNumber("first", c.First);
        json.WriteNumber("duplicates", c.Duplicates);
        json.WriteNumber("late", c.Late);
        json.WriteNumber("conflicts", c.Conflicts);
        json.WriteNumber("unjudged", c.Unjudged);
        json.WriteNumber("spared", c.Spared);
        json.WriteNumber("quarantined", c.Quarantined);
        json.WriteNumber("dropped", c.Dropped);
        json.WriteNumber("undecided", c.Undecided);
        json.WriteNumber("clean", c.Clean);
        json.WriteNumber("cleanAhead", c.CleanAhead);
        json.WriteStartObject("counts");
        foreach ((FindingKind kind, string name) in Kinds)
        {
            json.WriteNumber(
                JsonNamingPolicy.CamelCase.ConvertName(
                    name.Replace(" o", "O", StringComparison.Ordinal)
                ),
                report.CountOf(kind)
            );
        }

        json.WriteNumber("unknown", report.UnknownTotal);
        json.WriteEndObject();
        json.WriteStartArray("findings");
        foreach (FindingGroup group in report.Findings)
        {
            foreach (AuditFinding finding in group.Shown)
            {
                WriteFinding(json, group.Kind, finding);
            }
        }

        json.WriteEndArray();
        json.WriteStartArray("unknown");
        foreach (UnknownCount unknown in report.Unknown)
        {
            json.WriteStartObject();
            json.WriteString("reason", unknown.Reason.ToString());
            json.WriteNumber("count", unknown.Count);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("notes");
        foreach (string note in report.Notes)
        {
            json.WriteStringValue(note);
        }

        json.WriteEndArray();
        json.WriteNumber("seconds", Math.Round(report.Duration.TotalSeconds, 3));
        json.WriteNumber("recordsRead", report.RecordsRead);
        json.WriteNumber("recordsPerSecond", Math.Round(report.RecordsPerSecond));
        json.WriteEndObject();
    }

    /// <summary>Counts that only some policies have.</summary>
    private static string Rare(AuditCounts c) =>
        (c.Conflicts > 0 ? $"conflicts forwarded {N(c.Conflicts)}, " : "")
        + (c.Unjudged > 0 ? $"not judged {N(c.Unjudged)}, " : "")
        + (c.Spared > 0 ? $"forwarded by the mode {N(c.Spared)}, " : "");

    private static void WriteFinding(Utf8JsonWriter json, FindingKind kind, AuditFinding f)
    {
        json.WriteStartObject();
        json.WriteString("kind", Name(kind));
        json.WriteNumber("partition", f.Partition);
        Number("inputOffset", f.InputOffset);
        Number("cleanOffset", f.CleanOffset);
        Number("firstCleanOffset", f.FirstCleanOffset);
        Number("sidePartition", f.SidePartition);
        Number("sideOffset", f.SideOffset);
        if (f.Changed != 0)
        {
            json.WriteString("changed", f.Changed.ToString());
        }

        if (f.Detail.Length > 0)
        {
            json.WriteString("detail", f.Detail);
        }

        json.WriteEndObject();

        void Number(string name, long? value)
        {
            if (value is { } v)
            {
                json.WriteNumber(name, v);
            }
        }
    }

    private static string Line(AuditFinding f, string input, string clean)
    {
        var text = new StringBuilder();
        Add($"{input}/{f.Partition} offset", f.InputOffset);
        Add($"{clean}/{f.Partition} offset", f.CleanOffset);
        Add("first at clean offset", f.FirstCleanOffset);
        Add("other topic's offset", f.SideOffset);
        if (f.Changed != 0)
        {
            text.Append("; differs in ").Append(f.Changed.ToString().ToLowerInvariant());
        }

        if (f.Detail.Length > 0)
        {
            text.Append("; ").Append(f.Detail);
        }

        if ((f.Input ?? f.Clean) is { } picture)
        {
            text.Append("; ").Append(picture);
        }

        return text.ToString();

        void Add(string name, long? offset)
        {
            if (offset is { } o)
            {
                text.Append(text.Length > 0 ? ", " : "")
                    .Append(name)
                    .Append(' ')
                    .Append(o.ToString(CultureInfo.InvariantCulture));
            }
        }
    }

    private static string Name(FindingKind kind) => Kinds.First(k => k.Kind == kind).Name;

    private static string Count(string name, long count, CliContext context) =>
        count == 0 ? $"{name} 0" : context.Colour($"{name} {N(count)}", Red);

    private static string N(long count) => count.ToString("#,0", CultureInfo.InvariantCulture);
}
