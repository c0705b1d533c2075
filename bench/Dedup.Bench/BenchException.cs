namespace Dedup.Bench;

/// <summary>A benchmark cannot go on; the message says why, in one line.</summary>
internal sealed class BenchException(string message) : Exception(message);
