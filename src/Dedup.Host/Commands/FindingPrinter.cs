using System.Text.Json;
using Dedup.Host.Guards;

namespace Dedup.Host.Commands;

/// <summary>Prints findings for people and for scripts.</summary>
internal static class FindingPrinter
{
    private const int Red = 31;
    private const int Yellow = 33;

    /// <summary>One line each.</summary>
    public static void Print(IEnumerable<Finding> findings, TextWriter output, CliContext context)
    {
        foreach (Finding finding in findings)
        {
            string word = finding.Severity == Severity.Error ? "error" : "warning";
            string coloured = context.Colour(
                word,
                finding.Severity == Severity.Error ? Red : Yellow
            );
            output.WriteLine(
                finding
                    .ToString()
                    .Replace($": {word}: ", $": {coloured}: ", StringComparison.Ordinal)
            );
            foreach (string line in finding.More)
            {
                output.WriteLine($"    {line}");
            }
        }
    }

    /// <summary>As a JSON object with ok, and a list of findings.</summary>
    public static void PrintJson(IReadOnlyCollection<Finding> findings, TextWriter output)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, JsonFormat.Indented))
        {
            json.WriteStartObject();
            json.WriteBoolean("ok", !findings.Any(static f => f.Severity == Severity.Error));
            Write(json, findings);
            json.WriteEndObject();
        }

        output.WriteLine(System.Text.Encoding.UTF8.GetString(buffer.ToArray()));
    }

    /// <summary>Writes the member <c>findings</c>.</summary>
    public static void Write(Utf8JsonWriter json, IEnumerable<Finding> findings)
    {
        json.WriteStartArray("findings");
        foreach (Finding finding in findings)
        {
            json.WriteStartObject();
            json.WriteString("severity", finding.Severity == Severity.Error ? "error" : "warning");
            json.WriteString("where", finding.Where);
            json.WriteString("what", finding.What);
            json.WriteString("fix", finding.Fix);
            if (finding.More.Count > 0)
            {
                json.WriteString("more", string.Join('\n', finding.More));
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}

/// <summary>How JSON is written.</summary>
internal static class JsonFormat
{
    /// <summary>For one document: indented, quotes and accents as they are (it goes to a terminal or a file, not into HTML).</summary>
    public static JsonWriterOptions Indented { get; } =
        new()
        {
            Indented = true,
            Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        };

    /// <summary>For one line of many.</summary>
    public static JsonWriterOptions Line { get; } =
        new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
}
