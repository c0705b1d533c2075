using Dedup.Contracts.Identity;
using Dedup.Topology.Identify.Canonical;
using Dedup.Topology.Identify.Json;
using Dedup.Topology.Records;

namespace Dedup.Topology.Identify.Sources;

/// <summary><c>json: $.path</c>: a value in the JSON payload.</summary>
/// <remarks>
/// A string is its text; a number is canonical JSON, of another kind, so that <c>"1"</c> and <c>1</c> are two IDs; an object or
/// array is canonical JSON. Null, true, false, and everything empty are no ID: they would make one event of many.
/// </remarks>
public sealed class JsonSource : IdSource
{
    private readonly JsonLimits _limits;

    /// <summary>Makes a source.</summary>
    public JsonSource(JsonPath path, JsonLimits limits)
    {
        Path = path;
        _limits = limits;
        Text = $"json:{path.Text}";
    }

    /// <summary>The path.</summary>
    public JsonPath Path { get; }

    /// <inheritdoc/>
    public override string Text { get; }

    /// <inheritdoc/>
    internal override Reason Append(in RecordView record, IdScratch scratch, out IdKind kind)
    {
        kind = IdKind.Bytes;
        JsonScanner scanner = new(JsonPayload.Of(record.Value), _limits);
        Reason reason = Find(
            record,
            ref scanner,
            out JsonKind found,
            out ReadOnlySpan<byte> value,
            out bool escaped
        );
        if (reason != Reason.None)
        {
            return reason;
        }

        switch (found)
        {
            case JsonKind.String:
                AppendString(scratch, value, escaped);
                return value.IsEmpty ? Reason.NoId : Reason.None;
            case JsonKind.Number:
                kind = IdKind.Json;
                AppendNumber(scratch, value);
                return Reason.None;
            case JsonKind.Container:
                kind = IdKind.Json;
                return AppendContainer(ref scanner, scratch);
            default:
                return Reason.NoId;
        }
    }

    /// <inheritdoc/>
    internal override Reason AppendText(in RecordView record, IdScratch scratch)
    {
        JsonScanner scanner = new(JsonPayload.Of(record.Value), _limits);
        Reason reason = Find(
            record,
            ref scanner,
            out JsonKind found,
            out ReadOnlySpan<byte> value,
            out bool escaped
        );
        if (reason != Reason.None)
        {
            return reason;
        }

        switch (found)
        {
            case JsonKind.String:
                AppendString(scratch, value, escaped);
                return Reason.None;
            case JsonKind.Number:
                AppendNumber(scratch, value);
                return Reason.None;
            case JsonKind.Boolean:
                scratch.Append(value);
                return Reason.None;
            default:
                return Reason.NoId;
        }
    }

    private Reason Find(
        in RecordView record,
        ref JsonScanner scanner,
        out JsonKind kind,
        out ReadOnlySpan<byte> value,
        out bool escaped
    )
    {
        kind = JsonKind.Null;
        value = default;
        escaped = false;
        if (record.ValueIsNull)
        {
            return Reason.NoId;
        }

        Reason reason = JsonPathReader.Seek(ref scanner, Path);
        return reason == Reason.None
            ? JsonPathReader.Read(ref scanner, Path.Count > 0, out kind, out value, out escaped)
            : reason;
    }

    private Reason AppendContainer(ref JsonScanner scanner, IdScratch scratch)
    {
        CanonicalBuffers buffers = scratch.Canonical;
        Reason reason = Canonicaliser.WriteValue(ref scanner, Path.Count, buffers);
        reason =
            reason == Reason.None ? JsonPathReader.Follows(ref scanner, Path.Count > 0) : reason;
        if (reason != Reason.None)
        {
            return reason;
        }

        const int emptyLength = 2;
        scratch.Append(buffers.Written);
        return buffers.Length == emptyLength ? Reason.NoId : Reason.None;
    }

    private static void AppendNumber(IdScratch scratch, ReadOnlySpan<byte> literal)
    {
        int most = CanonicalNumber.MaxLength(literal.Length);
        scratch.Advance(
            CanonicalNumber.Write(literal, scratch.Reserve(most)[..most], python: false)
        );
    }

    private static void AppendString(IdScratch scratch, ReadOnlySpan<byte> value, bool escaped)
    {
        if (escaped)
        {
            scratch.Advance(JsonText.Unescape(value, scratch.Reserve(value.Length + 4)));
        }
        else
        {
            scratch.Append(value);
        }
    }
}
