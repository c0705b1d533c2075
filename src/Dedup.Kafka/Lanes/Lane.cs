using System.Runtime.InteropServices;
using Dedup.Contracts.Identity;
using Dedup.Kafka.Restore;
using Dedup.Kafka.Tasks;
using Dedup.Kafka.Ways;
using Dedup.Topology.Judge;
using Dedup.Topology.Pipelines;
using Dedup.Topology.Ports;
using Dedup.Topology.Proof;
using Dedup.Topology.Records;

namespace Dedup.Kafka.Lanes;

/// <summary>
/// One thread, one member of the consumer group, one transactional producer. It steps: <see cref="Step"/> does a bounded
/// piece of work and returns, so that a simulation can own time and order.
/// </summary>
public sealed partial class Lane : IAssignmentListener, IDisposable
{
    /// <summary>4 s, doubled so often, is over four minutes: by then every client has fresh metadata.</summary>
    private const int MaxRejoinDoublings = 6;

    private readonly PipelineSpec _spec;
    private readonly int _partitions;
    private readonly LaneOptions _options;
    private readonly LanePorts _ports;
    private readonly Restorer _restorer;
    private readonly ChangelogWriter _changelog;
    private readonly Refusals _refusals = new();
    private readonly RecordWay _way;
    private readonly SortedDictionary<int, PartitionTask> _tasks = [];

    /// <summary>The tasks once more, since every step walks them and a tree's enumerator allocates.</summary>
    private PartitionTask[] _taskList = [];
    private readonly List<PartitionTask> _touched = [];
    private readonly List<PartitionOffset> _offsets = [];
    private readonly Func<int, PartitionTask?> _findTask;
    private PartitionTask? _lastTask;
    private bool _isSubscribed;
    private bool _renewFirst;

    /// <summary>Grows with every rewind: what a poll brought from before one is discarded, since it will be fetched again.</summary>
    private int _rewinds;

    /// <summary>Stores that turned out damaged while they were in use.</summary>
    private int _replacedStores;

    // The open transaction.
    private bool _isOpen;
    private int _openRecords;
    private long _openBytes;
    private long _openSinceMs;
    private long _emptySinceMs = -1;

    private long _nextPurgeMs;

    /// <summary>Makes a lane in <see cref="LaneState.Starting"/>.</summary>
    public Lane(PipelineSpec spec, StateIdentity identity, LaneOptions options, LanePorts ports)
    {
        _spec = spec;
        _partitions = identity.PartitionCount;
        _options = options;
        _ports = ports;
        _restorer = new Restorer(spec, identity, ports, options);
        _changelog = new ChangelogWriter(options.MaxChunkBytes, options.MaxTombstones);
        _way =
            spec.Hop == Hop.Rekey
                ? new RekeyWay(spec, ports, _refusals)
                : new JudgeWay(spec, ports, options, _refusals);
        _findTask = FindTask;
    }

    /// <summary>State.</summary>
    public LaneState State { get; private set; }

    /// <summary>Why the lane failed, in one line; null while it has not.</summary>
    public string? Failure { get; private set; }

    /// <summary>Whether the failure is the store's or disk's rather than the configuration's or the offsets'.</summary>
    public bool IsStoreFailure { get; private set; }

    /// <summary>The tasks by partition. Only to be looked at on the lane's thread.</summary>
    public IReadOnlyDictionary<int, PartitionTask> Tasks => _tasks;

    /// <summary>Whether a transaction is open.</summary>
    public bool IsTransactionOpen => _isOpen;

    /// <summary>
    /// Does a bounded piece of work. False when the lane has stopped or failed and no further step will do anything.
    /// </summary>
    public bool Step()
    {
        try
        {
            switch (State)
            {
                case LaneState.Starting:
                    Start();
                    break;
                case LaneState.Rebuilding:
                    Rebuild();
                    break;
                case LaneState.Running:
                    Run();
                    break;
                case LaneState.Stopping:
                    FinishStop();
                    break;
                default:
                    return false;
            }
        }
        catch (StoreFailedException e)
        {
            ReplaceOrFail(e);
        }
        catch (DisagreementException e)
        {
            Fail(e.Message);
        }

        return State is not (LaneState.Stopped or LaneState.Failed);
    }

    /// <summary>Asks for an end: what is open is committed, stores are closed, the group is left; by the next steps.</summary>
    public void Stop()
    {
        if (State is not (LaneState.Stopping or LaneState.Stopped or LaneState.Failed))
        {
            TransitionTo(LaneState.Stopping, "asked to stop");
        }
    }

    /// <summary>Gives up what the lane holds without a word to the broker; after Stopped or Failed nothing is left to do.</summary>
    public void Dispose()
    {
        foreach (PartitionTask task in _taskList)
        {
            task.CloseStore(floor: null);
        }

        _tasks.Clear();
        TasksChanged();
        _ports.Source.Dispose();
        _ports.Sink.Dispose();
        _ports.Changelog.Dispose();
    }

    private void Start()
    {
        if (InitialiseSink() && !_isSubscribed)
        {
            _isSubscribed = true;
            TransitionTo(LaneState.Running, "producer initialised");
            _ports.Source.Subscribe(this);
        }
    }

    private bool InitialiseSink()
    {
        if (_renewFirst)
        {
            _ports.Sink.Renew();
            _renewFirst = false;
        }

        TxResult result = _ports.Sink.Initialise(_options.BrokerTimeoutMs);
        switch (result.Outcome)
        {
            case TxOutcome.Ok:
                return true;
            case TxOutcome.Misconfigured:
                Fail(
                    $"{_spec.Name}: the producer {_ports.Sink.TransactionalId} cannot work: {result.Detail}."
                );
                return false;
            case TxOutcome.Retriable:
                _ports.Observer.Trouble($"the producer is not initialised yet: {result.Detail}");
                return false;
            default:
                _renewFirst = true;
                _ports.Observer.Trouble($"the producer has to be made anew: {result.Detail}");
                return false;
        }
    }

    /// <summary>
    /// The outcome of the last transaction is unknown or the producer is fenced: a new producer, and every task back to what
    /// the changelog says.
    /// </summary>
    private void Rebuild()
    {
        // The group's heartbeat and its rebalances go on; records are discarded, since no task is active.
        PollSource(timeoutMs: 0);
        if (State != LaneState.Rebuilding || !InitialiseSink())
        {
            return;
        }

        foreach (PartitionTask task in _taskList)
        {
            if (task.State == TaskState.Active)
            {
                Restorer.Begin(task);
            }
        }

        TransitionTo(LaneState.Running, "producer made anew");
    }

    private void Run()
    {
        if (_isRenamed)
        {
            GiveUpAsRenamed();
            return;
        }

        if (_adrift.Count > 0)
        {
            GiveUpAdrift();
            return;
        }

        WatchCoverage();
        bool isRestoring = StepTasks();
        // With something open the first question after records does not wait: when nothing is there, and the end is known to be
        // reached, the lane commits at once, also while records keep coming a few at a time.
        int wait =
            !_isOpen ? _options.IdlePollMs
            : _emptySinceMs < 0 ? 0
            : 1;
        if (isRestoring)
        {
            wait = Math.Min(wait, _restorer.Read(_findTask, timeoutMs: 0) ? 0 : 5);
        }

        if (_throttled > 0 && State == LaneState.Running)
        {
            wait = Math.Min(wait, ResumeThrottled(wait));
        }

        if (State != LaneState.Running)
        {
            return;
        }

        int polled = PollSource(wait);
        if (State == LaneState.Running && _isOpen && IsTimeToCommit(polled))
        {
            _ = CommitOpen();
        }
    }

    /// <summary>Stores and restores; true while anything is being restored.</summary>
    private bool StepTasks()
    {
        bool isRestoring = false;
        foreach (PartitionTask task in _taskList)
        {
            task.Store?.Step();
            if (task.State == TaskState.Assigned)
            {
                Restorer.Begin(task);
            }

            if (task.State == TaskState.Restoring)
            {
                isRestoring = true;
                if (!task.IsTouched && _restorer.Step(task))
                {
                    Claim(task);
                }
            }
        }

        PurgeIfDue();
        return isRestoring;
    }

    /// <summary>What was judged and committed is deleted from the topic between the hops, whose retention is unlimited.</summary>
    private void PurgeIfDue()
    {
        if (_ports.Purger is null || NowMs() < _nextPurgeMs)
        {
            return;
        }

        _nextPurgeMs = NowMs() + _options.PurgeIntervalMs;
        foreach (PartitionTask task in _taskList)
        {
            if (task.State == TaskState.Active && task.CommittedOffset > task.PurgedBelow)
            {
                task.PurgedBelow = task.CommittedOffset;
                _ports.Purger.Purge(task.Partition, task.CommittedOffset);
            }
        }
    }

    /// <summary>
    /// The first transaction of a new owner is a marker of its own, before any record of the partition: so the last committed
    /// marker always names the one who may have left something pending. Its own predecessor was fenced by Initialise.
    /// </summary>
    private void Claim(PartitionTask task)
    {
        if (
            task.Marker.Writer == _ports.Sink.TransactionalId
            && task.Marker.InputOffset == CommittedOf(task)
        )
        {
            Activate(task);
            return;
        }

        if (EnsureOpen())
        {
            Touch(task);
        }
    }

    /// <summary>The committed offset that the restore saw; -1 when there is none, which a claim mends.</summary>
    private static long CommittedOf(PartitionTask task) =>
        task.Restore?.Committed is { Status: LookupStatus.Found } committed ? committed.Offset : -1;

    private void Activate(PartitionTask task)
    {
        _restorer.Stop(task);
        task.TransitionTo(TaskState.Active);
        _ports.Source.Seek(task.Partition, task.NextOffset);
        if (!Planted.Is(PlantedBug.NotResumed) || task.Partition > 0)
        {
            _ports.Source.Resume([task.Partition]);
        }
    }

    private void TasksChanged()
    {
        _lastTask = null;
        _taskList = [.. _tasks.Values];
    }

    private PartitionTask? FindTask(int partition)
    {
        if (_lastTask?.Partition == partition)
        {
            return _lastTask;
        }

        _ = _tasks.TryGetValue(partition, out _lastTask);
        return _lastTask;
    }

    private void TransitionTo(LaneState next, string why)
    {
        if (!LaneTransitions.IsAllowed(State, next))
        {
            throw new InvalidOperationException(
                $"The lane cannot go from {State} to {next} ({why})."
            );
        }

        LaneState from = State;
        State = next;
        _ports.Observer.LaneChanged(from, next, why);
    }

    /// <summary>Says loudly why, and leaves nothing pending if the broker can still be reached.</summary>
    private void Fail(string why)
    {
        if (State is LaneState.Stopped or LaneState.Failed)
        {
            return;
        }

        Failure = why;
        if (_isOpen)
        {
            _ = _ports.Sink.Abort(_options.LookupTimeoutMs * 10);
            _isOpen = false;
        }

        TransitionTo(LaneState.Failed, why);
    }
}
