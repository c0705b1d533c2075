using Dedup.Kafka.Lanes;
using Dedup.Kafka.Ways;
using Dedup.Simulation.Chance;
using Dedup.Simulation.Clients;
using Dedup.Simulation.Disk;
using Dedup.Simulation.Faults;
using Dedup.Simulation.Worlds;
using Dedup.Topology.Pipelines;
using Dedup.Topology.Ports;

namespace Dedup.Simulation.Runs;

/// <summary>A lane that runs, with its ports.</summary>
/// <param name="Lane">The real lane.</param>
/// <param name="Actor">It, as the scheduler sees it.</param>
/// <param name="Source">Its source.</param>
public sealed record RunningLane(Lane Lane, Actor Actor, ModelSource Source);

/// <summary>
/// A place where a process of the product runs: an instance id, a state directory, and a supervisor that starts it again.
/// </summary>
public sealed class Instance
{
    private readonly SimulatedRun _simulation;
    private readonly List<RunningLane> _lanes = [];
    private readonly Rng _rng;
    private readonly int _number;
    private int _incarnation;
    private bool _isStopping;

    /// <summary>Makes a place; nothing runs yet.</summary>
    public Instance(SimulatedRun simulation, string id, int number, PipelineMode mode)
    {
        _simulation = simulation;
        Id = id;
        Mode = mode;
        _number = number;
        Disk = simulation.MakeDisk();
        _rng = Rng.For(simulation.Scenario.Seed, 0x1257_0000UL + (ulong)number);
    }

    /// <summary>Instance id: part of transactional ids and group.instance.ids.</summary>
    public string Id { get; }

    /// <summary>The mode in the configuration: a process has that of its start.</summary>
    public PipelineMode Mode { get; set; }

    /// <summary>State directory.</summary>
    public IStateDisk Disk { get; }

    /// <summary>The process, null before the first start.</summary>
    public ModelProcess? Process { get; private set; }

    /// <summary>Whether the supervisor keeps it running.</summary>
    public bool IsWanted { get; set; } = true;

    /// <summary>Lanes of the process.</summary>
    public IReadOnlyList<RunningLane> Lanes => _lanes;

    /// <summary>Whether a process runs.</summary>
    public bool IsUp => Process is { IsAlive: true };

    /// <summary>Starts a process, unless one runs or none is wanted.</summary>
    public void Start()
    {
        if (IsUp || !IsWanted)
        {
            return;
        }

        _isStopping = false;
        _lanes.Clear();
        if (_simulation.Faults.Happens(FaultKind.DiskLost))
        {
            Disk.Lose();
        }

        Process = new ModelProcess(_simulation.World, $"{Id}.{++_incarnation}");
        _simulation.World.Trace.Mix(Point.Process, _number, _incarnation);
        _simulation.Note(Process.Name, "starts");
        foreach (PipelineSpec hop in _simulation.Scenario.Hops)
        {
            for (int i = 0; i < _simulation.Scenario.Lanes; i++)
            {
                _lanes.Add(StartLane(Process, i, hop with { Mode = Mode }));
            }
        }
    }

    /// <summary>SIGTERM.</summary>
    public void Stop()
    {
        _isStopping = true;
        foreach (RunningLane running in _lanes)
        {
            running.Actor.SleepUntilMs = 0;
        }
    }

    /// <summary>kill -9.</summary>
    public void Kill(string why)
    {
        if (!IsUp)
        {
            return;
        }

        _simulation.World.Trace.Mix(Point.Process, _number, -_incarnation);
        _simulation.Note(Process!.Name, $"dies: {why}");
        Process.Kill();
        foreach (RunningLane running in _lanes)
        {
            _simulation.World.Remove(running.Actor);
        }

        Disk.OnDeath();
        _simulation.OnDeath(this);
        long afterMs =
            _simulation.Faults.IsQuiet ? 100
            : _rng.OneIn(3) ? _rng.Between(1, 500)
            : _rng.Between(500, 20_000);
        _simulation.World.After(afterMs, Start);
    }

    private RunningLane StartLane(ModelProcess process, int index, PipelineSpec hop)
    {
        Scenarios.Scenario scenario = _simulation.Scenario;
        bool isFirstHop = hop.Hop == Hop.Rekey;
        int id = (_number * 10) + index + (isFirstHop ? 5 : 0);
        string name = isFirstHop ? $"{Id}-r{index}" : $"{Id}-{index}";
        var actor = new Actor(process, $"{name}.{_incarnation}", id);
        var env = new ClientEnvironment(_simulation.Cluster, actor, _simulation.Faults)
        {
            OnCrash = _ => Kill("crash at a port"),
        };
        string?[] topics =
        [
            hop.Clean,
            hop.Duplicates,
            hop.Quarantine,
            hop.Changelog,
            isFirstHop ? hop.Repartition : null,
        ];
        var source = new ModelSource(env, SourceOptions(name, hop));
        var reader = new ModelChangelogReader(env, hop.Changelog);
        var sink = new ModelSink(
            env,
            new SinkOptions
            {
                TransactionalId = $"dedup-sim-{name}",
                Group = hop.Group,
                Topics = topics,
                TransactionTimeoutMs = scenario.TransactionTimeoutMs,
                MaxMessageBytes = scenario.ClientMaxBytes,
                LingerRecords = scenario.LingerRecords,
                LingerMs = scenario.LingerMs,
                OnProducer = (id, epoch) => _simulation.NoteProducer(id, epoch, hop.Mode),
            }
        );
        var ports = new LanePorts(
            source,
            sink,
            reader,
            new ModelFencer(env, topics),
            isFirstHop ? new EmptyStores() : Disk.Stores(env, scenario.StoreCapacity, _rng),
            process.Time,
            () => (_rng.Next(), _rng.Next()),
            new LaneWatch(_simulation, env),
            new CrashPointDoor(env)
        )
        {
            Purger =
                hop.Hop == Hop.Judge
                    ? new ModelPurger(_simulation.Cluster.Topic(hop.Repartition))
                    : null,
        };
        var lane = new Lane(hop, _simulation.IdentityOf(hop), scenario.Lane, ports);
        var running = new RunningLane(lane, actor, source);
        actor.Body = () => StepLane(running);
        actor.HasWork = () => source.HasWork || reader.HasWork;
        _simulation.World.Add(actor);
        return running;
    }

    private SourceOptions SourceOptions(string name, PipelineSpec hop)
    {
        Scenarios.Scenario scenario = _simulation.Scenario;
        return new SourceOptions
        {
            Group = hop.Group,
            Topic = hop.Reads,
            InstanceId = scenario.IsStatic ? name : null,
            SessionTimeoutMs = scenario.SessionTimeoutMs,
            HeartbeatMs = Math.Max(100, scenario.SessionTimeoutMs / 6),
            MaxPollIntervalMs = scenario.MaxPollIntervalMs,
            IsCooperative = scenario.IsCooperative,
        };
    }

    /// <summary>A step, and what the host does when the lane ends: all stopped, the process exits; one failed, it exits as well.</summary>
    private void StepLane(RunningLane running)
    {
        if (_isStopping)
        {
            // The host asks on the lane's own thread, between two steps.
            running.Lane.Stop();
        }

        if (running.Lane.Step())
        {
            return;
        }

        running.Actor.IsDone = true;
        if (!running.Actor.IsAlive)
        {
            return;
        }

        if (running.Lane.State == LaneState.Failed)
        {
            _simulation.OnFailure(this, running.Lane);
            Kill($"lane failed: {running.Lane.Failure}");
        }
        else if (_isStopping && _lanes.TrueForAll(static lane => lane.Actor.IsDone))
        {
            Kill("stopped");
        }
    }
}
