using System.Buffers;
using System.Buffers.Text;
using System.Text.Json;
using Dedup.Contracts.Identity;
using Dedup.Topology.Identify.Json;
using Dedup.Topology.Records;

namespace Dedup.Topology.Identify;

/// <summary>The time of an event out of its payload: <c>time: { payload: $.occurred_at }</c>. Immutable.</summary>
/// <remarks>
/// A number, or a text of digits, counts units since the epoch; any other text is ISO 8601 with date, time, and zone
/// (<c>2026-01-31T12:00:00.123Z</c>). A time without a zone is none: a guess would shift every window by hours. What is finer
/// than a millisecond is cut off.
/// </remarks>
/// <param name="path">Where it stands.</param>
/// <param name="limits">Limits of JSON.</param>
/// <param name="unitMs">What a number counts, in ms: 1 or 1000.</param>
public sealed class PayloadTime(JsonPath path, JsonLimits limits, int unitMs = 1)
{
    private const int LongestText = 64;

    // All that such a text consists of: with other bytes, above all escapes, the JSON reader might throw.
    private static readonly SearchValues<byte> Iso8601 = SearchValues.Create("0123456789:.-+TZ"u8);

    // Year 9999, the last that ISO 8601 writes with four digits: sums of a time and a window stay far from overflow.
    private const long LatestMs = 253_402_300_799_999;

    /// <summary>Where it stands.</summary>
    public JsonPath Path { get; } = path;

    /// <summary>What a number counts, in ms.</summary>
    public int UnitMs { get; } = unitMs;

    /// <summary>
    /// Reads the time in ms since the epoch. <see cref="Reason.TimestampMissing"/> when there is none, or one that cannot be
    /// read or is not positive; else what is wrong with the JSON before it. Hot path: no allocation.
    /// </summary>
    public Reason Read(in RecordView record, out long timeMs)
    {
        timeMs = 0;
        if (record.ValueIsNull)
        {
            return Reason.TimestampMissing;
        }

        JsonScanner scanner = new(JsonPayload.Of(record.Value), limits);
        Reason reason = Find(ref scanner, out JsonKind kind, out ReadOnlySpan<byte> value);
        if (reason != Reason.None)
        {
            return reason == Reason.NoId ? Reason.TimestampMissing : reason;
        }

        bool isRead =
            kind is JsonKind.Number or JsonKind.String
            && (
                TryNumber(value, out timeMs)
                || (kind == JsonKind.String && TryText(value, out timeMs))
            )
            && timeMs > 0;
        return isRead ? Reason.None : Reason.TimestampMissing;
    }

    private Reason Find(ref JsonScanner scanner, out JsonKind kind, out ReadOnlySpan<byte> value)
    {
        kind = JsonKind.Null;
        value = default;
        Reason reason = JsonPathReader.Seek(ref scanner, Path);
        return reason == Reason.None
            ? JsonPathReader.Read(ref scanner, Path.Count > 0, out kind, out value, out _)
            : reason;
    }

    private bool TryNumber(ReadOnlySpan<byte> value, out long timeMs)
    {
        timeMs = 0;
        if (
            value.IsEmpty
            || !Utf8Parser.TryParse(value, out decimal number, out int used)
            || used != value.Length
        )
        {
            return false;
        }

        decimal ms = Math.Floor(Math.Min(number, LatestMs) * UnitMs);
        timeMs = (long)Math.Clamp(ms, 0, LatestMs);
        return true;
    }

    private static bool TryText(ReadOnlySpan<byte> value, out long timeMs)
    {
        timeMs = 0;
        int t = value.IndexOf((byte)'T');
        if (
            value.Length > LongestText
            || t < 0
            || value.ContainsAnyExcept(Iso8601)
            || value[t..].IndexOfAny((byte)'Z', (byte)'+', (byte)'-') < 0
        )
        {
            return false;
        }

        // The JSON reader knows the profile of ISO 8601 that JSON is written in; it wants the quotes.
        Span<byte> quoted = stackalloc byte[LongestText + 2];
        quoted[0] = (byte)'"';
        value.CopyTo(quoted[1..]);
        quoted[value.Length + 1] = (byte)'"';
        var reader = new Utf8JsonReader(quoted[..(value.Length + 2)]);
        if (!reader.Read() || !reader.TryGetDateTimeOffset(out DateTimeOffset time))
        {
            return false;
        }

        timeMs = time.ToUnixTimeMilliseconds();
        return true;
    }
}
