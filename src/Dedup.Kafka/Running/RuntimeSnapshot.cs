using System.Collections.Immutable;
using Dedup.Contracts.Identity;
using Dedup.Kafka.Lanes;
using Dedup.Kafka.Tasks;
using Dedup.Topology.Tenants;

namespace Dedup.Kafka.Running;

/// <summary>One partition as of the last look.</summary>
/// <param name="Partition">Input partition.</param>
/// <param name="State">State of its task.</param>
/// <param name="CommittedOffset">Next input offset, committed; -1 while it is not known.</param>
/// <param name="EndOffset">Known end of the input; -1 while it is not known.</param>
/// <param name="Consumed">Records consumed since the state was made.</param>
/// <param name="Clean">Records sent to clean.</param>
/// <param name="Duplicates">Duplicates suppressed.</param>
/// <param name="Quarantined">Records quarantined.</param>
/// <param name="LateDropped">Late records dropped.</param>
/// <param name="Late">Late records, wherever they went.</param>
/// <param name="Ids">IDs held.</param>
/// <param name="StoreBytes">Memory of the store.</param>
public readonly record struct PartitionSnapshot(
    int Partition,
    TaskState State,
    long CommittedOffset,
    long EndOffset,
    long Consumed,
    long Clean,
    long Duplicates,
    long Quarantined,
    long LateDropped,
    long Late,
    long Ids,
    long StoreBytes
)
{
    /// <summary>Usage by tenant; null where the scope has none, or nothing is known yet.</summary>
    public TenantsSnapshot? Tenants { get; init; }

    /// <summary>The tenant for whose rate the partition waits; null when it does not.</summary>
    public string? ThrottledBy { get; init; }
}

/// <summary>Usage by tenant in one partition.</summary>
/// <param name="Largest">The largest, at most a hundred.</param>
/// <param name="Others">All others together.</param>
/// <param name="HasUncounted">Whether there are so many tenants that quotas are judged too low for the smaller ones.</param>
public sealed record TenantsSnapshot(
    ImmutableArray<TenantUsage> Largest,
    TenantUsage Others,
    bool HasUncounted
);

/// <summary>One lane as of the last look.</summary>
/// <param name="Pipeline">Pipeline.</param>
/// <param name="Lane">Number.</param>
/// <param name="State">State.</param>
/// <param name="Failure">Why it failed, null otherwise.</param>
/// <param name="Transactions">Transactions committed since the start.</param>
/// <param name="Records">Records committed since the start.</param>
/// <param name="Partitions">Its partitions.</param>
public sealed record LaneSnapshot(
    string Pipeline,
    int Lane,
    LaneState State,
    string? Failure,
    long Transactions,
    long Records,
    ImmutableArray<PartitionSnapshot> Partitions
)
{
    /// <summary>Which part of the pipeline the lane does.</summary>
    public Topology.Pipelines.Hop Hop { get; init; }

    /// <summary>Reads usage by tenant. On the lane's thread.</summary>
    internal static TenantsSnapshot? TenantsOf(PartitionTask task)
    {
        if (!task.HasMarker || task.Judge.Tenants is not { } table)
        {
            return null;
        }

        (ImmutableArray<TenantUsage> largest, TenantUsage others) = table.Usage();
        return new TenantsSnapshot(largest, others, table.HasUncounted);
    }

    /// <summary>Reads a task. On the lane's thread.</summary>
    internal static PartitionSnapshot Of(PartitionTask task, long end)
    {
        if (!task.HasMarker)
        {
            return new PartitionSnapshot(
                task.Partition,
                task.State,
                -1,
                end,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0
            );
        }

        Topology.Ledger.PartitionLedger ledger = task.Judge.Ledger;
        return new PartitionSnapshot(
            task.Partition,
            task.State,
            task.CommittedOffset,
            end,
            ledger.Consumed,
            ledger.Of(Topology.Ledger.Destination.Clean),
            ledger.Of(Topology.Ledger.Destination.Duplicate),
            ledger.Of(Topology.Ledger.Destination.Quarantine),
            ledger.Of(Topology.Ledger.Destination.LateDropped),
            ledger.Of(Verdict.Late),
            task.Store?.Count ?? 0,
            task.Store?.MemoryBytes ?? 0
        )
        {
            ThrottledBy = task.Throttled?.Tenant,
        };
    }
}
