namespace Dedup.Kafka.Restore;

/// <summary>
/// Committed offset, marker, and log do not tell the same story. The lane fails and names both numbers, the possible loss,
/// and what accepts it.
/// </summary>
public sealed class DisagreementException : Exception
{
    /// <summary>Says what disagrees, in one line.</summary>
    public DisagreementException(string message)
        : base(message) { }
}
