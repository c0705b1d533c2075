using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Dedup.Bench.Reports;

/// <summary>A result as a table for people and as JSON for machines.</summary>
internal sealed class Report(string benchmark, JsonObject setting)
{
    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly List<(string Title, string[][] Rows)> _tables = [];
    private readonly List<string> _notes = [];

    /// <summary>The results proper; the caller adds to it.</summary>
    public JsonObject Results { get; } = [];

    /// <summary>Adds a table; the first row is its head.</summary>
    public void Table(string title, params string[][] rows) => _tables.Add((title, rows));

    /// <summary>Adds a line below the tables.</summary>
    public void Note(string text) => _notes.Add(text);

    /// <summary>Prints all of it to stdout, and the JSON to a file as well where one is named.</summary>
    public void Print(string? jsonFile)
    {
        var text = new StringBuilder();
        _ = text.AppendLine();
        foreach ((string name, JsonNode? value) in setting)
        {
            _ = text.AppendLine($"{name, -20}{value}");
        }

        foreach ((string title, string[][] rows) in _tables)
        {
            _ = text.AppendLine().AppendLine(title);
            Append(text, rows);
        }

        foreach (string note in _notes)
        {
            _ = text.AppendLine().Append(note);
        }

        string json = new JsonObject
        {
            ["benchmark"] = benchmark,
            ["setting"] = setting,
            ["results"] = Results,
            ["notes"] = new JsonArray([.. _notes.Select(static n => JsonValue.Create(n))]),
        }.ToJsonString(Indented);
        Console.Out.WriteLine(text.AppendLine().AppendLine().Append(json).ToString());
        if (jsonFile is not null)
        {
            File.WriteAllText(jsonFile, json + "\n");
        }
    }

    private static void Append(StringBuilder text, string[][] rows)
    {
        int[] widths = new int[rows[0].Length];
        foreach (string[] row in rows)
        {
            for (int i = 0; i < row.Length; i++)
            {
                widths[i] = Math.Max(widths[i], row[i].Length);
            }
        }

        foreach (string[] row in rows)
        {
            // The first column is a name, the others are figures.
            _ = text.Append(row[0].PadRight(widths[0]));
            for (int i = 1; i < row.Length; i++)
            {
                _ = text.Append("  ").Append(row[i].PadLeft(widths[i]));
            }

            _ = text.AppendLine();
        }
    }
}
