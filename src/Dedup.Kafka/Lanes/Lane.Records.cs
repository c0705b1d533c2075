using System.Runtime.InteropServices;
using Dedup.Contracts.Identity;
using Dedup.Kafka.Restore;
using Dedup.Kafka.Tasks;
using Dedup.Topology.Judge;
using Dedup.Topology.Pipelines;
using Dedup.Topology.Ports;
using Dedup.Topology.Proof;
using Dedup.Topology.Records;

namespace Dedup.Kafka.Lanes;

/// <content>The way of a record: poll, judge, send.</content>
public sealed partial class Lane
{
    /// <summary>Polls, judges, sends; gives the number of records polled.</summary>
    private int PollSource(int timeoutMs)
    {
        int rewinds = _rewinds;
        RecordBatch batch = _ports.Source.Poll(_options.MaxPollRecords, timeoutMs);
        try
        {
            int count = batch.Count;
            if (rewinds != _rewinds)
            {
                // A rebalance inside the poll ended in an abort. What came with it may be from before the seek or from after
                // it, when the fetcher is already past it: all of it is fetched once more.
                if (!Planted.Is(PlantedBug.AbortInPollForgotten))
                {
                    SeekActive();
                }

                return count;
            }

            int from = 0;
            while (
                from < count
                && State == LaneState.Running
                && (rewinds == _rewinds || Planted.Is(PlantedBug.BatchGoesOnAfterAbort))
            )
            {
                int partition = batch.PartitionOf(from);
                int to = from + 1;
                while (to < count && batch.PartitionOf(to) == partition)
                {
                    to++;
                }

                PartitionTask? task = FindTask(partition);
                if (task is { State: TaskState.Active })
                {
                    Process(task, batch, from, to);
                }

                from = to;
            }

            return count;
        }
        finally
        {
            batch.Release();
        }
    }

    /// <summary>Records of one partition, in pieces that respect the limit of the transaction.</summary>
    private void Process(PartitionTask task, RecordBatch batch, int from, int to)
    {
        while (from < to && State == LaneState.Running && task.State == TaskState.Active)
        {
            // Records from before a seek cannot come (the client's barrier); this costs nothing and makes it certain.
            if (batch.OffsetOf(from) < task.NextOffset)
            {
                from++;
                continue;
            }

            if (!EnsureOpen())
            {
                return;
            }

            int count = Math.Min(to - from, Math.Max(1, _recordLimit - _openRecords));
            Touch(task);
            if (!JudgeAndSend(task, batch, from, count))
            {
                return;
            }

            from += count;
            if (_openRecords >= _recordLimit && !CommitOpen())
            {
                return;
            }
        }
    }

    private bool JudgeAndSend(PartitionTask task, RecordBatch batch, int from, int count)
    {
        if (_judgements.Length < count)
        {
            _judgements = new Judgement[count];
        }

        Span<Judgement> judgements = _judgements.AsSpan(0, count);
        long now = _ports.Time.GetUtcNow().ToUnixTimeMilliseconds();
        task.Judge.Judge(batch, from, count, now, _refusals, task.Store!, judgements);
        for (int i = 0; i < count; i++)
        {
            TxResult result = _router.Send(batch, from + i, judgements[i], now, out int bytes);
            if (!result.IsOk)
            {
                if (i > 0)
                {
                    task.NextOffset = batch.OffsetOf(from + i - 1) + 1;
                    _openRecords += i;
                }

                HandleSendFailure(task, batch.OffsetOf(from + i), result);
                return false;
            }

            _openBytes += bytes;
            if (_ports.CrashPoints.WantsRecords)
            {
                _ports.CrashPoints.Reached(CrashPoints.AfterProduce);
            }
        }

        task.NextOffset = batch.OffsetOf(from + count - 1) + 1;
        _openRecords += count;
        return true;
    }

    private void HandleSendFailure(PartitionTask task, long offset, TxResult result)
    {
        if (result.Outcome == TxOutcome.Refused)
        {
            if (Refuse(task, offset, result))
            {
                _ = Abort(
                    $"{_spec.Input}-{task.Partition}: offset {offset} is refused: {result.Detail}"
                );
            }

            return;
        }

        Climb(result, "send");
    }
}
