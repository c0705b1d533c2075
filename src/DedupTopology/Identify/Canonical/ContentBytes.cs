using Dedup.Contracts.Identity;
using Dedup.Topology.Identify.Json;
using Dedup.Topology.Identify.Sources;

namespace Dedup.Topology.Identify.Canonical;

/// <summary>The bytes of a payload that stand for its content.</summary>
internal static class ContentBytes
{
    /// <summary>
    /// Canonical JSON when the result is None; otherwise the reason why there is none, and the raw bytes. They live until the
    /// scratch is used again, or as long as the record.
    /// </summary>
    public static Reason Of(
        ReadOnlySpan<byte> payload,
        ContentOptions options,
        IdScratch scratch,
        out ReadOnlySpan<byte> bytes
    )
    {
        bool framed = payload.Length >= JsonPayload.FrameBytes && payload[0] == 0;
        ReadOnlySpan<byte> behind = framed ? payload[JsonPayload.FrameBytes..] : payload;
        ReadOnlySpan<byte> json = JsonPayload.Of(payload);
        // A short binary payload can look like framing and a digit; documents that services write are objects or arrays.
        bool isJson =
            !framed
            || options.Framing == Framing.SchemaRegistry
            || (
                options.Framing == Framing.Auto
                && json.TrimStart(" \t\r\n"u8) is [(byte)'{' or (byte)'[', ..]
            );
        Reason reason = isJson
            ? Canonicaliser.WriteDocument(
                json,
                options.Paths,
                options.Style,
                options.Limits,
                scratch.Canonical
            )
            : Reason.MalformedJson;
        bytes =
            reason == Reason.None ? scratch.Canonical.Written
            : options.Framing == Framing.SchemaRegistry ? behind
            : payload;
        return reason;
    }
}
