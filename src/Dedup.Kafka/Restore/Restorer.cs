using Dedup.Contracts.Changelog;
using Dedup.Contracts.Identity;
using Dedup.Kafka.Lanes;
using Dedup.Kafka.Tasks;
using Dedup.Topology.Pipelines;
using Dedup.Topology.Ports;
using Dedup.Topology.Proof;
using Dedup.Topology.Records;

namespace Dedup.Kafka.Restore;

/// <summary>
/// Brings tasks up to the committed offset: store open, committed offset (stable), then the changelog's high watermark, then
/// replay up to it, then comparison of marker and offset. In bounded steps, so that the lane goes on with its other
/// partitions.
/// </summary>
internal sealed partial class Restorer(
    PipelineSpec spec,
    StateIdentity identity,
    LanePorts ports,
    LaneOptions options
)
{
    private const long SayEveryMs = 5_000;

    private readonly StartPosition _start = new(spec, identity, ports, options);

    /// <summary>Begins a restore of a task that was just assigned, or that has to catch up.</summary>
    public static void Begin(PartitionTask task)
    {
        task.TransitionTo(TaskState.Restoring);
        task.Restore = new RestoreProgress
        {
            Stage = task.Store is null ? RestoreStage.Opening : RestoreStage.Reading,
            Marker = task.HasMarker ? task.Marker : null,
        };
    }

    /// <summary>Stops reading for a task.</summary>
    public void Stop(PartitionTask task)
    {
        if (task.Restore is { IsReading: true })
        {
            ports.Changelog.Close(task.Partition);
        }

        task.Restore = null;
    }

    /// <summary>Takes one step for one task; true when the lane may write its claim.</summary>
    public bool Step(PartitionTask task)
    {
        RestoreProgress progress = task.Restore!;
        SayIfStuck(task, progress);
        switch (progress.Stage)
        {
            case RestoreStage.Opening:
                OpenStore(task, progress);
                return false;
            case RestoreStage.Reading:
                if (!progress.IsReading)
                {
                    OpenChangelog(task, progress);
                }

                if (progress.IsReading && LookUp(task, progress))
                {
                    Compare(task, progress);
                }

                return progress.Stage == RestoreStage.Claiming;
            case RestoreStage.Releasing:
                Release(task, progress);
                return progress.Stage == RestoreStage.Claiming;
            default:
                return true;
        }
    }

    /// <summary>Reads on for all tasks that are reading; true when anything came.</summary>
    public bool Read(Func<int, PartitionTask?> find, int timeoutMs)
    {
        RecordBatch batch = ports.Changelog.Poll(options.MaxPollRecords, timeoutMs);
        try
        {
            for (int i = 0; i < batch.Count; i++)
            {
                batch.Get(i, out RecordView record);
                PartitionTask? task = find(record.Partition);
                if (task?.Restore is { IsReading: true } progress)
                {
                    Apply(task, progress, record);
                }
            }

            if (batch.Count > 0)
            {
                ports.CrashPoints.Reached(CrashPoints.RestoreApplied);
            }

            return batch.Count > 0;
        }
        finally
        {
            batch.Release();
        }
    }

    /// <summary>A restore that waits says for what, every few seconds: silence would look like a hang.</summary>
    private void SayIfStuck(PartitionTask task, RestoreProgress progress)
    {
        long now = NowMs();
        progress.SaidAtMs ??= now;
        if (now - progress.SaidAtMs >= SayEveryMs)
        {
            progress.SaidAtMs = now;
            ports.Observer.Trouble(
                $"{spec.Reads}-{task.Partition}: the restore ({progress.Stage}) waits for {progress.WaitsFor ?? "the lane"}."
            );
        }
    }

    private void OpenStore(PartitionTask task, RestoreProgress progress)
    {
        StoreOpening opening = ports.Stores.Open(task.Partition);
        if (opening.Status == StoreOpenStatus.Locked)
        {
            progress.WaitForLock(opening.Detail, NowMs(), options.StoreLockPatienceMs);
            return;
        }

        if (opening.Status == StoreOpenStatus.Corrupt)
        {
            SetAside(task.Partition, opening.Detail ?? "corrupt");
            return;
        }

        IFirstSeenStore store = opening.Store!;
        string? mismatch = store.Header is null ? null : _start.Mismatch(store.Header.Marker);
        if (mismatch is not null)
        {
            store.Close(null);
            store.Dispose();
            SetAside(task.Partition, "made for " + mismatch);
            return;
        }

        task.Store = store;
        progress.Marker = store.Header?.Marker;
        task.CaughtUpTo = store.Header?.Floor ?? 0;
        progress.Stage = RestoreStage.Reading;
    }

    /// <summary>Sets a closed store aside, and says so.</summary>
    public void SetAside(int partition, string why)
    {
        ports.Observer.Trouble(
            $"{spec.Reads}-{partition}: the store on disk was set aside ({why}); it is restored from {spec.Changelog}."
        );
        ports.Stores.SetAside(partition, why);
    }

    /// <summary>
    /// A seal of this very replay may have moved the floor since, behind the lane: what holds at the place where reading begins
    /// is decided here and nowhere else.
    /// </summary>
    private static void BeginAtFloor(PartitionTask task, RestoreProgress progress)
    {
        StoreHeader? header = task.Store!.Header;
        if (header is null || header.Floor < task.CaughtUpTo)
        {
            return;
        }

        progress.Marker =
            header.Floor > task.CaughtUpTo ? header.Marker : progress.Marker ?? header.Marker;
        task.CaughtUpTo = header.Floor;
    }

    /// <summary>Replay begins at the store's floor, or at the log's start when compaction or a new topic moved that.</summary>
    private void OpenChangelog(PartitionTask task, RestoreProgress progress)
    {
        BoundsLookup bounds = ports.Changelog.Bounds(task.Partition, options.LookupTimeoutMs);
        if (bounds.Status == LookupStatus.Failed)
        {
            throw new DisagreementException(
                $"{spec.Changelog}-{task.Partition}: the changelog cannot be read: {bounds.Detail}."
            );
        }

        if (bounds.Status != LookupStatus.Found)
        {
            progress.WaitsFor =
                $"the bounds of {spec.Changelog} ({bounds.Detail}; if partitions were added, run dedup topics --apply)";
            return;
        }

        BeginAtFloor(task, progress);
        if (task.CaughtUpTo > bounds.Bounds.High)
        {
            // The changelog is shorter than what the store has seen of it: it was made anew. The store proves nothing then.
            task.CloseStore(floor: null);
            SetAside(
                task.Partition,
                $"floor {task.CaughtUpTo} is beyond the changelog's end {bounds.Bounds.High}"
            );
            progress.Marker = null;
            task.CaughtUpTo = 0;
            progress.Stage = RestoreStage.Opening;
            return;
        }

        long from = task.CaughtUpTo + (Planted.Is(PlantedBug.ReplayOneLate) ? 1 : 0);
        ports.Changelog.Open(task.Partition, Math.Max(from, bounds.Bounds.Low));
        progress.IsReading = true;
        ports.CrashPoints.Reached(CrashPoints.RestoreStarted);
    }

    /// <summary>True when the committed offset is known, and the changelog is read up to a high watermark asked for after it.</summary>
    private bool LookUp(PartitionTask task, RestoreProgress progress)
    {
        long position = ports.Changelog.Position(task.Partition);
        long now = NowMs();
        if (position != progress.LastPosition)
        {
            progress.LastPosition = position;
            progress.StuckSinceMs = null;
        }

        if (progress.Committed is null)
        {
            OffsetLookup committed = ports.Source.Committed(
                task.Partition,
                options.LookupTimeoutMs
            );
            if (committed.Status == LookupStatus.Failed)
            {
                throw new DisagreementException(
                    $"{spec.Reads}-{task.Partition}: the committed offset of group {spec.Group} cannot be read: {committed.Detail}."
                );
            }

            if (committed.Status == LookupStatus.Pending)
            {
                progress.WaitsFor = $"the committed offset of {spec.Group} ({committed.Detail})";
                FenceWhenStuck(task, progress, now);
                return false;
            }

            progress.Committed = committed;
            progress.Target = null;
        }

        if (progress.Target is null)
        {
            BoundsLookup bounds = ports.Changelog.Bounds(task.Partition, options.LookupTimeoutMs);
            if (bounds.Status == LookupStatus.Failed)
            {
                throw new DisagreementException(
                    $"{spec.Changelog}-{task.Partition}: the changelog cannot be read: {bounds.Detail}."
                );
            }

            if (bounds.Status != LookupStatus.Found)
            {
                progress.WaitsFor =
                    $"the bounds of {spec.Changelog} ({bounds.Detail}; if partitions were added, run dedup topics --apply)";
                return false;
            }

            progress.Target = Planted.Is(PlantedBug.RestoreToLastStable)
                ? bounds.Bounds.LastStable
                : bounds.Bounds.High;
            progress.StuckSinceMs = null;
        }

        if (position >= progress.Target)
        {
            return true;
        }

        progress.WaitsFor = $"the changelog's offset {progress.Target}, from {position}";
        ports.Observer.Restoring(task.Partition, position, progress.Target.Value, progress.Ids);
        FenceWhenStuck(task, progress, now);
        return false;
    }

    /// <summary>
    /// A pending transaction of somebody else holds up the committed offset or the last stable offset: ended at once by
    /// InitTransactions under the id that it was written under.
    /// </summary>
    private void FenceWhenStuck(PartitionTask task, RestoreProgress progress, long now)
    {
        progress.StuckSinceMs ??= now;
        if (now - progress.StuckSinceMs < options.FenceAfterMs)
        {
            return;
        }

        WriterLookup pending = ports.Fencer.PendingWriter(task.Partition, options.LookupTimeoutMs);
        if (pending.Status == LookupStatus.Pending)
        {
            return;
        }

        string? writer = pending.TransactionalId ?? progress.Marker?.Writer;
        progress.StuckSinceMs = null;
        if (!string.IsNullOrEmpty(writer) && writer != ports.Sink.TransactionalId)
        {
            Fence(task, progress, writer);
        }
    }

    private void Fence(PartitionTask task, RestoreProgress progress, string writer)
    {
        TxResult result = ports.Fencer.Fence(writer, options.BrokerTimeoutMs);
        progress.Fenced = writer;
        ports.Observer.Trouble(
            result.IsOk
                ? $"{spec.Reads}-{task.Partition}: a transaction that {writer} left pending was ended."
                : $"{spec.Reads}-{task.Partition}: a transaction that {writer} left pending could not be ended yet: {result.Detail}."
        );
    }

    private void Compare(PartitionTask task, RestoreProgress progress)
    {
        StartDecision decision = _start.Decide(
            task.Partition,
            progress.Marker,
            progress.Committed!.Value,
            progress.Rounds,
            out Marker? start
        );
        if (decision == StartDecision.Wait)
        {
            progress.WaitsFor = $"the bounds of {spec.Reads}";
        }
        else if (decision is StartDecision.OnceMore or StartDecision.Overtaken)
        {
            progress.Rounds += decision == StartDecision.OnceMore ? 1 : 0;
            progress.Committed = null;
            progress.Target = null;
        }
        else if (decision == StartDecision.Begin)
        {
            task.CaughtUpTo = progress.Target!.Value;
            ports.Changelog.Close(task.Partition);
            progress.IsReading = false;
            string writer = start!.Writer;
            task.Load(start);
            task.DropExpired(task.Store!);
            progress.Marker = start;
            // Where records go to many partitions, transactions begin with a marker, and a pending one of the previous owner has
            // shown in the changelog already.
            progress.Stage =
                writer == ports.Sink.TransactionalId || spec.Hop != Hop.Whole
                    ? RestoreStage.Claiming
                    : RestoreStage.Releasing;
            ports.CrashPoints.Reached(CrashPoints.RestoreDone);
        }
    }

    /// <summary>
    /// The previous owner may have died in the middle of a transaction, with records on the clean topic and nothing in the
    /// changelog yet: its readers would wait for the time-out. A partition that was added to the input and not yet to the
    /// clean topic waits here, while the others go on.
    /// </summary>
    private void Release(PartitionTask task, RestoreProgress progress)
    {
        PendingLookup pending = ports.Fencer.Pending(
            SinkTopic.Clean,
            task.Partition,
            options.LookupTimeoutMs
        );
        if (pending.Status == LookupStatus.Pending)
        {
            progress.WaitsFor =
                $"the bounds of {spec.Clean} ({pending.Detail}; if partitions were added, run dedup topics --apply)";
            return;
        }

        string writer = progress.Marker!.Writer;
        if (pending.IsPending && writer.Length > 0 && progress.Fenced != writer)
        {
            Fence(task, progress, writer);
        }

        progress.Stage = RestoreStage.Claiming;
    }

    private long NowMs() => (long)ports.Time.GetElapsedTime(0).TotalMilliseconds;
}
