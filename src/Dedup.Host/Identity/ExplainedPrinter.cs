using System.Text;
using System.Text.Json;
using Dedup.Contracts.Identity;
using Dedup.Host.Commands;
using Dedup.Host.Configuration;
using Dedup.Topology.Identify;

namespace Dedup.Host.Identity;

/// <summary>Prints what a recipe makes of records: a paragraph each for people, a line each for scripts.</summary>
internal sealed class ExplainedPrinter(CliContext context, Recipe recipe)
{
    private const int Red = 31;
    private const int Green = 32;
    private const int Dim = 2;

    private readonly SortedDictionary<int, long> _bySource = [];
    private readonly SortedDictionary<Reason, long> _byReason = [];

    /// <summary>Records that got no ID.</summary>
    public long WithoutId => _byReason.Values.Sum();

    /// <summary>Counts a record for <see cref="Summary"/>.</summary>
    public void Count(Explained explained)
    {
        if (explained.Reason == Reason.None)
        {
            _bySource[explained.Source] = _bySource.GetValueOrDefault(explained.Source) + 1;
        }
        else
        {
            _byReason[explained.Reason] = _byReason.GetValueOrDefault(explained.Reason) + 1;
        }
    }

    /// <summary>For people.</summary>
    public void Text(string where, Explained e)
    {
        TextWriter output = context.Out;
        if (e.Reason == Reason.None)
        {
            byte[] id = IdText.Of(e.Kind, e.Id);
            output.WriteLine($"{where}: {context.Colour(e.Visible, Green)}");
            Line("ID", $"{ShownBytes.Of(id)} ({KindName(e)}) by {e.SourceText}");
            if (e.Canonical is not null)
            {
                Line("content", ShownBytes.Of(e.Canonical));
            }

            if (e.Scope is { } scope)
            {
                Line(
                    "scope",
                    $"tenant {Part(scope.Tenant)}, service {Part(scope.Service)}, type {Part(scope.Type)}"
                );
            }

            Line("window", WindowText(e));
        }
        else
        {
            output.WriteLine(
                $"{where}: {context.Colour("no ID", Red)}: quarantine, {ReasonText.Of(e.Reason)}{(e.ScopeProblem is null ? "" : $": {e.ScopeProblem}")}"
            );
        }

        foreach (PassedOver passed in e.PassedOver)
        {
            Line("passed", $"{passed.Text}: {passed.Why} ({ReasonText.Of(passed.Reason)})");
        }

        void Line(string name, string text) =>
            output.WriteLine($"    {context.Colour($"{name, -8}", Dim)} {text}");
    }

    /// <summary>For scripts: one object in a line.</summary>
    /// <param name="line">Number of the line, 0 for a record of a topic.</param>
    /// <param name="topic">Topic, null for a line.</param>
    /// <param name="partition">Partition.</param>
    /// <param name="offset">Offset.</param>
    /// <param name="e">What was made of it.</param>
    public void Json(long line, string? topic, int partition, long offset, Explained e)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, JsonFormat.Line))
        {
            json.WriteStartObject();
            if (topic is null)
            {
                json.WriteNumber("line", line);
            }
            else
            {
                json.WriteString("topic", topic);
                json.WriteNumber("partition", partition);
                json.WriteNumber("offset", offset);
            }

            json.WriteString("reason", ReasonText.Of(e.Reason));
            if (e.Reason == Reason.None)
            {
                WriteFound(json, e);
            }
            else if (e.ScopeProblem is not null)
            {
                json.WriteString("why", e.ScopeProblem);
            }

            WritePassed(json, e);
            json.WriteEndObject();
        }

        context.Out.WriteLine(Encoding.UTF8.GetString(buffer.ToArray()));
    }

    /// <summary>For example <c>5 records: 3 by header:id, 1 by key, 1 without an ID (no-id 1)</c>.</summary>
    public string Summary()
    {
        long all = WithoutId + _bySource.Values.Sum();
        var parts = _bySource
            .Select(s => $"{Quantities.Count(s.Value)} by {recipe.Sources[s.Key].Text}")
            .ToList();
        if (WithoutId > 0)
        {
            string reasons = string.Join(
                ", ",
                _byReason.Select(static r => $"{ReasonText.Of(r.Key)} {Quantities.Count(r.Value)}")
            );
            parts.Add($"{Quantities.Count(WithoutId)} without an ID ({reasons})");
        }

        return $"{Quantities.Count(all)} records: {string.Join(", ", parts)}";
    }

    private static void WriteFound(Utf8JsonWriter json, Explained e)
    {
        ShownBytes.Write(json, "id", IdText.Of(e.Kind, e.Id));
        json.WriteString("kind", IdText.NameOf(e.Kind));
        json.WriteNumber("source", e.Source);
        json.WriteString("by", e.SourceText);
        json.WriteString("visible", e.Visible);
        if (e.Canonical is not null)
        {
            ShownBytes.Write(json, "canonical", e.Canonical);
        }

        if (e.Scope is { } scope)
        {
            ShownBytes.Write(json, "tenant", scope.Tenant);
            ShownBytes.Write(json, "service", scope.Service);
            ShownBytes.Write(json, "type", scope.Type);
        }

        json.WriteString("window", e.Window!.Name.Length > 0 ? e.Window.Name : "default");
        json.WriteNumber("window-ms", e.Window.WindowMs);
        json.WriteNumber("bucket-ms", e.BucketMs);
    }

    private static void WritePassed(Utf8JsonWriter json, Explained e)
    {
        json.WriteStartArray("passed-over");
        foreach (PassedOver passed in e.PassedOver)
        {
            json.WriteStartObject();
            json.WriteNumber("source", passed.Index);
            json.WriteString("by", passed.Text);
            json.WriteString("reason", ReasonText.Of(passed.Reason));
            json.WriteString("why", passed.Why);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static string KindName(Explained e) =>
        e.Kind switch
        {
            IdKind.Bytes => "text",
            IdKind.Json => "JSON",
            IdKind.Content when e.Canonical is null => "SHA-256 of the bytes as they are",
            IdKind.Content => "SHA-256 of canonical JSON",
            _ => "join",
        };

    private static string WindowText(Explained e)
    {
        string window =
            e.Window!.Name.Length > 0
                ? $"{Quantities.Duration(e.Window.WindowMs)}, by '{e.Window.Name}'"
                : $"{Quantities.Duration(e.Window.WindowMs)}, the default";
        return e.BucketMs > 0
            ? $"{window}; same or neighbouring bucket of {Quantities.Duration(e.BucketMs)}"
            : window;
    }

    private static string Part(byte[] part) => part.Length == 0 ? "(none)" : ShownBytes.Of(part);
}
