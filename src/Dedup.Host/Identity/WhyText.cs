using System.Text;
using System.Text.Json;
using Dedup.Contracts.Identity;
using Dedup.Topology.Identify;
using Dedup.Topology.Identify.Json;
using Dedup.Topology.Identify.Sources;
using Dedup.Topology.Records;

namespace Dedup.Host.Identity;

/// <summary>Why a source gave no ID, in words about this very record. The reason is the core's; the words are looked up here.</summary>
internal static class WhyText
{
    private static readonly JsonDocumentOptions Options = new()
    {
        MaxDepth = JsonLimits.MaxMaxDepth + 1,
    };

    /// <summary>The words, without a full stop.</summary>
    public static string Of(IdSource source, in RecordView record, Reason reason) =>
        (reason, source) switch
        {
            (Reason.NullKey, _) => "the key is null",
            (Reason.NoId, HeaderSource header) => Header(header, record),
            (Reason.NoId, JsonSource json) => record.ValueIsNull
                ? "the value is null"
                : Path(json.Path, record.Value),
            (Reason.NoId, ContentSource) => record.ValueIsNull
                ? "the value is null"
                : "the value is empty",
            (Reason.ContentPathMissing, ContentSource content) => Content(content, record.Value),
            (not Reason.IdTooLong, JoinSource join) => Join(join, record, reason),
            (Reason.MalformedJson, _) => Malformed(record.Value),
            (Reason.JsonTooDeep, _) => "the value is nested deeper than json.max-depth",
            (Reason.JsonTooLarge, _) => "not found within the first json.max-bytes of the value",
            (Reason.IdTooLong, _) => "the ID with its scope is longer than 64 KiB",
            _ => ReasonText.Of(reason),
        };

    private static string Header(HeaderSource source, in RecordView record)
    {
        byte[] wanted = Encoding.UTF8.GetBytes(source.Name);
        string? other = null;
        bool isThere = false;
        for (int i = 0; i < record.Batch.HeaderCount(record.Index); i++)
        {
            record.Batch.GetHeader(
                record.Index,
                i,
                out ReadOnlySpan<byte> name,
                out _,
                out bool isNull
            );
            if (name.SequenceEqual(wanted))
            {
                // The last one that is not null decides, and it is empty; else all are null.
                isThere = true;
                if (!isNull)
                {
                    return $"header '{source.Name}' is empty";
                }
            }
            else if (
                Encoding
                    .UTF8.GetString(name)
                    .Equals(source.Name, StringComparison.OrdinalIgnoreCase)
            )
            {
                other = Encoding.UTF8.GetString(name);
            }
        }

        return isThere ? $"header '{source.Name}' is null"
            : other is null ? $"there is no header '{source.Name}'"
            : $"there is no header '{source.Name}', but '{other}': names are case-sensitive";
    }

    /// <summary>How far a path leads. Of a repeated name the first counts, as for the recipe.</summary>
    private static string Path(JsonPath path, ReadOnlySpan<byte> value)
    {
        if (!TryParse(value, out JsonDocument? document))
        {
            // Malformed behind what the recipe read.
            return $"{path.Text} leads to nothing, or to null, true, false, or something empty";
        }

        using (document)
        {
            JsonElement at = document!.RootElement;
            var walked = new List<JsonPathSegment>();
            foreach (JsonPathSegment segment in path.Segments)
            {
                string here = new JsonPath([.. walked]).Text;
                if (segment.IsMember && at.ValueKind != JsonValueKind.Object)
                {
                    return $"{here} is {Describe(at)}, not an object";
                }

                if (!segment.IsMember && at.ValueKind != JsonValueKind.Array)
                {
                    return $"{here} is {Describe(at)}, not a list";
                }

                if (!TryStep(at, segment, out JsonElement next))
                {
                    return segment.IsMember
                        ? $"{here} has no member '{segment.Name}'{Instead(at, segment.Name)}"
                        : $"{here} has {at.GetArrayLength()} elements, none at {segment.Index}";
                }

                walked.Add(segment);
                at = next;
            }

            return $"{path.Text} is {Describe(at)}, which would make one event of many";
        }
    }

    private static string Content(ContentSource source, ReadOnlySpan<byte> value)
    {
        foreach (JsonPath path in source.Options.Paths?.Include ?? [])
        {
            if (TryParse(value, out JsonDocument? document))
            {
                using (document)
                {
                    JsonElement at = document!.RootElement;
                    bool isThere = path.Segments.All(s => TryStep(at, s, out at));
                    if (!isThere || at.ValueKind == JsonValueKind.Null)
                    {
                        return $"{path.Text} leads to {(isThere ? "null" : "nothing")}";
                    }
                }
            }
        }

        return "an included path leads to nothing";
    }

    private static string Join(JoinSource join, in RecordView record, Reason reason)
    {
        var scratch = new IdScratch();
        foreach (IdSource part in join.Parts)
        {
            Span<Reason> reasons = [Reason.None];
            if (new Recipe(part).Explain(record, scratch, reasons) < 0)
            {
                return $"{part.Text}: {Of(part, record, reasons[0])}";
            }
        }

        return ReasonText.Of(reason);
    }

    private static string Malformed(ReadOnlySpan<byte> value)
    {
        ReadOnlySpan<byte> json = JsonPayload.Of(value);
        if (json.IsEmpty)
        {
            return "the value is empty, which is no JSON";
        }

        var reader = new Utf8JsonReader(
            json,
            new JsonReaderOptions { MaxDepth = JsonLimits.MaxMaxDepth + 1 }
        );
        try
        {
            while (reader.Read())
            {
                // On to what is wrong.
            }
        }
        catch (JsonException)
        {
            long at = reader.BytesConsumed + (value.Length - json.Length);
            string text = $"the value is no JSON: something is wrong at or behind byte {at}";
            return at == 0
                ? $"the value is no JSON: it begins with {ShownBytes.Of(value[..Math.Min(value.Length, 16)])}"
                : text;
        }

        return "the value is no JSON";
    }

    private static string Instead(JsonElement of, string name)
    {
        string[] names = [.. of.EnumerateObject().Select(static m => m.Name)];
        string? near = Configuration.Nearest.To(name, names);
        return near is null ? "" : $", but '{near}'";
    }

    private static bool TryStep(JsonElement at, JsonPathSegment segment, out JsonElement next)
    {
        next = default;
        if (!segment.IsMember)
        {
            bool isThere =
                at.ValueKind == JsonValueKind.Array && segment.Index < at.GetArrayLength();
            next = isThere ? at[segment.Index] : default;
            return isThere;
        }

        if (at.ValueKind != JsonValueKind.Object)
        {
            return false;
        }

        foreach (JsonProperty member in at.EnumerateObject())
        {
            if (member.NameEquals(segment.Name))
            {
                next = member.Value;
                return true;
            }
        }

        return false;
    }

    private static bool TryParse(ReadOnlySpan<byte> value, out JsonDocument? document)
    {
        try
        {
            document = JsonDocument.Parse(JsonPayload.Of(value).ToArray(), Options);
            return true;
        }
        catch (JsonException)
        {
            document = null;
            return false;
        }
    }

    private static string Describe(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.Object => value.EnumerateObject().Any() ? "an object" : "{}",
            JsonValueKind.Array => value.GetArrayLength() > 0 ? "a list" : "[]",
            JsonValueKind.String => value.ValueEquals("") ? "\"\"" : "a string",
            JsonValueKind.Number => "a number",
            _ => value.GetRawText(),
        };
}
