using Dedup.Contracts.Identity;

namespace Dedup.Topology.Judge;

/// <summary>
/// Records that a topic refused for good in an aborted transaction. Judged again, they go to quarantine; refused there too,
/// they go without payload. Forgotten once committed.
/// </summary>
public sealed class Refusals
{
    private readonly Dictionary<
        (int Partition, long Offset),
        (Reason Reason, bool WithoutPayload)
    > _records = [];

    /// <summary>Whether there are none: the common case, asked for each record.</summary>
    public bool IsEmpty => _records.Count == 0;

    /// <summary>
    /// Notes a refusal; the second one of the same record takes its payload away. False when it was refused without payload
    /// already: then there is nothing left to take away.
    /// </summary>
    public bool Add(int partition, long offset, Reason reason)
    {
        bool again = _records.TryGetValue(
            (partition, offset),
            out (Reason Reason, bool WithoutPayload) known
        );
        _records[(partition, offset)] = (again ? known.Reason : reason, again);
        return !known.WithoutPayload;
    }

    /// <summary>The reason to quarantine a record under.</summary>
    public bool TryGet(int partition, long offset, out Reason reason)
    {
        bool found = _records.TryGetValue(
            (partition, offset),
            out (Reason Reason, bool WithoutPayload) refusal
        );
        reason = refusal.Reason;
        return found;
    }

    /// <summary>Whether the record's payload has to be left out.</summary>
    public bool IsWithoutPayload(int partition, long offset) =>
        _records.TryGetValue((partition, offset), out (Reason Reason, bool WithoutPayload) refusal)
        && refusal.WithoutPayload;

    /// <summary>Everything of the partition below that offset has been committed.</summary>
    public void ForgetBelow(int partition, long offset)
    {
        if (_records.Count == 0)
        {
            return;
        }

        foreach ((int Partition, long Offset) key in _records.Keys.ToArray())
        {
            if (key.Partition == partition && key.Offset < offset)
            {
                _ = _records.Remove(key);
            }
        }
    }
}
