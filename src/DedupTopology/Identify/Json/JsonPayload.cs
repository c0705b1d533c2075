namespace Dedup.Topology.Identify.Json;

/// <summary>Where the JSON of a payload begins.</summary>
public static class JsonPayload
{
    /// <summary>Schema Registry framing: a zero byte and a schema id of four bytes.</summary>
    public const int FrameBytes = 5;

    /// <summary>
    /// The payload without Schema Registry framing and without a byte order mark. JSON never begins with a zero byte, so the
    /// framing is recognised without being told. The newer form keeps the schema's GUID in a header: nothing to skip.
    /// </summary>
    public static ReadOnlySpan<byte> Of(ReadOnlySpan<byte> payload)
    {
        if (payload.Length >= FrameBytes && payload[0] == 0)
        {
            payload = payload[FrameBytes..];
        }

        return payload is [0xEF, 0xBB, 0xBF, ..] ? payload[3..] : payload;
    }
}
