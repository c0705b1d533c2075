using Dedup.Audit.Contents;
using Dedup.Audit.Spill;
using Dedup.Contracts.Identity;
using Dedup.Topology.Identify;
using Dedup.Topology.Records;

namespace Dedup.Audit.Intake;

/// <summary>Takes in the records of one clean partition and files them by ID.</summary>
/// <remarks>Hot path: no allocation per record.</remarks>
internal sealed class CleanIntake(
    PartitionScope scope,
    AuditRules rules,
    SipHash hash,
    BucketStore<CleanEntry> store,
    ById.RouteOrder? order = null
)
{
    /// <summary>The hash by which the first hop of by-id chooses a partition.</summary>
    private static readonly SipHash Unkeyed = new(0, 0);

    private readonly IdScratch _scratch = new();
    private readonly int _mask = store.Buckets - 1;

    /// <summary>Records taken in.</summary>
    public long Read { get; private set; }

    /// <summary>Takes a batch in and releases it.</summary>
    public void Take(RecordBatch batch)
    {
        for (int i = 0; i < batch.Count; i++)
        {
            batch.Get(i, out RecordView record);
            var entry = new CleanEntry { Position = scope.CleanPosition(record.Offset) };
            RecordContents.Of(record, out entry.Contents);
            rules.Recipe.Identify(record, _scratch, hash, out Identified identified);
            entry.Id =
                identified.Reason == Reason.None
                    ? identified.Key
                    : InputIntake.NameOf(entry.Contents);
            if (order is not null && identified.Reason == Reason.None)
            {
                order.Note(entry.Position, Unkeyed.Hash(_scratch.Frame));
            }

            store.Add(InputIntake.BucketOf(entry.Id, _mask), entry);
        }

        Read += batch.Count;
        batch.Release();
    }
}
