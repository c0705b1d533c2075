using Dedup.Kafka.Tasks;
using Dedup.Topology.Ports;
using Dedup.Topology.Proof;
using Dedup.Topology.Records;

namespace Dedup.Kafka.Lanes;

/// <content>From the poll to what the lane does with the records.</content>
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
                if (
                    task is { State: TaskState.Active, Throttled: null }
                    && !_adrift.Contains(partition)
                )
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
        while (
            from < to
            && State == LaneState.Running
            && task is { State: TaskState.Active, Throttled: null }
        )
        {
            // Records from before a seek cannot come (the client's barrier); this costs nothing and makes it certain.
            if (batch.OffsetOf(from) < task.NextOffset)
            {
                from++;
                continue;
            }

            if (!MayJoin(task) && !CommitOpen())
            {
                return;
            }

            if (!EnsureOpen() || !Enter(task))
            {
                return;
            }

            int limit = Math.Min(_options.MaxRecords, task.RecordLimit);
            int count = Math.Min(to - from, Math.Max(1, limit - _openRecords));
            if (!Take(task, batch, from, count))
            {
                return;
            }

            from += count;
            if (_openRecords >= limit && !CommitOpen())
            {
                return;
            }
        }
    }

    private bool Take(PartitionTask task, RecordBatch batch, int from, int count)
    {
        long now = _ports.Time.GetUtcNow().ToUnixTimeMilliseconds();
        TxResult result = _way.Take(task, batch, from, count, now, out int sent, out long bytes);
        _openBytes += bytes;
        _openRecords += sent;
        task.OpenRecords += sent;
        if (sent > 0)
        {
            task.NextOffset = batch.OffsetOf(from + sent - 1) + 1;
        }

        if (!result.IsOk)
        {
            HandleSendFailure(task, batch.OffsetOf(from + sent), result);
            return false;
        }

        if (task.Throttled is { } throttle)
        {
            Throttle(task, throttle);
        }

        return true;
    }

    private void HandleSendFailure(PartitionTask task, long offset, TxResult result)
    {
        if (result.Outcome == TxOutcome.Refused)
        {
            if (Refuse(task, offset, result))
            {
                _ = Abort(
                    $"{_spec.Reads}-{task.Partition}: offset {offset} is refused: {result.Detail}"
                );
            }

            return;
        }

        Climb(result, "send");
    }
}
