using System.Globalization;
using System.Text;
using System.Text.Json;
using Dedup.Host.Commands;
using Dedup.Kafka.Running;

namespace Dedup.Host.Running;

/// <summary>How log lines are written.</summary>
public enum LogFormat
{
    /// <summary>For people.</summary>
    Text,

    /// <summary>For machines: one JSON object in a line, events with fixed names.</summary>
    Json,
}

/// <summary>Writes one line for each event, from any thread.</summary>
public sealed class EventLog
{
    private const int Red = 31;
    private const int Yellow = 33;

    private readonly CliContext _context;
    private readonly LogFormat _format;
    private readonly Lock _lock = new();

    /// <summary>Makes a log on standard output.</summary>
    public EventLog(CliContext context, LogFormat format)
    {
        _context = context;
        _format = format;
    }

    /// <summary>Writes an event.</summary>
    public void Write(RuntimeEvent e)
    {
        string time = Now();
        if (_format == LogFormat.Json)
        {
            Json(time, e.Level, e.Name, json => Fields(json, e));
            return;
        }

        string level = e.Level switch
        {
            EventLevel.Error => _context.Colour("error", Red),
            EventLevel.Warning => _context.Colour("warning", Yellow),
            _ => "info",
        };
        string who =
            e.Pipeline.Length == 0 ? ""
            : e.Lane < 0 ? $" {e.Pipeline}"
            : string.Create(CultureInfo.InvariantCulture, $" {e.Pipeline}/{e.Lane}");
        Line($"{time} {level} {e.Name}{who}: {e.Text.ReplaceLineEndings(" ")}");
    }

    /// <summary>Writes the state of a pipeline.</summary>
    internal void Write(PipelineStatus status)
    {
        string time = Now();
        if (_format == LogFormat.Json)
        {
            Json(time, EventLevel.Info, "status", status.WriteFields);
        }
        else
        {
            Line($"{time} info status {status.Text}");
        }
    }

    private static void Fields(Utf8JsonWriter json, RuntimeEvent e)
    {
        if (e.Pipeline.Length > 0)
        {
            json.WriteString("pipeline", e.Pipeline);
        }

        if (e.Lane >= 0)
        {
            json.WriteNumber("lane", e.Lane);
        }

        json.WriteString("message", e.Text);
    }

    private void Json(string time, EventLevel level, string name, Action<Utf8JsonWriter> fields)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, JsonFormat.Line))
        {
            json.WriteStartObject();
            json.WriteString("time", time);
            json.WriteString("level", level.ToString().ToLowerInvariant());
            json.WriteString("event", name);
            fields(json);
            json.WriteEndObject();
        }

        Line(Encoding.UTF8.GetString(buffer.ToArray()));
    }

    private string Now() =>
        _context
            .Time.GetUtcNow()
            .ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    private void Line(string line)
    {
        lock (_lock)
        {
            try
            {
                _context.Out.WriteLine(line);
                _context.Out.Flush();
            }
            catch (IOException)
            {
                // Whoever read the log has gone; the pipeline goes on without an audience.
            }
        }
    }
}
