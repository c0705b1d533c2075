using Dedup.Audit.Logs;
using Dedup.Contracts.Changelog;
using Dedup.Topology.Records;

namespace Dedup.Audit.Ledger;

/// <summary>Finds the last marker of a changelog partition, from its end: each transaction writes one.</summary>
internal static class MarkerReader
{
    /// <summary>A transaction writes a handful of records to a changelog partition.</summary>
    private const long FirstStretch = 256;

    /// <summary>The last marker; null when there is none.</summary>
    public static Marker? Last(ITopicLog changelog, int partition, CancellationToken cancellation)
    {
        LogRange range = changelog.RangeOf(partition);
        long end = range.High;
        for (long stretch = FirstStretch; end > range.Low; stretch *= 4)
        {
            long from = Math.Max(range.Low, end - stretch);
            if (Last(changelog, partition, from, end, cancellation) is { } marker)
            {
                return marker;
            }

            end = from;
        }

        return null;
    }

    private static Marker? Last(
        ITopicLog changelog,
        int partition,
        long from,
        long to,
        CancellationToken cancellation
    )
    {
        Marker? last = null;
        using IRecordStream stream = changelog.Open(partition, from, to, false, cancellation);
        while (stream.Next() is { } batch)
        {
            for (int i = 0; i < batch.Count; i++)
            {
                batch.Get(i, out RecordView record);
                if (MarkerCodec.IsMarkerKey(record.Key) && !record.ValueIsNull)
                {
                    last =
                        MarkerCodec.TryRead(record.Value)
                        ?? throw new AuditException(
                            $"the marker at {changelog.Topic}-{partition} offset {record.Offset} cannot be read: it is damaged, or of a newer version of Dedup"
                        );
                }
            }

            batch.Release();
        }

        return last;
    }
}
