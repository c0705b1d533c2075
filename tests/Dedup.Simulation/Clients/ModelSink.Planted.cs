using Dedup.Simulation.Broker;
using Dedup.Simulation.Worlds;
using Dedup.Topology.Ports;
using Dedup.Topology.Proof;

namespace Dedup.Simulation.Clients;

/// <summary>Bugs of a transport, planted here because the real one is not part of the simulation.</summary>
public sealed partial class ModelSink
{
    private readonly SortedDictionary<int, long> _everSent = [];

    /// <summary>Changes a record on its way; true when it is left out.</summary>
    private static bool PlantIntoRecord(SinkTopic topic, long offset, ref ModelRecord record)
    {
        switch (Planted.Current)
        {
            case PlantedBug.RecordSkipped:
                return topic == SinkTopic.Clean && offset % 61 == 60;
            case PlantedBug.TimestampReplaced when topic == SinkTopic.Clean:
                record = Copy(record, record.Value, record.Headers, ModelTime.EpochMs + 1);
                break;
            case PlantedBug.NullHeaderDropped:
                ModelHeader[] left = [.. record.Headers.Where(static h => h.Value is not null)];
                record = Copy(record, record.Value, left, record.TimestampMs);
                break;
            case PlantedBug.TombstoneAsEmpty:
                record = Copy(record, record.Value ?? [], record.Headers, record.TimestampMs);
                break;
            default:
                break;
        }

        return false;
    }

    private static ModelRecord Copy(
        ModelRecord record,
        byte[]? value,
        ModelHeader[] headers,
        long timestampMs
    ) =>
        new()
        {
            Key = record.Key,
            Value = value,
            Headers = headers,
            TimestampMs = timestampMs,
        };

    /// <summary>A record changes places with the one before it that waits.</summary>
    private static void PlantIntoOrder(
        SinkTopic topic,
        Queue<ModelRecord> queue,
        ref ModelRecord record
    )
    {
        if (Planted.Is(PlantedBug.SwappedRecords) && topic == SinkTopic.Clean && queue.Count == 1)
        {
            ModelRecord before = queue.Dequeue();
            queue.Enqueue(record);
            record = before;
        }
    }

    private PartitionOffset[] PlantIntoOffsets(PartitionOffset[] offsets)
    {
        switch (Planted.Current)
        {
            case PlantedBug.OffsetsOneLow:
                return
                [
                    .. offsets.Select(static o => o with { Offset = Math.Max(0, o.Offset - 1) }),
                ];
            case PlantedBug.OffsetsOneHigh:
                return [.. offsets.Select(static o => o with { Offset = o.Offset + 1 })];
            case PlantedBug.OffsetsOfRevokedSent:
                foreach (PartitionOffset offset in offsets)
                {
                    _everSent[offset.Partition] = offset.Offset;
                }

                return
                [
                    .. _everSent.Select(static pair => new PartitionOffset(pair.Key, pair.Value)),
                ];
            default:
                return offsets;
        }
    }
}
