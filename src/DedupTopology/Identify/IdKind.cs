namespace Dedup.Topology.Identify;

/// <summary>
/// What the bytes of an ID are. It is hashed with them, so that the text <c>1</c> and the number <c>1</c> are two IDs.
/// </summary>
public enum IdKind : byte
{
    /// <summary>Bytes or text as they stand: a record key, a header, a JSON string without its quotes.</summary>
    Bytes = 0,

    /// <summary>Canonical JSON: a number, an object, an array.</summary>
    Json = 1,

    /// <summary>SHA-256 of content.</summary>
    Content = 2,

    /// <summary>Several IDs, each with its kind and length.</summary>
    Join = 3,
}
