using Dedup.Simulation.Worlds;

namespace Dedup.Simulation.Broker;

/// <summary>A change of a committed offset, for the checkers.</summary>
/// <param name="AtMs">When it took effect.</param>
/// <param name="Partition">Partition.</param>
/// <param name="Offset">The offset.</param>
/// <param name="ProducerId">Producer id of the transaction; -1 outside one.</param>
public readonly record struct OffsetChange(long AtMs, int Partition, long Offset, long ProducerId);

/// <summary>The committed offsets of a group on its one topic, and those that wait for their transaction (OffsetMetadataManager).</summary>
public sealed class GroupOffsets
{
    private readonly World _world;
    private readonly SortedDictionary<int, long> _committed = [];
    private readonly SortedDictionary<long, SortedDictionary<int, long>> _pending = [];
    private readonly List<OffsetChange> _history = [];

    internal GroupOffsets(World world) => _world = world;

    /// <summary>Committed offsets by partition.</summary>
    public IReadOnlyDictionary<int, long> Committed => _committed;

    /// <summary>All that was ever committed, in order.</summary>
    public IReadOnlyList<OffsetChange> History => _history;

    /// <summary>
    /// OffsetFetch with require_stable (KIP-447): UNSTABLE_OFFSET_COMMIT while a transaction holds an offset of the partition.
    /// </summary>
    public BrokerError Fetch(int partition, out long offset)
    {
        offset = -1;
        foreach (SortedDictionary<int, long> offsets in _pending.Values)
        {
            if (offsets.ContainsKey(partition))
            {
                return BrokerError.UnstableOffset;
            }
        }

        if (_committed.TryGetValue(partition, out long found))
        {
            offset = found;
        }

        return BrokerError.None;
    }

    /// <summary>Holds offsets until the marker of their transaction reaches __consumer_offsets.</summary>
    public void Hold(long producerId, int partition, long offset)
    {
        if (!_pending.TryGetValue(producerId, out SortedDictionary<int, long>? offsets))
        {
            _pending[producerId] = offsets = [];
        }

        offsets[partition] = offset;
    }

    /// <summary>The transaction's marker is here.</summary>
    public void Complete(long producerId, bool commit)
    {
        _world.Trace.Mix(Point.GroupOffsetsDone, producerId, commit ? 1 : 0);
        if (!_pending.Remove(producerId, out SortedDictionary<int, long>? offsets) || !commit)
        {
            return;
        }

        foreach ((int partition, long offset) in offsets)
        {
            Set(partition, offset, producerId);
        }
    }

    /// <summary>An operator sets an offset by hand (kafka-consumer-groups --reset-offsets).</summary>
    public void Set(int partition, long offset, long producerId = -1)
    {
        _committed[partition] = offset;
        _history.Add(new OffsetChange(_world.NowMs, partition, offset, producerId));
        if (_world.Trace.On)
        {
            _world.Trace.Line(
                _world.NowMs,
                "offsets",
                $"partition {partition} committed {offset} by pid {producerId}"
            );
        }
    }

    /// <summary>An operator deletes an offset.</summary>
    public void Forget(int partition) => _committed.Remove(partition);
}
