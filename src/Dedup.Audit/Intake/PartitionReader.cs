using Dedup.Audit.Logs;
using Dedup.Topology.Records;

namespace Dedup.Audit.Intake;

/// <summary>Reads both sides of a partition at once, each on a thread of its own.</summary>
internal sealed class PartitionReader(AuditTopics topics, PartitionScope scope, ProgressMeter meter)
{
    /// <summary>Reads all and says whether the clean side could be read to its end.</summary>
    public bool Read(InputIntake input, CleanIntake clean, CancellationToken cancellation)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        bool isComplete = false;
        Task cleanSide = Task.Factory.StartNew(
            () =>
                isComplete = CancelOther(
                    either,
                    () =>
                        Read(
                            topics.Clean,
                            scope.CleanStart,
                            scope.CleanEnd,
                            true,
                            clean.Take,
                            either.Token
                        )
                ),
            either.Token,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default
        );
        Exception? failure = null;
        try
        {
            _ = CancelOther(
                either,
                () =>
                    Read(
                        topics.Input,
                        scope.InputStart,
                        scope.InputEnd,
                        true,
                        input.Take,
                        either.Token
                    )
            );
        }
        catch (Exception e)
        {
            failure = e;
        }

        try
        {
            cleanSide.GetAwaiter().GetResult();
        }
        catch (Exception e) when (e is not OperationCanceledException || failure is null)
        {
            // Of two failures the one that is not the other's consequence.
            failure = failure is null or OperationCanceledException ? e : failure;
        }
        catch (OperationCanceledException) { }

        if (failure is not null)
        {
            cancellation.ThrowIfCancellationRequested();
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
        }

        input.EndOfAudited();
        if (topics.CommittedNow is not null)
        {
            // Clean was read to the end; whatever it holds was committed together with offsets up to here.
            long now = topics.CommittedNow(scope.Partition);
            _ = Read(topics.Input, scope.InputEnd, now, false, input.Take, cancellation);
        }

        input.Finish();
        return isComplete;
    }

    private static bool CancelOther(CancellationTokenSource either, Func<bool> read)
    {
        try
        {
            return read();
        }
        catch
        {
            either.Cancel();
            throw;
        }
    }

    private bool Read(
        ITopicLog log,
        long from,
        long to,
        bool waitForPending,
        Action<RecordBatch> take,
        CancellationToken cancellation
    )
    {
        if (from >= to)
        {
            return true;
        }

        using IRecordStream stream = log.Open(
            scope.Partition,
            from,
            to,
            waitForPending,
            cancellation
        );
        long before = from;
        while (stream.Next() is { } batch)
        {
            cancellation.ThrowIfCancellationRequested();
            take(batch);
            meter.Advance(stream.Position - before);
            before = stream.Position;
        }

        meter.Advance(to - before);
        return stream.IsComplete;
    }
}
