using System.Globalization;
using System.Text;
using System.Text.Json;
using Dedup.Contracts.Changelog;
using Dedup.Contracts.Identity;
using Dedup.Contracts.Rekey;
using Dedup.Host.Commands;
using Dedup.Host.Configuration;

namespace Dedup.Host.Changelog;

/// <summary>A record of a changelog partition as it lies there.</summary>
/// <param name="Offset">Offset.</param>
/// <param name="TimestampMs">Timestamp.</param>
/// <param name="Key">Key; null never happens in a changelog that Dedup wrote.</param>
/// <param name="Value">Value; null is a tombstone.</param>
public readonly record struct ChangelogRecord(
    long Offset,
    long TimestampMs,
    byte[]? Key,
    byte[]? Value
);

/// <summary>Prints changelog records as a person, or a script, can read them. Whatever the bytes are, it says so and goes on.</summary>
public sealed class ChangelogPrinter
{
    private readonly TextWriter _output;
    private readonly bool _ids;
    private readonly bool _isById;

    /// <summary>Makes a printer.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="ids">Whether to print every ID of a chunk rather than a summary.</param>
    /// <param name="isById">Whether entries name input partition and offset (partitioning: by-id).</param>
    public ChangelogPrinter(TextWriter output, bool ids, bool isById = false)
    {
        _output = output;
        _ids = ids;
        _isById = isById;
    }

    /// <summary>Prints one record as lines of text.</summary>
    public void Text(in ChangelogRecord record)
    {
        _output.Write(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{record.Offset, 10}  {Instant(record.TimestampMs)}  "
            )
        );
        if (MarkerCodec.IsMarkerKey(record.Key))
        {
            MarkerText(record.Value);
        }
        else if (ChunkKey.TryRead(record.Key, out ChunkKey key))
        {
            ChunkText(key, record.Value);
        }
        else
        {
            _output.WriteLine($"unknown    key {Hex(record.Key)}, {Length(record.Value)}");
        }
    }

    /// <summary>Prints one record as a line of JSON.</summary>
    public void Json(in ChangelogRecord record)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, JsonFormat.Line))
        {
            json.WriteStartObject();
            json.WriteNumber("offset", record.Offset);
            json.WriteNumber("timestamp", record.TimestampMs);
            if (MarkerCodec.IsMarkerKey(record.Key))
            {
                MarkerJson(json, record.Value);
            }
            else if (ChunkKey.TryRead(record.Key, out ChunkKey key))
            {
                ChunkJson(json, key, record.Value);
            }
            else
            {
                json.WriteString("kind", "unknown");
                json.WriteString("key", Hex(record.Key));
            }

            json.WriteEndObject();
        }

        _output.WriteLine(Encoding.UTF8.GetString(buffer.ToArray()));
    }

    private void ChunkText(ChunkKey key, byte[]? value)
    {
        if (value is null)
        {
            _output.WriteLine($"tombstone  bucket {key.Bucket}  chunk {key.Sequence}");
            return;
        }

        ChunkSummary chunk = ChunkSummary.Of(value);
        // Offsets of several input partitions have no order.
        string offsets = _isById
            ? ""
            : string.Create(
                CultureInfo.InvariantCulture,
                $", input offsets {chunk.FirstOffset} to {chunk.LastOffset}"
            );
        _output.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"chunk      bucket {key.Bucket}  chunk {key.Sequence}  {chunk.Count} IDs, {value.Length} bytes, seen {Instant(chunk.FirstSeenMs)} to {Instant(chunk.LastSeenMs)}{offsets}{(chunk.IsCorrupt ? ", CORRUPT" : "")}"
            )
        );
        if (!_ids)
        {
            return;
        }

        var reader = new ChunkReader(value);
        while (reader.TryNext(out EventKey id, out SeenEntry entry))
        {
            string tag = entry.ScopeTag == 0 ? "" : $"  scope {entry.ScopeTag:x8}";
            string print = entry.Fingerprint == 0 ? "" : $"  fingerprint {entry.Fingerprint:x16}";
            string place = _isById
                ? $"partition {SourcePlace.PartitionOf(entry.SourceOffset)} offset {SourcePlace.OffsetOf(entry.SourceOffset)}"
                : $"offset {entry.SourceOffset}";
            _output.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"            {id}  seen {Instant(entry.SeenMs)}  input {place}{tag}{print}"
                )
            );
        }
    }

    private void MarkerText(byte[]? value)
    {
        if (MarkerCodec.TryRead(value) is not { } m)
        {
            _output.WriteLine($"marker     NOT READABLE, {Length(value)}");
            return;
        }

        _output.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"marker     input offset {m.InputOffset}  writer {m.Writer}  recipe {m.RecipeVersion:x16}"
            )
        );
        _output.WriteLine(
            $"            cluster {m.ClusterId}  input topic id {m.InputTopicId}  partitions {m.PartitionCount}  control {m.ControlPosition}"
        );
        foreach (MarkerClass c in m.Classes)
        {
            string name = c.Pattern.Length == 0 ? "default" : $"'{c.Pattern}'";
            name += c.IsRetired ? ", retired" : "";
            _output.WriteLine(
                $"            window {name}: {Quantities.Duration(c.WindowMs)}, grace {Quantities.Duration(c.GraceMs)}, clock {(c.ClockMs < 0 ? "not set" : Instant(c.ClockMs))}"
            );
        }

        foreach (MarkerSource s in m.Sources?.Clocks ?? [])
        {
            _output.WriteLine(
                $"            input partition {s.Partition}, class {s.Class}: clock {(s.ClockMs < 0 ? "not set" : Instant(s.ClockMs))}"
            );
        }

        foreach (MarkerBucket b in m.Buckets)
        {
            string dead = b.TombstonedBelow > 0 ? $", tombstoned below {b.TombstonedBelow}" : "";
            _output.WriteLine($"            bucket {b.Id}: next chunk {b.NextSequence}{dead}");
        }

        if (m.Counts.Length > 0)
        {
            _output.WriteLine(
                "            counts: "
                    + string.Join(", ", m.Counts.Select(static c => $"{c.Key} {c.Value}"))
            );
        }

        if (m.Usage is not null)
        {
            UsagePrinter.Text(m.Usage, _output);
        }
    }

    private void ChunkJson(Utf8JsonWriter json, ChunkKey key, byte[]? value)
    {
        json.WriteString("kind", value is null ? "tombstone" : "chunk");
        json.WriteNumber("class", key.Bucket.Class);
        json.WriteNumber("bucket", key.Bucket.Index);
        json.WriteNumber("chunk", key.Sequence);
        if (value is null)
        {
            return;
        }

        ChunkSummary chunk = ChunkSummary.Of(value);
        json.WriteNumber("ids", chunk.Count);
        json.WriteNumber("bytes", value.Length);
        json.WriteNumber("firstSeen", chunk.FirstSeenMs);
        json.WriteNumber("lastSeen", chunk.LastSeenMs);
        if (!_isById)
        {
            json.WriteNumber("firstInputOffset", chunk.FirstOffset);
            json.WriteNumber("lastInputOffset", chunk.LastOffset);
        }

        json.WriteBoolean("corrupt", chunk.IsCorrupt);
        if (!_ids)
        {
            return;
        }

        json.WriteStartArray("entries");
        var reader = new ChunkReader(value);
        while (reader.TryNext(out EventKey id, out SeenEntry entry))
        {
            json.WriteStartObject();
            json.WriteString("id", id.ToString());
            json.WriteNumber("seen", entry.SeenMs);
            if (_isById)
            {
                json.WriteNumber("inputPartition", SourcePlace.PartitionOf(entry.SourceOffset));
            }

            json.WriteNumber(
                "inputOffset",
                _isById ? SourcePlace.OffsetOf(entry.SourceOffset) : entry.SourceOffset
            );
            if (entry.ScopeTag != 0)
            {
                json.WriteString("scope", $"{entry.ScopeTag:x8}");
            }

            if (entry.Fingerprint != 0)
            {
                json.WriteString("fingerprint", $"{entry.Fingerprint:x16}");
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    // The hash key stays inside: whoever knows it can make IDs that collide.
    private static void MarkerJson(Utf8JsonWriter json, byte[]? value)
    {
        json.WriteString("kind", "marker");
        Marker? m = MarkerCodec.TryRead(value);
        json.WriteBoolean("readable", m is not null);
        if (m is null)
        {
            return;
        }

        json.WriteNumber("inputOffset", m.InputOffset);
        json.WriteString("writer", m.Writer);
        json.WriteString("recipeVersion", $"{m.RecipeVersion:x16}");
        json.WriteString("clusterId", m.ClusterId);
        json.WriteString("inputTopicId", m.InputTopicId);
        json.WriteNumber("partitionCount", m.PartitionCount);
        json.WriteNumber("controlPosition", m.ControlPosition);
        json.WriteStartArray("windows");
        foreach (MarkerClass c in m.Classes)
        {
            json.WriteStartObject();
            json.WriteNumber("class", c.Id);
            json.WriteString("name", c.Pattern);
            json.WriteBoolean("retired", c.IsRetired);
            json.WriteNumber("windowMs", c.WindowMs);
            json.WriteNumber("graceMs", c.GraceMs);
            json.WriteNumber("bucketWidthMs", c.BucketWidthMs);
            json.WriteNumber("clock", c.ClockMs);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("buckets");
        foreach (MarkerBucket b in m.Buckets)
        {
            json.WriteStartObject();
            json.WriteNumber("class", b.Id.Class);
            json.WriteNumber("bucket", b.Id.Index);
            json.WriteNumber("nextChunk", b.NextSequence);
            json.WriteNumber("tombstonedBelow", b.TombstonedBelow);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        if (m.Sources is { } sources)
        {
            SourcesJson(json, sources);
        }

        json.WriteStartObject("counts");
        foreach (KeyValuePair<string, long> count in m.Counts)
        {
            json.WriteNumber(count.Key, count.Value);
        }

        json.WriteEndObject();
        if (m.Usage is not null)
        {
            UsagePrinter.Json(m.Usage, json);
        }
    }

    private static void SourcesJson(Utf8JsonWriter json, MarkerSources sources)
    {
        json.WriteStartArray("inputPartitions");
        foreach (MarkerSource s in sources.Clocks)
        {
            json.WriteStartObject();
            json.WriteNumber("class", s.Class);
            json.WriteNumber("partition", s.Partition);
            json.WriteNumber("clock", s.ClockMs);
            json.WriteNumber("seenAtMs", s.SeenAtMs);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    internal static string Instant(long ms)
    {
        // Any long can stand in a damaged record; DateTimeOffset knows the years 1 to 9999 only.
        const long First = -62_135_596_800_000;
        const long Last = 253_402_300_799_999;
        return ms is < First or > Last
            ? $"{ms} ms"
            : DateTimeOffset
                .FromUnixTimeMilliseconds(ms)
                .ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
    }

    private static string Hex(byte[]? bytes) =>
        bytes is null ? "null"
        : bytes.Length > 64 ? Convert.ToHexStringLower(bytes.AsSpan(0, 64)) + "…"
        : Convert.ToHexStringLower(bytes);

    private static string Length(byte[]? value) => value is null ? "null" : $"{value.Length} bytes";
}

/// <summary>What a chunk holds, in one line.</summary>
internal readonly record struct ChunkSummary(
    int Count,
    long FirstSeenMs,
    long LastSeenMs,
    long FirstOffset,
    long LastOffset,
    bool IsCorrupt
)
{
    public static ChunkSummary Of(byte[] value)
    {
        var reader = new ChunkReader(value);
        int count = 0;
        (long firstSeen, long lastSeen, long firstOffset, long lastOffset) = (
            long.MaxValue,
            long.MinValue,
            long.MaxValue,
            long.MinValue
        );
        while (reader.TryNext(out _, out SeenEntry entry))
        {
            count++;
            firstSeen = Math.Min(firstSeen, entry.SeenMs);
            lastSeen = Math.Max(lastSeen, entry.SeenMs);
            firstOffset = Math.Min(firstOffset, entry.SourceOffset);
            lastOffset = Math.Max(lastOffset, entry.SourceOffset);
        }

        return count == 0
            ? new ChunkSummary(0, 0, 0, 0, 0, reader.IsCorrupt)
            : new ChunkSummary(
                count,
                firstSeen,
                lastSeen,
                firstOffset,
                lastOffset,
                reader.IsCorrupt
            );
    }
}
