using System.Text;
using System.Text.Json;
using Dedup.Host.Configuration;

namespace Dedup.Host.Samples;

/// <summary>What is wrong with a line.</summary>
/// <param name="What">What is wrong, without a full stop.</param>
/// <param name="Fix">What to do about it, without a full stop.</param>
internal readonly record struct LineError(string What, string Fix);

/// <summary>Reads a record written as one line of JSON. docs/recipes.md, "Trying a recipe", is the format's description.</summary>
/// <remarks>
/// <code>
/// {"key": TEXT, "value": TEXT or JSON, "headers": {NAME: TEXT, ...}, "timestamp": MS or ISO 8601, "partition": N, "offset": N}
/// TEXT: a string, null, or {"base64": "..."} for any bytes; headers also as [[NAME, TEXT], ...]
/// </code>
/// What kcat -J prints is read as well: payload and ts are value and timestamp, headers are [NAME, TEXT, NAME, TEXT, ...].
/// </remarks>
internal static class RecordLine
{
    private const string ValuesFix =
        "write a record as docs/recipes.md shows; or give --values if each line is a payload by itself";

    private static readonly string[] Names =
    [
        "key",
        "value",
        "headers",
        "timestamp",
        "partition",
        "offset",
    ];

    /// <summary>What kcat -J has besides, and what says nothing about a recipe.</summary>
    private static readonly string[] KcatNames = ["payload", "ts", "topic", "tstype", "broker"];

    // As deep as the core reads JSON at most, and the line around it.
    private static readonly JsonDocumentOptions Options = new()
    {
        MaxDepth = Topology.Identify.Json.JsonLimits.MaxMaxDepth + 8,
    };

    /// <summary>Reads a line; null when it is no record, and then <paramref name="error"/> says why.</summary>
    public static SampleRecord? Parse(ReadOnlyMemory<byte> line, out LineError error)
    {
        error = default;
        try
        {
            using JsonDocument document = JsonDocument.Parse(line, Options);
            if (document.RootElement.ValueKind == JsonValueKind.Object)
            {
                return Record(document.RootElement);
            }

            error = new LineError(
                $"the line is {Describe(document.RootElement)}, not a record",
                ValuesFix
            );
        }
        catch (JsonException e)
        {
            error = new LineError($"the line is no JSON (byte {e.BytePositionInLine})", ValuesFix);
        }
        catch (LineException e)
        {
            error = e.Error;
        }

        return null;
    }

    private static SampleRecord Record(JsonElement line)
    {
        var record = new SampleRecord();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (JsonProperty member in line.EnumerateObject())
        {
            string name = member.Name switch
            {
                "payload" => "value",
                "ts" => "timestamp",
                string other => other,
            };
            if (!seen.Add(name))
            {
                throw new LineException($"'{name}' stands there twice", "keep one of them");
            }

            record = name switch
            {
                "key" => record with { Key = Bytes(member.Value, "key") },
                "value" => record with { Value = Value(member.Value) },
                "headers" => record with { Headers = Headers(member.Value) },
                "timestamp" => record with { TimestampMs = Timestamp(member.Value) },
                "partition" => record with
                {
                    Partition = (int)Number(member.Value, name, int.MaxValue),
                },
                "offset" => record with { Offset = Number(member.Value, name, long.MaxValue) },
                _ when KcatNames.Contains(name) => record,
                _ => throw Unknown(name),
            };
        }

        return record;
    }

    private static LineException Unknown(string name)
    {
        string? near = Nearest.To(name, Names);
        return new LineException(
            $"'{name}' is no member of a record",
            near is null ? ValuesFix : $"did you mean '{near}'?"
        );
    }

    /// <summary>Text and base64 are bytes; every other JSON is a payload as it stands in the line, byte for byte.</summary>
    private static byte[]? Value(JsonElement value) =>
        value.ValueKind is JsonValueKind.String or JsonValueKind.Null || IsBase64(value)
            ? Bytes(value, "value")
            : Encoding.UTF8.GetBytes(value.GetRawText());

    private static byte[]? Bytes(JsonElement value, string where)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Null:
                return null;
            case JsonValueKind.String:
                return Encoding.UTF8.GetBytes(Text(value, where));
            case JsonValueKind.Object when IsBase64(value):
                return value.GetProperty("base64").TryGetBytesFromBase64(out byte[]? bytes)
                    ? bytes
                    : throw new LineException(
                        $"the base64 of '{where}' cannot be read",
                        "write standard base64 with its padding"
                    );
            default:
                throw new LineException(
                    $"'{where}' is {Describe(value)}",
                    "write a string, null, or {\"base64\": \"...\"}"
                );
        }
    }

    private static bool IsBase64(JsonElement value) =>
        value.ValueKind == JsonValueKind.Object
        && value.EnumerateObject().Count() == 1
        && value.TryGetProperty("base64", out JsonElement text)
        && text.ValueKind == JsonValueKind.String;

    private static string Text(JsonElement value, string where)
    {
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException)
        {
            // A lone surrogate, or bytes that are no UTF-8.
            throw new LineException(
                $"'{where}' is no Unicode text",
                "write {\"base64\": \"...\"} for bytes that are no text"
            );
        }
    }

    private static List<SampleHeader> Headers(JsonElement value)
    {
        var headers = new List<SampleHeader>();
        switch (value.ValueKind)
        {
            case JsonValueKind.Null:
                break;
            case JsonValueKind.Object:
                foreach (JsonProperty header in value.EnumerateObject())
                {
                    Add(header.Name, header.Value);
                }

                break;
            case JsonValueKind.Array when IsPairs(value):
                foreach (JsonElement pair in value.EnumerateArray())
                {
                    Add(Text(pair[0], "headers"), pair[1]);
                }

                break;
            case JsonValueKind.Array when IsFlat(value):
                for (int i = 0; i < value.GetArrayLength(); i += 2)
                {
                    Add(Text(value[i], "headers"), value[i + 1]);
                }

                break;
            default:
                throw new LineException(
                    "'headers' is neither an object nor a list of pairs",
                    "write {\"name\": \"value\"}, or [[\"name\", \"value\"]] where a name repeats"
                );
        }

        return headers;

        void Add(string name, JsonElement text) =>
            headers.Add(new SampleHeader(name, Bytes(text, $"headers.{name}")));
    }

    private static bool IsPairs(JsonElement list) =>
        list.EnumerateArray()
            .All(static pair =>
                pair.ValueKind == JsonValueKind.Array
                && pair.GetArrayLength() == 2
                && pair[0].ValueKind == JsonValueKind.String
            );

    private static bool IsFlat(JsonElement list) =>
        list.GetArrayLength() % 2 == 0
        && list.EnumerateArray()
            .Select(static (item, i) => (item.ValueKind, IsName: i % 2 == 0))
            .All(static item =>
                item.ValueKind == JsonValueKind.String
                || (item.ValueKind == JsonValueKind.Null && !item.IsName)
            );

    private static long Timestamp(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.Null => -1,
            JsonValueKind.Number when value.TryGetInt64(out long ms) => ms,
            JsonValueKind.String when Quantities.TryInstant(value.GetString()!, out long ms) => ms,
            _ => throw new LineException(
                $"'timestamp' is {Describe(value)}",
                $"write milliseconds since 1970, or {Quantities.InstantHelp}"
            ),
        };

    private static long Number(JsonElement value, string where, long most) =>
        value.ValueKind == JsonValueKind.Number
        && value.TryGetInt64(out long number)
        && number >= 0
        && number <= most
            ? number
            : throw new LineException($"'{where}' is {Describe(value)}", "write a whole number");

    private static string Describe(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.Object => "an object",
            JsonValueKind.Array => "a list",
            JsonValueKind.String => "a string",
            JsonValueKind.Number => $"the number {value.GetRawText()}",
            _ => value.GetRawText(),
        };

    private sealed class LineException(string what, string fix) : Exception(what)
    {
        public LineError Error { get; } = new(what, fix);
    }
}
