using Dedup.Simulation.Broker;
using Dedup.Simulation.Faults;
using Dedup.Simulation.Worlds;
using Dedup.Topology.Ports;
using Dedup.Topology.Proof;
using Dedup.Topology.Records;

namespace Dedup.Simulation.Clients;

/// <summary>How a source takes part in its group.</summary>
public sealed record SourceOptions
{
    /// <summary>Group.</summary>
    public required string Group { get; init; }

    /// <summary>Input topic.</summary>
    public required string Topic { get; init; }

    /// <summary>group.instance.id; null for a dynamic member.</summary>
    public string? InstanceId { get; init; }

    /// <summary>session.timeout.ms.</summary>
    public int SessionTimeoutMs { get; init; } = 10_000;

    /// <summary>heartbeat.interval.ms.</summary>
    public int HeartbeatMs { get; init; } = 1000;

    /// <summary>max.poll.interval.ms.</summary>
    public int MaxPollIntervalMs { get; init; } = 60_000;

    /// <summary>cooperative-sticky, or range (eager).</summary>
    public bool IsCooperative { get; init; } = true;

    /// <summary>isolation.level.</summary>
    public Isolation Isolation { get; init; } = Isolation.ReadCommitted;
}

/// <summary>A consumer of librdkafka's kind: fetching here, group membership in the other part.</summary>
public sealed partial class ModelSource : IRecordSource, IGroupClient
{
    private readonly ClientEnvironment _env;
    private readonly SourceOptions _options;
    private readonly SortedDictionary<int, Fetch> _fetches = [];
    private ModelBatch _last = new();
    private int _turn;
    private ModelMembership? _first;

    /// <summary>Makes a consumer; it does nothing before <see cref="Subscribe"/>.</summary>
    public ModelSource(ClientEnvironment env, SourceOptions options)
    {
        _env = env;
        _options = options;
    }

    /// <inheritdoc/>
    public GroupMembership Membership =>
        Planted.Is(PlantedBug.StaleMembership) ? _first ??= MembershipNow : MembershipNow;

    /// <summary>Whether a poll would bring something.</summary>
    public bool HasWork
    {
        get
        {
            if (_ops.Count > 0)
            {
                return true;
            }

            foreach ((int partition, Fetch fetch) in _fetches)
            {
                if (
                    fetch.IsActive
                    && Log(partition) is { } log
                    && fetch.Position < LogReader.EndOf(log, Isolation)
                )
                {
                    return true;
                }
            }

            return false;
        }
    }

    private ModelMembership MembershipNow =>
        new(_options.Group, _memberId, _generation, InstanceId);

    private Isolation Isolation =>
        Planted.Is(PlantedBug.InputReadUncommitted)
            ? Isolation.ReadUncommitted
            : _options.Isolation;

    private World World => _env.World;

    /// <inheritdoc/>
    public RecordBatch Poll(int maxRecords, int timeoutMs)
    {
        _env.Enter(Point.SourcePoll, maxRecords, timeoutMs);
        if (!_last.IsReleased && _last.Count > 0)
        {
            throw new InvalidOperationException("polled before the batch was released");
        }

        _lastPollMs = World.NowMs;
        ServeGroup();
        if (_env.Faults.Happens(FaultKind.TransientSourceFault))
        {
            _listener!.OnFault(SourceFault.Transient, -1, "all brokers down");
        }

        var batch = new ModelBatch();
        int most = _env.Faults.Happens(FaultKind.SlowFetch)
            ? World.NowMs % 2 == 0
                ? 0
                : 1
            : maxRecords;
        FetchInto(batch, most);
        if (batch.Count == 0)
        {
            // The wait happens after the call instead of in it: the lane is not stepped before, unless there is work.
            _env.Actor.SleepUntilMs = World.NowMs + timeoutMs;
        }

        _last = batch;
        _env.Leave();
        return batch;
    }

    /// <inheritdoc/>
    public void Seek(int partition, long offset)
    {
        _env.Enter(Point.SourceSeek, partition, offset);
        Fetch fetch = Owned(partition);
        if (fetch.IsOutOfRange || _env.Faults.Happens(FaultKind.SeekFails))
        {
            // The fetcher has stopped, or not started in time: only a new assignment starts it.
            fetch.IsOutOfRange = true;
            _listener!.OnFault(SourceFault.CannotSeek, partition, $"no seek to {offset}");
            return;
        }

        fetch.Position = offset;
    }

    /// <inheritdoc/>
    public void Pause(ReadOnlySpan<int> partitions)
    {
        foreach (int partition in partitions)
        {
            _env.Enter(Point.SourcePause, partition);
            Owned(partition).IsPaused = true;
        }
    }

    /// <inheritdoc/>
    public void Resume(ReadOnlySpan<int> partitions)
    {
        foreach (int partition in partitions)
        {
            _env.Enter(Point.SourceResume, partition);
            Owned(partition).IsPaused = false;
        }
    }

    /// <inheritdoc/>
    public long KnownEnd(int partition) =>
        _fetches.TryGetValue(partition, out Fetch? fetch) ? fetch.KnownEnd : -1;

    /// <inheritdoc/>
    public OffsetLookup Committed(int partition, int timeoutMs)
    {
        _env.Enter(Point.SourceCommitted, partition, timeoutMs);
        GroupCoordinator group = _env.Cluster.Group(_options.Group);
        long deadlineMs = World.NowMs + timeoutMs;
        if (
            !_env.WaitFor(group.UnavailableUntilMs, deadlineMs)
            || _env.Faults.Happens(FaultKind.LookupPending)
        )
        {
            return new OffsetLookup(LookupStatus.Pending, -1, "coordinator out of reach");
        }

        // librdkafka repeats OffsetFetch while UNSTABLE_OFFSET_COMMIT comes back, until the time is up.
        BrokerError error = group.Offsets.Fetch(partition, out long offset);
        while (error == BrokerError.UnstableOffset && World.NowMs < deadlineMs)
        {
            World.Wait(_env.Actor, Math.Clamp(deadlineMs - World.NowMs, 1, 50));
            error = group.Offsets.Fetch(partition, out offset);
        }

        World.Interleave(_env.Actor);
        if (error == BrokerError.UnstableOffset && Planted.Is(PlantedBug.UnstableOffsetsRead))
        {
            offset = group.Offsets.Committed.GetValueOrDefault(partition, -1);
            error = BrokerError.None;
        }

        if (error == BrokerError.UnstableOffset)
        {
            return new OffsetLookup(
                LookupStatus.Pending,
                -1,
                "a pending transaction holds the offset"
            );
        }

        _env.Leave();
        return offset < 0
            ? new OffsetLookup(LookupStatus.None, -1, null)
            : new OffsetLookup(LookupStatus.Found, offset, null);
    }

    /// <inheritdoc/>
    public BoundsLookup Bounds(int partition, int timeoutMs)
    {
        _env.Enter(Point.SourceBounds, partition, timeoutMs);
        return Lookups.Bounds(_env, _options.Topic, partition, timeoutMs);
    }

    /// <inheritdoc/>
    public OffsetLookup OffsetAt(int partition, long timestampMs, int timeoutMs)
    {
        _env.Enter(Point.SourceOffsetAt, partition, timestampMs);
        return Log(partition) is { } log
            ? new OffsetLookup(LookupStatus.Found, log.OffsetAt(timestampMs), null)
            : new OffsetLookup(LookupStatus.Failed, -1, $"no partition {partition}");
    }

    /// <inheritdoc/>
    public void Dispose() => _isClosed = true;

    private ModelLog? Log(int partition) => _env.Cluster.Log(_options.Topic, partition);

    private Fetch Owned(int partition) =>
        _fetches.TryGetValue(partition, out Fetch? fetch)
            ? fetch
            : throw new InvalidOperationException(
                $"partition {partition} is not assigned to this consumer"
            );

    private void FetchInto(ModelBatch batch, int maxRecords)
    {
        int n = _fetches.Count;
        int first = n == 0 ? 0 : _turn++ % n;
        int i = 0;
        // Two rounds over the partitions, beginning with another one each time: librdkafka's queue is fair in the same way.
        foreach ((int partition, Fetch fetch) in Rotated(first))
        {
            if (i++ >= n || batch.Count >= maxRecords)
            {
                break;
            }

            if (!fetch.IsActive || Log(partition) is not { IsAvailable: true } log)
            {
                continue;
            }

            if (fetch.Position < log.StartOffset || fetch.Position > log.HighWatermark)
            {
                // auto.offset.reset=error; a position beyond the end means another log than before.
                fetch.IsOutOfRange = true;
                string detail =
                    $"offset {fetch.Position} is outside {log.StartOffset}..{log.HighWatermark}";
                _listener!.OnFault(SourceFault.OffsetOutOfRange, partition, detail);
                continue;
            }

            long position = fetch.Position;
            LogReader.Read(log, Isolation, ref position, maxRecords - batch.Count, batch);
            fetch.Position = position;
            fetch.KnownEnd = log.HighWatermark;
        }
    }

    private IEnumerable<KeyValuePair<int, Fetch>> Rotated(int first)
    {
        foreach (KeyValuePair<int, Fetch> pair in _fetches.Skip(first).ToArray())
        {
            yield return pair;
        }

        foreach (KeyValuePair<int, Fetch> pair in _fetches.Take(first).ToArray())
        {
            yield return pair;
        }
    }

    private sealed class Fetch
    {
        public long Position { get; set; } = -1;

        public bool IsPaused { get; set; } = true;

        public long KnownEnd { get; set; } = -1;

        /// <summary>Nothing is fetched any more, whatever it is told.</summary>
        public bool IsOutOfRange { get; set; }

        public bool IsActive => !IsPaused && !IsOutOfRange && Position >= 0;
    }
}
