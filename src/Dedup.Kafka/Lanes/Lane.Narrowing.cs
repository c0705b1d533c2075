using Dedup.Kafka.Tasks;
using Dedup.Topology.Ports;

namespace Dedup.Kafka.Lanes;

/// <content>
/// The broker refuses one record of a transaction and does not say which. The transaction is aborted; each partition that had
/// records in it gets half as many from now on, in transactions of its own, until one of a single record fails: that is the
/// one, and it goes to quarantine. A partition that may hold it shares no transaction, and what the others commit says nothing
/// about it: as one limit for the whole lane, a busy partition would raise it as fast as the refused record lowers it, and the
/// partition with that record would wait until the other has drained.
/// </content>
public sealed partial class Lane
{
    /// <summary>Whether records of the task may go into the transaction that is open.</summary>
    private bool MayJoin(PartitionTask task)
    {
        if (_openRecords == task.OpenRecords)
        {
            return true;
        }

        if (task.IsNarrowed)
        {
            return false;
        }

        foreach (PartitionTask other in _touched)
        {
            if (other.IsNarrowed && other.OpenRecords > 0)
            {
                return false;
            }
        }

        return true;
    }

    private void NarrowDown(TxResult result)
    {
        if (_openRecords == 0)
        {
            FailForState(result);
            return;
        }

        foreach (PartitionTask task in _touched)
        {
            if (task.OpenRecords == 0)
            {
                continue;
            }

            if (_openRecords > 1)
            {
                task.RecordLimit = Math.Max(1, task.OpenRecords / 2);
            }
            else if (!Refuse(task, task.NextOffset - 1, result))
            {
                return;
            }
        }

        _ = Abort($"a record is refused: {result.Detail}");
    }

    /// <summary>A transaction with records of the task was committed: twice as many may go into the next one.</summary>
    private void Widen(PartitionTask task)
    {
        if (task.IsNarrowed && task.OpenRecords > 0)
        {
            long limit = task.RecordLimit * 2L;
            task.RecordLimit =
                limit < _options.MaxRecords ? (int)limit : PartitionTask.NoRecordLimit;
        }
    }

    /// <summary>Notes that a record is refused; false when even its coordinates are, which nothing can mend from here.</summary>
    private bool Refuse(PartitionTask task, long offset, TxResult result)
    {
        if (_refusals.Add(task.Partition, offset, result.Refusal))
        {
            return true;
        }

        Fail(
            $"{_spec.Reads}-{task.Partition}: offset {offset} is refused by {_spec.Quarantine} even without its payload: {result.Detail}; run dedup check."
        );
        return false;
    }
}
