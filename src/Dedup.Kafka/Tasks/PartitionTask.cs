using System.Collections.Immutable;
using Dedup.Contracts.Changelog;
using Dedup.Kafka.Lanes;
using Dedup.Topology.Identify;
using Dedup.Topology.Judge;
using Dedup.Topology.Pipelines;
using Dedup.Topology.Ports;
using Dedup.Topology.Proof;

namespace Dedup.Kafka.Tasks;

/// <summary>A partition waits for a tenant's rate.</summary>
/// <param name="Tenant">The tenant, empty for records without one.</param>
/// <param name="WaitMs">How long, in ms.</param>
internal readonly record struct TaskThrottle(string Tenant, long WaitMs);

/// <summary>
/// Store, clocks, overlay, and ledger of one partition. It belongs to the lane that owns the partition; nobody else touches
/// it, so there are no locks.
/// </summary>
public sealed class PartitionTask
{
    private readonly PipelineSpec _spec;
    private readonly ILaneObserver _observer;
    private PartitionJudge? _judge;
    private Marker? _marker;

    internal PartitionTask(int partition, PipelineSpec spec, ILaneObserver observer)
    {
        Partition = partition;
        _spec = spec;
        _observer = observer;
    }

    /// <summary>Input partition.</summary>
    public int Partition { get; }

    /// <summary>State.</summary>
    public TaskState State { get; private set; }

    /// <summary>Next input offset to be judged, the open transaction included.</summary>
    public long NextOffset { get; internal set; }

    /// <summary>Next input offset as of the last commit.</summary>
    public long CommittedOffset => Marker.InputOffset;

    /// <summary>Marker as of the last commit.</summary>
    public Marker Marker =>
        _marker ?? throw new InvalidOperationException("The task has not been restored.");

    /// <summary>Whether the task knows its marker.</summary>
    public bool HasMarker => _marker is not null;

    /// <summary>The judge.</summary>
    public PartitionJudge Judge =>
        _judge ?? throw new InvalidOperationException("The task has not been restored.");

    /// <summary>The store, once open.</summary>
    internal IFirstSeenStore? Store { get; set; }

    /// <summary>Whether the open transaction contains anything of this partition.</summary>
    internal bool IsTouched { get; set; }

    /// <summary>No bound but the transaction's own.</summary>
    internal const int NoRecordLimit = int.MaxValue;

    /// <summary>Records of this partition in the open transaction.</summary>
    internal int OpenRecords { get; set; }

    /// <summary>The most records of this partition in a transaction, lowered while a refused one is narrowed down.</summary>
    internal int RecordLimit { get; set; } = NoRecordLimit;

    /// <summary>Whether one of its next records may be refused.</summary>
    internal bool IsNarrowed => RecordLimit != NoRecordLimit;

    /// <summary>What will hold when the open transaction commits.</summary>
    internal Marker? PendingMarker { get; set; }

    /// <summary>
    /// Changelog high watermark, read before a commit that then succeeded: everything below it was written by owners whose
    /// chunks are in this store, so it is a safe floor. Read after the last commit it would not be: a lane that slept
    /// meanwhile may have lost the partition to somebody who wrote.
    /// </summary>
    internal long? FloorCandidate { get; set; }

    /// <summary>Offset below which the log that is read was purged.</summary>
    internal long PurgedBelow { get; set; }

    /// <summary>Changelog offset below which the store (tables included) has everything.</summary>
    internal long CaughtUpTo { get; set; }

    /// <summary>Who the next record waits for; null while none does.</summary>
    internal TaskThrottle? Throttled { get; set; }

    /// <summary>When the wait is over, by the lane's own clock, in ms.</summary>
    internal long ResumeAtMs { get; set; }

    /// <summary>Progress of the restore; null when none is going on.</summary>
    internal Restore.RestoreProgress? Restore { get; set; }

    internal void TransitionTo(TaskState next)
    {
        if (!TaskTransitions.IsAllowed(State, next))
        {
            throw new InvalidOperationException(
                $"Task {Partition} cannot go from {State} to {next}."
            );
        }

        TaskState from = State;
        State = next;
        // Whatever comes now begins with a seek and a resume of its own.
        Throttled = null;
        _observer.TaskChanged(Partition, from, next);
    }

    /// <summary>Takes over what a restore found.</summary>
    internal void Load(Marker marker)
    {
        if (
            _judge is null
            || _marker is null
            || _marker.HashKey0 != marker.HashKey0
            || _marker.HashKey1 != marker.HashKey1
        )
        {
            _judge = new PartitionJudge(_spec, new SipHash(marker.HashKey0, marker.HashKey1));
        }

        _marker = marker;
        _judge.Load(marker);
        NextOffset = marker.InputOffset;
        IsTouched = false;
        OpenRecords = 0;
        PendingMarker = null;
    }

    /// <summary>Whether no entry of the bucket can count any more, by the committed clock.</summary>
    internal bool IsExpired(BucketId bucket) => Judge.Clocks.IsExpired(bucket);

    /// <summary>The transaction committed: the store takes the overlay, the pending marker holds.</summary>
    internal void Commit()
    {
        IFirstSeenStore store = Store!;
        ReadOnlySpan<NewEntry> entries = Judge.Overlay.Entries;
        if (entries.Length > 0 && !Planted.Is(PlantedBug.StoreNotTold))
        {
            if (store.IsFull)
            {
                store.WaitForSeal();
            }

            store.Add(entries);
        }

        Judge.Commit();
        _marker = PendingMarker!;
        PendingMarker = null;
        IsTouched = false;
        OpenRecords = 0;
        DropExpired(store);
        if (store.WantsSeal && FloorCandidate is long floor)
        {
            store.BeginSeal(new StoreHeader(_marker, floor));
            FloorCandidate = null;
        }
    }

    /// <summary>The transaction was aborted: nothing of it remains.</summary>
    internal void Abort()
    {
        _judge?.Abort();
        PendingMarker = null;
        FloorCandidate = null;
        IsTouched = false;
        OpenRecords = 0;
        if (_marker is not null)
        {
            NextOffset = _marker.InputOffset;
        }
    }

    /// <summary>Closes the store, with what it needs to be opened without replay if <paramref name="floor"/> is known to be safe.</summary>
    internal void CloseStore(long? floor)
    {
        IFirstSeenStore? store = Store;
        Store = null;
        if (store is null)
        {
            return;
        }

        using (store)
        {
            store.Close(
                floor is long offset && _marker is not null
                    ? new StoreHeader(_marker, offset)
                    : null
            );
        }
    }

    internal void DropExpired(IFirstSeenStore store) =>
        ExpiredBuckets.Drop(
            store,
            this,
            static (task, bucket) => task.IsExpired(bucket),
            PlantedBug.BucketDroppedEarly
        );
}
