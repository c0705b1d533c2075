using System.Runtime.ExceptionServices;
using Dedup.Kafka.Restore;
using Dedup.Kafka.Tasks;
using Dedup.Topology.Ports;

namespace Dedup.Kafka.Lanes;

/// <content>A store that fails: replaced when it is damaged, the end of the lane otherwise.</content>
public sealed partial class Lane
{
    private void ReplaceOrFail(StoreFailedException e)
    {
        try
        {
            if (TryReplace(e))
            {
                return;
            }
        }
        catch (StoreFailedException second)
        {
            e = second;
        }

        IsStoreFailure = true;
        Fail(
            _replacedStores > _options.MaxReplacedStores
                ? $"{e.Message}; {_options.MaxReplacedStores} damaged stores were replaced before it: look after the disk under the state directory."
                : e.Message
        );
    }

    /// <summary>
    /// A damaged block is found when it is read, long after the store was opened, and again after every restart: so that store
    /// is set aside and restored from the changelog as if it had not opened. It may have failed in the middle of anything, also
    /// between a commit and what follows from it; the lane goes the way of an unknown outcome, which is right for all of that.
    /// </summary>
    private bool TryReplace(StoreFailedException e)
    {
        if (
            !e.IsCorruption
            || State is not (LaneState.Running or LaneState.Stopping)
            || !_tasks.TryGetValue(e.Partition, out PartitionTask? task)
            || _replacedStores++ >= _options.MaxReplacedStores
        )
        {
            return false;
        }

        if (State == LaneState.Running)
        {
            BeginRebuild(e.Message);
        }
        else
        {
            // What was open is committed: only that can have touched a store. The rest of it is for the next owner.
            DropOpen();
        }

        task.CloseStore(floor: null);
        _restorer.SetAside(task.Partition, e.Message);
        task.CaughtUpTo = 0;
        RestoreFromNothing(task);
        foreach (PartitionTask other in _taskList)
        {
            if (other != task && other.Restore is { IsReading: true })
            {
                ReadAgain(other);
            }
        }

        return true;
    }

    /// <summary>The batch in which the damage showed may have held records of this task too, which nobody has applied.</summary>
    private void ReadAgain(PartitionTask task)
    {
        _restorer.Stop(task);
        task.Restore = new RestoreProgress
        {
            Stage = RestoreStage.Reading,
            Marker = task.HasMarker ? task.Marker : null,
        };
    }

    private void RestoreFromNothing(PartitionTask task)
    {
        _restorer.Stop(task);
        if (task.State == TaskState.Active)
        {
            Restorer.Begin(task);
        }
        else if (task.State == TaskState.Restoring)
        {
            task.Restore = new RestoreProgress();
        }
    }

    /// <summary>Commits what is open; false as well when a store was found damaged while it took the overlay.</summary>
    private bool CommitOrReplace()
    {
        try
        {
            return CommitOpen();
        }
        catch (StoreFailedException e) when (e.IsCorruption)
        {
            if (!TryReplace(e))
            {
                throw;
            }

            return false;
        }
    }

    /// <summary>
    /// Closes the store of a task that is given back; a damaged one is left for nobody. What else fails waits for the caller
    /// to have closed the others: whoever gets their partitions waits for their locks.
    /// </summary>
    private void CloseOrSetAside(PartitionTask task, long? floor, ref StoreFailedException? failure)
    {
        try
        {
            try
            {
                task.CloseStore(floor);
            }
            catch (StoreFailedException e) when (e.IsCorruption)
            {
                _restorer.SetAside(task.Partition, e.Message);
            }
        }
        catch (StoreFailedException e)
        {
            failure ??= e;
        }
    }

    private static void Rethrow(StoreFailedException? failure)
    {
        if (failure is not null)
        {
            ExceptionDispatchInfo.Throw(failure);
        }
    }
}
