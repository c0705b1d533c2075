using Dedup.Simulation.Broker;
using Dedup.Simulation.Faults;
using Dedup.Simulation.Worlds;
using Dedup.Topology.Ports;
using Dedup.Topology.Proof;
using Dedup.Topology.Records;

namespace Dedup.Simulation.Clients;

/// <summary>A consumer without a group on changelog partitions, read_committed.</summary>
public sealed class ModelChangelogReader : IChangelogReader
{
    private readonly ClientEnvironment _env;
    private readonly string _topic;
    private readonly SortedDictionary<int, long> _positions = [];
    private readonly Dictionary<int, BoundsLookup> _firstBounds = [];
    private ModelBatch _last = new();

    /// <summary>Makes a reader of a topic.</summary>
    public ModelChangelogReader(ClientEnvironment env, string topic)
    {
        _env = env;
        _topic = topic;
    }

    /// <summary>isolation.level; anything but read_committed is a planted bug.</summary>
    private static Isolation Isolation =>
        Planted.Is(PlantedBug.RestoreReadsUncommitted)
            ? Isolation.ReadUncommitted
            : Isolation.ReadCommitted;

    /// <summary>Whether a poll would bring something or move a position.</summary>
    public bool HasWork
    {
        get
        {
            foreach ((int partition, long position) in _positions)
            {
                if (
                    _env.Cluster.Log(_topic, partition) is { } log
                    && position < LogReader.EndOf(log, Isolation)
                )
                {
                    return true;
                }
            }

            return false;
        }
    }

    /// <inheritdoc/>
    public BoundsLookup Bounds(int partition, int timeoutMs)
    {
        _env.Enter(Point.ReaderBounds, partition, timeoutMs);
        BoundsLookup bounds = Lookups.Bounds(_env, _topic, partition, timeoutMs);
        if (!Planted.Is(PlantedBug.WatermarkBeforeOffset) || bounds.Status != LookupStatus.Found)
        {
            return bounds;
        }

        _ = _firstBounds.TryAdd(partition, bounds);
        return _firstBounds[partition];
    }

    /// <inheritdoc/>
    public void Open(int partition, long fromOffset)
    {
        _env.Enter(Point.ReaderOpen, partition, fromOffset);
        _positions[partition] = fromOffset;
    }

    /// <inheritdoc/>
    public void Close(int partition)
    {
        _env.Enter(Point.ReaderClose, partition);
        _positions.Remove(partition);
        _firstBounds.Remove(partition);
    }

    /// <inheritdoc/>
    public RecordBatch Poll(int maxRecords, int timeoutMs)
    {
        _env.Enter(Point.ReaderPoll, maxRecords, timeoutMs);
        if (!_last.IsReleased && _last.Count > 0)
        {
            throw new InvalidOperationException("polled before the batch was released");
        }

        var batch = new ModelBatch();
        int most = _env.Faults.Happens(FaultKind.SlowFetch) ? 1 : maxRecords;
        bool moved = false;
        foreach (int partition in _positions.Keys.ToArray())
        {
            if (
                _env.Cluster.Log(_topic, partition) is not { IsAvailable: true } log
                || batch.Count >= most
            )
            {
                continue;
            }

            // auto.offset.reset=earliest: what lies before the log's start does not exist any more.
            long before = _positions[partition];
            long position = Math.Max(before, log.StartOffset);
            LogReader.Read(log, Isolation, ref position, most - batch.Count, batch);
            _positions[partition] = position;
            moved |= position != before;
        }

        if (batch.Count == 0 && !moved)
        {
            _env.Actor.SleepUntilMs = _env.World.NowMs + timeoutMs;
        }

        _last = batch;
        _env.Leave();
        return batch;
    }

    /// <inheritdoc/>
    public long Position(int partition) => _positions.GetValueOrDefault(partition, -1);

    /// <inheritdoc/>
    public void Dispose() => _positions.Clear();
}
