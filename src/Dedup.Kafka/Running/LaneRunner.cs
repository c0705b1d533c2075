using System.Collections.Immutable;
using Dedup.Kafka.Lanes;
using Dedup.Kafka.Tasks;
using Dedup.Kafka.Transport;
using Dedup.Kafka.Ways;
using Dedup.Topology.Pipelines;

namespace Dedup.Kafka.Running;

/// <summary>The thread of one lane: steps it until it stops or fails, and shows what it sees to others.</summary>
internal sealed class LaneRunner : ILaneObserver, IDisposable
{
    /// <summary>How often the lane looks at itself for others, in ms.</summary>
    private const int SnapshotEveryMs = 250;

    /// <summary>How often it looks at usage by tenant, which has to be sorted, in ms.</summary>
    private const int TenantsEveryMs = 1_000;

    /// <summary>The same trouble is said at most this often, in ms: once, and then seldom.</summary>
    private const int RepeatTroubleMs = 30_000;

    private readonly PipelineSpec _spec;
    private readonly RuntimeOptions _options;
    private readonly int _number;
    private readonly Lane _lane;
    private readonly Func<int, long> _knownEnd;
    private readonly Func<int, long> _position;
    private readonly LogQueries _queries;
    private readonly KafkaPurger? _purger;
    private readonly Thread _thread;
    private readonly Dictionary<string, long> _said = [];
    private volatile bool _stop;
    private volatile LaneSnapshot _snapshot;
    private long _transactions;
    private long _records;
    private long _lastSnapshotMs;
    private long _lastTenantsMs = -TenantsEveryMs;

    public LaneRunner(PipelineSpec spec, StateIdentity identity, RuntimeOptions options, int number)
    {
        _spec = spec;
        _options = options;
        _number = number;
        bool useNative = options.UseNative;
        string name = $"{spec.FullName}-{options.InstanceId}-{number}";
        _queries = LogQueries.Of(options.Clients);
        var source = new KafkaRecordSource(
            options.Clients.Member(spec.Group, options.IsStatic ? name : null, name),
            spec.Reads,
            _queries,
            useNative,
            message => SayClientLog(message.Message)
        );
        _knownEnd = source.KnownEnd;
        _position = source.Position;
        _purger =
            spec.Hop == Hop.Judge
                ? new KafkaPurger(options.Clients, spec.Repartition, SayPurgeTrouble)
                : null;
        var ports = new LanePorts(
            source,
            new KafkaTransactionalSink(
                options.Clients.Producer(name),
                spec,
                useNative,
                message => SayClientLog(message.Message),
                error => SayClientLog($"{error.Code}: {error.Reason}")
            ),
            new KafkaChangelogReader(
                options.Clients,
                _queries,
                spec.Changelog,
                name + "-restore",
                useNative
            ),
            new KafkaFencer(options.Clients, _queries, spec),
            spec.Hop == Hop.Rekey ? new EmptyStores() : options.Stores(spec),
            options.Time,
            NewHashKey,
            this,
            options.CrashPoints
        )
        {
            Purger = _purger,
        };
        _lane = new Lane(spec, identity, options.Lane, ports);
        _snapshot = new LaneSnapshot(spec.Name, number, LaneState.Starting, null, 0, 0, [])
        {
            Hop = spec.Hop,
        };
        _thread = new Thread(Run) { Name = name, IsBackground = true };
    }

    public LaneSnapshot Snapshot => _snapshot;

    public Exception? Crash { get; private set; }

    public bool IsStoreFailure => _lane.IsStoreFailure;

    public void Start() => _thread.Start();

    public void Stop() => _stop = true;

    public bool Join(TimeSpan timeout) => _thread.Join(timeout);

    public void Dispose()
    {
        // A lane that still runs owns its clients; they go with the process.
        if (!_thread.IsAlive)
        {
            _lane.Dispose();
            _queries.Dispose();
            _purger?.Dispose();
        }
    }

    void ILaneObserver.LaneChanged(LaneState from, LaneState to, string why)
    {
        if (to == LaneState.Failed)
        {
            Say(EventLevel.Error, "lane.failed", why);
        }
        else if (to is LaneState.Aborting or LaneState.Rebuilding)
        {
            Say(
                EventLevel.Warning,
                to == LaneState.Aborting ? "lane.aborting" : "lane.rebuilding",
                why
            );
        }
        else
        {
            Say(EventLevel.Info, "lane.state", $"{from} → {to} ({why})");
        }
    }

    void ILaneObserver.TaskChanged(int partition, TaskState from, TaskState to) =>
        Say(EventLevel.Info, "task.state", $"{_spec.Reads}-{partition}: {from} → {to}");

    void ILaneObserver.Committed(int records, long openMs, long commitMs)
    {
        _transactions++;
        _records += records;
    }

    void ILaneObserver.Trouble(string what) => SaySeldom(EventLevel.Warning, "lane.trouble", what);

    void ILaneObserver.Restoring(int partition, long position, long target, long ids) =>
        SaySeldom(
            EventLevel.Info,
            "task.restoring",
            $"{_spec.Reads}-{partition}",
            $": at {position} of {target} in the changelog, {ids} IDs"
        );

    void ILaneObserver.Throttled(int partition, string tenant, long waitMs) =>
        SaySeldom(
            EventLevel.Info,
            "task.throttled",
            $"{_spec.Reads}-{partition} waits for the rate of tenant '{tenant}'",
            $", {waitMs} ms; its other tenants wait with it"
        );

    private void Run()
    {
        try
        {
            while (_lane.Step())
            {
                Look(force: false);
                if (_stop)
                {
                    _lane.Stop();
                }
            }
        }
        catch (Exception e)
        {
            // A lane that throws is a defect; it must not take the others' commits with it unsaid.
            Crash = e;
            Say(EventLevel.Error, "lane.crashed", e.ToString().ReplaceLineEndings(" | "));
        }

        Look(force: true);
    }

    private void Look(bool force)
    {
        long now = Environment.TickCount64;
        if (!force && now - _lastSnapshotMs < SnapshotEveryMs)
        {
            return;
        }

        _lastSnapshotMs = now;
        ImmutableArray<PartitionSnapshot>.Builder partitions =
            ImmutableArray.CreateBuilder<PartitionSnapshot>();
        bool readTenants = force || now - _lastTenantsMs >= TenantsEveryMs;
        _lastTenantsMs = readTenants ? now : _lastTenantsMs;
        foreach (PartitionTask task in _lane.Tasks.Values)
        {
            partitions.Add(
                LaneSnapshot.Of(task, force ? -1 : EndFor(task)) with
                {
                    Tenants = readTenants
                        ? LaneSnapshot.TenantsOf(task)
                        : TenantsBefore(task.Partition),
                }
            );
        }

        if (force && partitions.Count == 0)
        {
            // The last word of a lane that has closed its tasks is what it knew before.
            partitions.AddRange(_snapshot.Partitions);
        }

        _snapshot = new LaneSnapshot(
            _spec.Name,
            _number,
            Crash is null ? _lane.State : LaneState.Failed,
            Crash?.Message ?? _lane.Failure,
            _transactions,
            _records,
            partitions.ToImmutable()
        )
        {
            Hop = _spec.Hop,
        };
    }

    private TenantsSnapshot? TenantsBefore(int partition)
    {
        foreach (PartitionSnapshot before in _snapshot.Partitions)
        {
            if (before.Partition == partition)
            {
                return before.Tenants;
            }
        }

        return null;
    }

    /// <summary>Where everything is polled and committed there is no lag, whatever control records lie behind.</summary>
    private long EndFor(PartitionTask task)
    {
        long end = _knownEnd(task.Partition);
        return
            task.HasMarker
            && end > task.CommittedOffset
            && task.NextOffset == task.CommittedOffset
            && _position(task.Partition) >= end
            ? task.CommittedOffset
            : end;
    }

    private void SayPurgeTrouble(string what) =>
        SaySeldom(EventLevel.Warning, "repartition.not-purged", what);

    private void SayClientLog(string text)
    {
        // Confluent.Kafka calls from threads of its own.
        lock (_said)
        {
            SaySeldom(EventLevel.Warning, "kafka.client", text);
        }
    }

    /// <summary>Says it unless the same was said a short while ago; numbers within do not make it another.</summary>
    private void SaySeldom(EventLevel level, string name, string what, string detail = "")
    {
        string key = name + string.Concat(what.Where(static c => !char.IsAsciiDigit(c)));
        long now = Environment.TickCount64;
        lock (_said)
        {
            if (_said.TryGetValue(key, out long last) && now - last < RepeatTroubleMs)
            {
                return;
            }

            if (_said.Count > 256)
            {
                _said.Clear();
            }

            _said[key] = now;
        }

        Say(level, name, what + detail);
    }

    private void Say(EventLevel level, string name, string text) =>
        _options.Log(new RuntimeEvent(level, name, _spec.Name, _number, text));

    private static (ulong, ulong) NewHashKey()
    {
        Span<byte> bytes = stackalloc byte[16];
        System.Security.Cryptography.RandomNumberGenerator.Fill(bytes);
        return (BitConverter.ToUInt64(bytes), BitConverter.ToUInt64(bytes[8..]));
    }
}
