using System.Text;
using System.Text.Json;
using Dedup.Topology.Identify;
using Dedup.Topology.Identify.Canonical;
using Dedup.Topology.Identify.Json;
using Dedup.Topology.Identify.Sources;
using Dedup.Topology.Records;

namespace Dedup.Host.Advise;

/// <summary>Looks at a first part of the sample for what could be an event ID. Bounded in all directions.</summary>
internal sealed class CandidateFinder
{
    /// <summary>Most headers that are tried, the most frequent ones.</summary>
    public const int MaxHeaders = 8;

    /// <summary>Most JSON paths that are tried, the most promising ones.</summary>
    public const int MaxPaths = 12;

    /// <summary>Most candidates in all: key, headers, paths, content twice.</summary>
    public const int MaxCandidates = 1 + MaxHeaders + MaxPaths + 2;

    private const int MaxNames = 64;
    private const int MaxPlaces = 512;
    private const int MaxDepth = 4;

    private readonly Dictionary<string, PathStatistics> _headers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Place> _places = new(StringComparer.Ordinal);
    private long _records;
    private long _keys;
    private long _documents;

    /// <summary>Looks at a record.</summary>
    public void See(in RecordView record)
    {
        _records++;
        _keys += record.KeyIsNull ? 0 : 1;
        for (int i = 0; i < record.Batch.HeaderCount(record.Index); i++)
        {
            record.Batch.GetHeader(
                record.Index,
                i,
                out ReadOnlySpan<byte> name,
                out ReadOnlySpan<byte> value,
                out bool isNull
            );
            if (!isNull && !value.IsEmpty)
            {
                SeeHeader(Encoding.UTF8.GetString(name), value);
            }
        }

        SeePayload(JsonPayload.Of(record.Value));
    }

    /// <summary>What is to be tried, the user's own recipes apart.</summary>
    public IReadOnlyList<Candidate> Candidates()
    {
        var candidates = new List<Candidate>();
        if (_keys > 0)
        {
            candidates.Add(new Candidate(CandidateKind.Key, "key", "key", Recipe.Key));
        }

        candidates.AddRange(
            _headers
                .OrderByDescending(static h => h.Value.Present)
                .ThenBy(static h => h.Key, StringComparer.Ordinal)
                .Take(MaxHeaders)
                .Select(h => Header(h.Key, h.Value.Promise(_records)))
        );
        candidates.AddRange(
            _places
                .Values.Select(p => (Place: p, Promise: p.Statistics.Promise(_documents)))
                .Where(static p => p.Promise > 0)
                .OrderByDescending(static p => p.Promise)
                .ThenBy(static p => p.Place.Path.Text, StringComparer.Ordinal)
                .Take(MaxPaths)
                .Select(static p => Json(p.Place.Path, p.Promise))
        );
        candidates.Add(Content([]));
        JsonPath[] ofSending =
        [
            .. _places
                .Values.Where(static p =>
                    p.Path.Segments is [.., { IsMember: true } last]
                    && IdLooks.IsOfSending(last.Name)
                )
                .OrderBy(static p => p.Path.Text, StringComparer.Ordinal)
                .Take(PathTree.MaxPaths)
                .Select(static p => p.Path),
        ];
        if (ofSending.Length > 0)
        {
            candidates.Add(Content(ofSending));
        }

        return candidates;
    }

    /// <summary>A name in YAML: as it is where that is plain, else in quotes.</summary>
    public static string Quote(string text) =>
        text.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '$')
        && text.Length > 0
        && (char.IsAsciiLetter(text[0]) || text[0] == '$')
            ? text
            : JsonSerializer.Serialize(text);

    private static Candidate Header(string name, int promise)
    {
        var source = new HeaderSource(name);
        return new Candidate(
            CandidateKind.Header,
            source.Text,
            $"{{ header: {Quote(name)} }}",
            new Recipe(source),
            promise
        );
    }

    private static Candidate Json(JsonPath path, int promise)
    {
        var source = new JsonSource(path, JsonLimits.Default);
        return new Candidate(
            CandidateKind.Json,
            source.Text,
            $"{{ json: {Quote(path.Text)} }}",
            new Recipe(source),
            promise
        );
    }

    private static Candidate Content(JsonPath[] exclude)
    {
        string paths = string.Join(", ", exclude.Select(static p => Quote(p.Text)));
        return new Candidate(
            CandidateKind.Content,
            exclude.Length == 0
                ? "content"
                : $"content without {string.Join(", ", exclude.Select(static p => p.Text))}",
            exclude.Length == 0 ? "content" : $"{{ content: {{ exclude: [{paths}] }} }}",
            new Recipe(
                new ContentSource(
                    new ContentOptions
                    {
                        Paths = exclude.Length == 0 ? null : new PathTree([], [.. exclude]),
                    }
                )
            )
        );
    }

    private void SeeHeader(string name, ReadOnlySpan<byte> value)
    {
        if (!_headers.TryGetValue(name, out PathStatistics? statistics))
        {
            if (_headers.Count == MaxNames)
            {
                return;
            }

            statistics = new PathStatistics(name);
            _headers.Add(name, statistics);
        }

        statistics.See(value);
    }

    private void SeePayload(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        var path = new List<JsonPathSegment>();
        try
        {
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                return;
            }

            _documents++;
            SeeObject(ref reader, path);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // No JSON, or a name that is no Unicode text: nothing to be found here.
        }
    }

    private void SeeObject(ref Utf8JsonReader reader, List<JsonPathSegment> path)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            path.Add(new JsonPathSegment(reader.GetString()!));
            _ = reader.Read();
            switch (reader.TokenType)
            {
                case JsonTokenType.StartObject when path.Count < MaxDepth:
                    SeeObject(ref reader, path);
                    break;
                case JsonTokenType.String or JsonTokenType.Number:
                    PlaceOf(path)?.Statistics.See(reader.ValueSpan);
                    break;
                default:
                    reader.Skip();
                    break;
            }

            path.RemoveAt(path.Count - 1);
        }
    }

    private Place? PlaceOf(List<JsonPathSegment> path)
    {
        var place = new JsonPath([.. path]);
        if (_places.TryGetValue(place.Text, out Place? known))
        {
            return known;
        }

        if (_places.Count == MaxPlaces)
        {
            return null;
        }

        known = new Place(place, new PathStatistics(path[^1].Name));
        _places.Add(place.Text, known);
        return known;
    }

    private sealed record Place(JsonPath Path, PathStatistics Statistics);
}
