using Dedup.Contracts.Rekey;

namespace Dedup.Simulation.Checkers;

/// <summary>
/// The clock that state expires by in a partition between the hops, as docs/by-id.md says it: the smallest clock of the input
/// partitions that sent something within idle-timeout, counted while others send; never going back.
/// </summary>
internal sealed class ReferenceClocks(int partitions, long idleTimeoutMs)
{
    private long[] _clocks = [.. Enumerable.Repeat(-1L, partitions)];
    private long[] _seenAt = new long[partitions];
    private long _attention;
    private long _written = -1;
    private long _expiry = -1;

    /// <summary>The clock as it will be with that record.</summary>
    public long Look(in RekeyEnvelope envelope, long writtenMs)
    {
        var copy = (ReferenceClocks)MemberwiseClone();
        copy._clocks = [.. _clocks];
        copy._seenAt = [.. _seenAt];
        copy.Take(envelope, writtenMs);
        return copy._expiry;
    }

    /// <summary>The record counts.</summary>
    public void Take(in RekeyEnvelope envelope, long writtenMs)
    {
        if (_written >= 0 && writtenMs > _written)
        {
            _attention += Math.Min(writtenMs - _written, Math.Max(1, idleTimeoutMs / 10));
        }

        _written = Math.Max(_written, writtenMs);
        _clocks[envelope.Partition] = Math.Max(_clocks[envelope.Partition], envelope.ClockMs);
        _seenAt[envelope.Partition] = _attention;
        long smallest = Enumerable
            .Range(0, partitions)
            .Where(p => _attention - _seenAt[p] <= idleTimeoutMs)
            .Min(p => _clocks[p]);
        _expiry = Math.Max(_expiry, smallest);
    }
}
