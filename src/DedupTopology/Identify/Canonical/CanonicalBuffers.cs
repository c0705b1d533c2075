namespace Dedup.Topology.Identify.Canonical;

/// <summary>Buffers that canonical JSON is written into.</summary>
internal sealed class CanonicalBuffers { }
