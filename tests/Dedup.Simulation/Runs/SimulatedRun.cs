using Dedup.Kafka.Lanes;
using Dedup.Simulation.Broker;
using Dedup.Simulation.Checkers;
using Dedup.Simulation.Disk;
using Dedup.Simulation.Faults;
using Dedup.Simulation.Scenarios;
using Dedup.Simulation.Workloads;
using Dedup.Simulation.Worlds;
using Dedup.Topology.Pipelines;
using Dedup.Topology.Proof;

namespace Dedup.Simulation.Runs;

/// <summary>
/// One run of one seed: a storm, in which records come and everything may break; then quiet, in which all must be consumed
/// within a bound; then the checkers.
/// </summary>
public sealed partial class SimulatedRun
{
    /// <summary>A run that takes more steps than this goes round in circles.</summary>
    private const long MaxSteps = 400_000;

    private readonly List<Instance> _instances = [];
    private readonly Auditor _auditor;
    private readonly Workload _workload;
    private readonly bool _mayBeFenced;
    private readonly string? _stateRoot;
    private readonly List<IStateDisk> _disks = [];
    private Violation? _violation;
    private readonly List<Instance> _doubles = [];
    private readonly Dictionary<(long Id, short Epoch), PipelineMode> _producers = [];
    private long _quietMs = -1;

    private SimulatedRun(Scenario scenario, TextWriter? lines, string? stateRoot)
    {
        Scenario = scenario;
        _stateRoot = stateRoot;
        World = new World(scenario.Seed, lines)
        {
            InterleaveOneIn = scenario.InterleaveOneIn,
            OnException = OnException,
        };
        Cluster = new ModelCluster(World, scenario.Seed, scenario.Pace);
        Faults = new FaultPlan(World, scenario.Seed)
        {
            FirstFault = scenario.Overrides.FirstFault,
            EndFault = scenario.Overrides.EndFault,
        };
        foreach ((FaultKind kind, int oneIn) in scenario.Faults)
        {
            Faults.Set(kind, oneIn);
        }

        _mayBeFenced = scenario.IsStatic;
        ModelTopic input = Cluster.MakeTopic(scenario.Spec.Input, scenario.Partitions);
        foreach (
            string? name in new[]
            {
                scenario.Spec.Clean,
                scenario.Spec.Quarantine,
                scenario.Spec.Duplicates,
            }
        )
        {
            if (name is not null)
            {
                Cluster.MakeTopic(name, scenario.Partitions).MaxMessageBytes =
                    scenario.MaxMessageBytes;
            }
        }

        foreach (PipelineSpec hop in scenario.Hops)
        {
            int partitions = hop.Hop == Hop.Judge ? hop.RepartitionPartitions : scenario.Partitions;
            Cluster.MakeTopic(hop.Changelog, partitions).DeleteRetentionMs = 5_000;
        }

        if (scenario.IsById)
        {
            _ = Cluster.MakeTopic(scenario.Spec.Repartition, scenario.Spec.RepartitionPartitions);
        }

        Identity = new StateIdentity(
            Cluster.Id,
            input.Id,
            scenario.Partitions,
            scenario.Spec.Recipe.Version
        );
        _workload = new Workload(scenario, Cluster);
        _auditor = new Auditor(this);
    }

    /// <summary>The scenario.</summary>
    public Scenario Scenario { get; }

    /// <summary>Time and order.</summary>
    public World World { get; }

    /// <summary>The brokers.</summary>
    public ModelCluster Cluster { get; }

    /// <summary>What goes wrong.</summary>
    public FaultPlan Faults { get; }

    /// <summary>What state belongs to.</summary>
    public StateIdentity Identity { get; private set; }

    /// <summary>What the state of a hop belongs to.</summary>
    public StateIdentity IdentityOf(PipelineSpec hop) =>
        hop.Hop == Hop.Whole
            ? Identity
            : Identity with
            {
                InputTopicId = Cluster.Topic(hop.Reads).Id,
                PartitionCount = Cluster.Topic(hop.Reads).Logs.Count,
                RecipeVersion = hop.StateVersion,
            };

    /// <summary>Places where processes run.</summary>
    public IReadOnlyList<Instance> Instances => _instances;

    /// <summary>Transactions that lanes saw committed.</summary>
    public long Commits { get; set; }

    /// <summary>Earliest wall clock that any process had, as a difference to the true one.</summary>
    public long EarliestClockMs { get; private set; }

    /// <summary>Latest wall clock that any process had, as a difference to the true one.</summary>
    public long LatestClockMs { get; private set; }

    /// <summary>The workload.</summary>
    public Workload Workload => _workload;

    /// <summary>Whether something was done to offsets or logs that a lane has to refuse to start on.</summary>
    public bool ExpectsRefusal { get; private set; }

    /// <summary>Why the last lane failed that did.</summary>
    public string? LastFailure { get; private set; }

    /// <summary>Whether an invariant is broken.</summary>
    public bool IsBroken => _violation is not null;

    /// <summary>The input topic is another one now: processes that start find that out.</summary>
    public void LookAtInputAgain()
    {
        ModelTopic input = Cluster.Topic(Scenario.Spec.Input);
        Identity = Identity with { InputTopicId = input.Id };
    }

    /// <summary>Starts all processes again.</summary>
    public void StartAll()
    {
        foreach (Instance instance in _instances)
        {
            instance.IsWanted = true;
            instance.Start();
        }
    }

    /// <summary>From now on a lane has to refuse to start, or must not.</summary>
    public void ExpectRefusal(bool isExpected)
    {
        ExpectsRefusal = isExpected;
        LastFailure = null;
    }

    /// <summary>Checks everything once more.</summary>
    public void CheckAll() => _auditor.CheckAll();

    /// <summary>A new state directory.</summary>
    public IStateDisk MakeDisk()
    {
        IStateDisk disk = _stateRoot is null
            ? new ModelDisk { MostBuckets = Scenario.IsById ? int.MaxValue : ModelDisk.OfOneClock }
            : new RealDisk(Path.Combine(_stateRoot, $"{Scenario.Seed}-{_disks.Count}"));
        _disks.Add(disk);
        return disk;
    }

    /// <summary>Runs a scenario.</summary>
    /// <param name="scenario">It.</param>
    /// <param name="lines">Where the trace goes, if anywhere.</param>
    /// <param name="bug">The planted bug.</param>
    /// <param name="stateRoot">Directory for the real store's files; null for the model store.</param>
    /// <param name="examine">Looks at a run that was found sound, before anything else is done to it.</param>
    public static RunResult Run(
        Scenario scenario,
        TextWriter? lines = null,
        PlantedBug bug = PlantedBug.None,
        string? stateRoot = null,
        Action<SimulatedRun>? examine = null
    )
    {
        Planted.Current = bug;
        var run = new SimulatedRun(scenario, lines, stateRoot);
        try
        {
            return run.RunAll(examine);
        }
        finally
        {
            Planted.Current = PlantedBug.None;
            run._disks.ForEach(static disk => disk.Dispose());
        }
    }

    /// <summary>A process died: what it left on disk is looked at.</summary>
    public void OnDeath(Instance instance) =>
        CheckDisk(instance.Disk, "at the death of " + instance.Id);

    private void CheckDisk(IStateDisk disk, string when)
    {
        // With a changelog made anew there is nothing to hold the disk against.
        if (!ExpectsRefusal && !Scenario.IsById)
        {
            _auditor.CheckDisk(disk, when);
        }
    }

    /// <summary>A lane failed. Allowed only where the seed gave it a reason to.</summary>
    public void OnFailure(Instance instance, Lane lane)
    {
        LastFailure = lane.Failure;
        if (ExpectsRefusal)
        {
            return;
        }

        bool allowed =
            (lane.IsStoreFailure && Faults.OneIn(FaultKind.DiskFull) > 0)
            || (
                // Seed 420369: a disk that damages one store after the other.
                lane.IsStoreFailure
                && Faults.OneIn(FaultKind.DiskBlockCorrupt) > 0
                && lane.Failure!.Contains("damaged stores were replaced", StringComparison.Ordinal)
            )
            || (
                _mayBeFenced
                && lane.Failure!.Contains("another process is in group", StringComparison.Ordinal)
            );
        if (!allowed)
        {
            Break(
                new Violation(
                    "Failure",
                    $"{instance.Id}: a lane failed without cause: {lane.Failure}"
                )
            );
        }
    }

    /// <summary>Somebody starts a second process under the instance id of the first, on another machine.</summary>
    public void StartDouble(long forMs)
    {
        if (_doubles.Exists(static instance => instance.IsWanted))
        {
            return;
        }

        var started = new Instance(this, _instances[0].Id, 9, _instances[0].Mode);
        _doubles.Add(started);
        started.Start();
        World.After(
            forMs,
            () =>
            {
                started.IsWanted = false;
                started.Kill("the double is taken away");
            }
        );
    }

    /// <summary>A wall clock jumped.</summary>
    public void WidestClockMs(long offsetMs)
    {
        EarliestClockMs = Math.Min(EarliestClockMs, offsetMs);
        LatestClockMs = Math.Max(LatestClockMs, offsetMs);
    }

    /// <summary>The first violation ends the run.</summary>
    public void Break(Violation violation)
    {
        if (_violation is null)
        {
            _violation = violation;
            Note("BROKEN", $"{violation.Invariant}: {violation.What}");
        }
    }

    /// <summary>A process has made a producer: what it commits is judged in that mode.</summary>
    public void NoteProducer(long id, short epoch, PipelineMode mode) =>
        _producers[(id, epoch)] = mode;

    /// <summary>The mode of the process that wrote a transaction.</summary>
    public PipelineMode ModeOf(CommittedTransaction transaction) =>
        _producers[(transaction.ProducerId, transaction.Entries[0].Epoch)];

    /// <summary>A line of the trace.</summary>
    public void Note(string who, string what)
    {
        if (World.Trace.On)
        {
            World.Trace.Line(World.NowMs, who, what);
        }
    }

    private RunResult RunAll(Action<SimulatedRun>? examine)
    {
        Cluster.Transactions.MaxEpoch = 5;
        Cluster.Transactions.Sweep();
        foreach (PipelineSpec hop in Scenario.Hops)
        {
            Cluster.Group(hop.Group).WatchSessions(250);
        }

        for (int i = 0; i < Scenario.Processes; i++)
        {
            _instances.Add(new Instance(this, $"i{i}", i, Scenario.Spec.Mode));
            _instances[i].Start();
        }

        _workload.Start();
        new Weather(this).Start();
        new Restarts(this).Start();
        World.RunUntil(Scenario.StormMs, () => _violation is not null, MaxSteps);
        if (_violation is null)
        {
            Quiet();
        }

        if (_violation is null)
        {
            StopAll();
        }

        if (_violation is null)
        {
            _auditor.CheckAll();
        }

        if (_violation is null)
        {
            _auditor.CheckFromOutside();
        }

        if (_violation is null)
        {
            examine?.Invoke(this);
        }

        if (_violation is null && !Scenario.IsById)
        {
            new Aftermath(this).Run();
        }

        return new RunResult
        {
            Seed = Scenario.Seed,
            Violation = _violation,
            TraceHash = World.Trace.Hash,
            WorldMs = World.NowMs,
            Steps = World.Steps,
            Faults = Faults.Fired,
            FaultCounts = Faults.Counts,
            Records = Scenario.Records,
            Commits = Commits,
            QuietMs = _quietMs,
            Rejoins = Cluster.Group(Scenario.Spec.Group).Rejoins,
        };
    }

    private void OnException(Actor actor, Exception e)
    {
        if (e is ViolationException broken)
        {
            Break(broken.Violation);
        }
        else
        {
            Break(new Violation("Exception", $"{actor.Name} threw {e}"));
        }

        actor.IsDone = true;
    }
}
