using Dedup.Contracts.Identity;
using Dedup.Kafka.Restore;
using Dedup.Kafka.Tasks;
using Dedup.Topology.Ports;
using Dedup.Topology.Proof;

namespace Dedup.Kafka.Lanes;

/// <content>Assignment, revocation, loss, and the orderly end. The callbacks run inside the source's Poll, on the lane's thread.</content>
public sealed partial class Lane
{
    /// <inheritdoc/>
    public void OnAssigned(ReadOnlySpan<int> partitions)
    {
        HoldAsMember();
        foreach (int partition in partitions)
        {
            if (!_tasks.ContainsKey(partition))
            {
                _tasks[partition] = new PartitionTask(partition, _spec, _ports.Observer);
                TasksChanged();
            }
        }
    }

    /// <inheritdoc/>
    public void OnRevoked(ReadOnlySpan<int> partitions)
    {
        _ports.CrashPoints.Reached(CrashPoints.RevokeBegun);
        GiveBack(partitions);
    }

    /// <inheritdoc/>
    public void OnLost(ReadOnlySpan<int> partitions)
    {
        if (_isOpen && State == LaneState.Running)
        {
            _ = Abort("partitions were lost");
        }

        StoreFailedException? failure = null;
        foreach (int partition in partitions)
        {
            if (
                !Planted.Is(PlantedBug.LostKept)
                && _tasks.Remove(partition, out PartitionTask? task)
            )
            {
                _restorer.Stop(task);
                task.Abort();
                long? floor = Planted.Is(PlantedBug.LostSealed)
                    ? _ports.Changelog.Bounds(partition, _options.LookupTimeoutMs).Bounds.High
                    : null;
                CloseOrSetAside(task, floor, ref failure);
                task.TransitionTo(TaskState.Lost);
            }
        }

        TasksChanged();
        Rethrow(failure);
    }

    /// <inheritdoc/>
    public void OnFault(SourceFault fault, int partition, string detail)
    {
        switch (fault)
        {
            case SourceFault.Transient:
                _ports.Observer.Trouble(detail);
                break;
            case SourceFault.OffsetOutOfRange:
                SetAdrift(partition, $"out of range: {detail}");
                break;
            case SourceFault.CannotSeek:
                SetAdrift(partition, detail);
                break;
            case SourceFault.Fenced:
                Fail(
                    $"{_spec.Name}: another process is in group {_spec.Group} under this instance's id ({detail}); give each process a state directory of its own."
                );
                break;
            default:
                Fail($"{_spec.Reads}: cannot be read: {detail}.");
                break;
        }
    }

    /// <summary>
    /// Finish and commit what is open, flush, close. The floor for each store is read before that commit and the task takes
    /// part in it, so that its success proves that nobody else wrote in between.
    /// </summary>
    private void GiveBack(ReadOnlySpan<int> partitions)
    {
        // Asked to stop in the middle of a rebuild, the producer is not one to begin anything with (seed 2943).
        bool canCommit =
            !_renewFirst
            && State is LaneState.Running or LaneState.Stopping
            && PrepareFloors(partitions);
        bool isCommitted = canCommit && CommitOrReplace();
        _ports.CrashPoints.Reached(CrashPoints.RevokeCommitted);
        StoreFailedException? failure = null;
        foreach (int partition in partitions)
        {
            if (!_tasks.Remove(partition, out PartitionTask? task))
            {
                continue;
            }

            _restorer.Stop(task);
            bool wasActive = task.State == TaskState.Active;
            task.TransitionTo(TaskState.Revoking);
            long? floor = isCommitted && wasActive ? task.FloorCandidate : null;
            if (floor is not null && Planted.Is(PlantedBug.FloorTooHigh))
            {
                floor =
                    _ports.Changelog.Bounds(partition, _options.LookupTimeoutMs).Bounds.High + 1;
            }

            task.Abort();
            _ = _touched.Remove(task);
            CloseOrSetAside(task, floor, ref failure);
            task.TransitionTo(TaskState.Closed);
        }

        TasksChanged();
        Rethrow(failure);
    }

    private bool PrepareFloors(ReadOnlySpan<int> partitions)
    {
        foreach (int partition in partitions)
        {
            if (
                !_tasks.TryGetValue(partition, out PartitionTask? task)
                || task.State != TaskState.Active
            )
            {
                continue;
            }

            BoundsLookup bounds = _ports.Changelog.Bounds(partition, _options.LookupTimeoutMs);
            if (bounds.Status == LookupStatus.Found && EnsureOpen())
            {
                task.FloorCandidate = bounds.Bounds.High;
                Touch(task);
            }
        }

        return _isOpen;
    }

    private void FinishStop()
    {
        if (_tasks.Count > 0)
        {
            GiveBack(_tasks.Keys.ToArray());
        }
        else if (_isOpen)
        {
            _ = _ports.Sink.Abort(_options.BrokerTimeoutMs);
            _isOpen = false;
        }

        if (_isSubscribed)
        {
            _isSubscribed = false;
            _ports.Source.Close();
        }

        if (State == LaneState.Stopping)
        {
            TransitionTo(LaneState.Stopped, "all closed");
        }
    }
}
