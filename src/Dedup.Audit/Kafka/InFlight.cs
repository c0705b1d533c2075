using Dedup.Audit.Logs;
using Dedup.Contracts.Rekey;
using Dedup.Topology.Records;

namespace Dedup.Audit.Kafka;

/// <summary>
/// Up to where a pipeline with by-id has judged its input: behind what the first hop has committed lie records on the
/// repartition topic that the second one has not judged yet, and those say which input records they are.
/// </summary>
internal static class InFlight
{
    /// <summary>Lowers the first hop's committed offsets to the first input record of each partition that is still on its way.</summary>
    /// <param name="rekeyed">Committed offsets of the first hop by input partition, taken before the log's ends were.</param>
    /// <param name="judged">Committed offsets of the second hop by partition of the repartition topic.</param>
    /// <param name="between">The repartition topic.</param>
    /// <param name="cancellation">Ends the reading.</param>
    public static void Lower(
        Dictionary<int, long> rekeyed,
        IReadOnlyDictionary<int, long> judged,
        ITopicLog between,
        CancellationToken cancellation
    )
    {
        for (int p = 0; p < between.Partitions; p++)
        {
            LogRange range = between.RangeOf(p);
            // What was deleted was judged before.
            long from = Math.Max(range.Low, judged.GetValueOrDefault(p));
            if (from >= range.High)
            {
                continue;
            }

            using IRecordStream stream = between.Open(
                p,
                from,
                range.High,
                waitForPending: false,
                cancellation
            );
            while (stream.Next() is { } batch)
            {
                for (int i = 0; i < batch.Count; i++)
                {
                    batch.Get(i, out RecordView record);
                    if (
                        RekeyEnvelope.TryRead(record.Key, out RekeyEnvelope envelope)
                        && rekeyed.TryGetValue(envelope.Partition, out long end)
                        && envelope.Offset < end
                    )
                    {
                        rekeyed[envelope.Partition] = envelope.Offset;
                    }
                }

                batch.Release();
            }
        }
    }
}
