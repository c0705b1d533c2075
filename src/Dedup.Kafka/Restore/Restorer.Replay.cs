using Dedup.Contracts.Changelog;
using Dedup.Contracts.Identity;
using Dedup.Kafka.Tasks;
using Dedup.Topology.Judge;
using Dedup.Topology.Ports;
using Dedup.Topology.Proof;
using Dedup.Topology.Records;
using Dedup.Topology.Windows;

namespace Dedup.Kafka.Restore;

/// <content>What a record of the changelog does to the store.</content>
internal sealed partial class Restorer
{
    /// <summary>Entries given to the store at once: their array stays in the cache.</summary>
    private const int ApplyBatch = 1024;

    private readonly NewEntry[] _entries = new NewEntry[ApplyBatch];

    private void Apply(PartitionTask task, RestoreProgress progress, in RecordView record)
    {
        if (MarkerCodec.IsMarkerKey(record.Key))
        {
            progress.Marker = MarkerCodec.TryRead(record.Value) ?? throw Unreadable(record);
            return;
        }

        if (record.ValueIsNull)
        {
            return;
        }

        if (!ChunkKey.TryRead(record.Key, out ChunkKey key))
        {
            throw Unreadable(record);
        }

        var reader = new ChunkReader(record.Value);
        int count = 0;
        while (reader.TryNext(out EventKey id, out SeenEntry entry))
        {
            _entries[count++] = new NewEntry(id, entry, key.Bucket);
            if (count == ApplyBatch)
            {
                Add(task, progress, count, record.Offset);
                count = 0;
            }
        }

        if (reader.IsCorrupt)
        {
            throw Unreadable(record);
        }

        Add(task, progress, count, record.Offset);
    }

    private void Add(PartitionTask task, RestoreProgress progress, int count, long offset)
    {
        IFirstSeenStore store = task.Store!;
        if (store.IsFull)
        {
            store.WaitForSeal();
        }

        store.Add(_entries.AsSpan(0, count));
        progress.Ids += count;
        if (store.WantsSeal)
        {
            DropPassed(store, progress.Marker);
            // This record may be cut in two: it is the floor itself, and replayed as a whole.
            long floor = Planted.Is(PlantedBug.ReplaySealsTooHigh) ? offset + 2 : offset;
            store.BeginSeal(new StoreHeader(progress.Marker ?? _start.NewState(), floor));
        }
    }

    /// <summary>
    /// A changelog that compaction has not been over for a while holds every bucket that there ever was, where a window is
    /// short: thousands. None that had expired by a marker already passed goes to disk, where each would be a column family
    /// made and dropped again. By the marker's own arithmetic: clocks only grow, so that the end of the replay would drop it too.
    /// </summary>
    private static void DropPassed(IFirstSeenStore store, Marker? marker)
    {
        if (marker is null || Planted.Is(PlantedBug.ReplayKeepsPassed))
        {
            return;
        }

        ExpiredBuckets.Drop(store, marker, HasPassed, PlantedBug.ReplayDropsEarly);
    }

    private static bool HasPassed(Marker marker, BucketId bucket)
    {
        foreach (MarkerClass c in marker.Classes)
        {
            if (c.Id == bucket.Class)
            {
                return c.ClockMs != WindowClocks.Unset
                    && WindowClass.Of(c).IsExpired(bucket, c.ClockMs);
            }
        }

        return false;
    }

    private DisagreementException Unreadable(in RecordView record) =>
        new(
            $"{spec.Changelog}-{record.Partition}: the record at offset {record.Offset} is neither a chunk nor a marker that this version can read; state cannot be restored from it. Run the version that wrote it, or one that is newer."
        );
}
