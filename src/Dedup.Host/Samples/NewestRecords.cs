using Dedup.Audit.Logs;
using Dedup.Topology.Records;

namespace Dedup.Host.Samples;

/// <summary>The newest records of a topic, copied: for tools that show each of them.</summary>
internal static class NewestRecords
{
    // Markers of transactions take offsets: a producer that commits each record by itself leaves every second one to them.
    private const int OffsetsPerRecord = 4;
    private const int LeastOffsets = 64;

    /// <summary>Reads at most so many, evenly over the partitions, in order of partition and offset.</summary>
    public static List<SampleRecord> Read(ITopicLog log, int count, CancellationToken cancellation)
    {
        var records = new List<SampleRecord>();
        int holding = Enumerable
            .Range(0, log.Partitions)
            .Count(p => log.RangeOf(p).High > log.RangeOf(p).Low);
        for (int p = 0; p < log.Partitions && holding > 0; p++)
        {
            LogRange range = log.RangeOf(p);
            if (range.High == range.Low || records.Count >= count)
            {
                continue;
            }

            int wanted = Math.Max(1, (count - records.Count) / holding--);
            long from = Math.Max(
                range.Low,
                range.High - Math.Max(LeastOffsets, (long)wanted * OffsetsPerRecord)
            );
            using IRecordStream stream = log.Open(p, from, range.High, false, cancellation);
            records.AddRange(Last(stream, wanted));
        }

        return records;
    }

    private static Queue<SampleRecord> Last(IRecordStream stream, int wanted)
    {
        var last = new Queue<SampleRecord>(wanted + 1);
        while (stream.Next() is { } batch)
        {
            for (int i = Math.Max(0, batch.Count - wanted); i < batch.Count; i++)
            {
                if (last.Count == wanted)
                {
                    _ = last.Dequeue();
                }

                last.Enqueue(Copy(batch, i));
            }

            batch.Release();
        }

        return last;
    }

    private static SampleRecord Copy(RecordBatch batch, int index)
    {
        batch.Get(index, out RecordView record);
        var headers = new List<SampleHeader>();
        for (int i = 0; i < batch.HeaderCount(index); i++)
        {
            batch.GetHeader(
                index,
                i,
                out ReadOnlySpan<byte> name,
                out ReadOnlySpan<byte> value,
                out bool isNull
            );
            headers.Add(
                new SampleHeader(
                    System.Text.Encoding.UTF8.GetString(name),
                    isNull ? null : value.ToArray()
                )
            );
        }

        return new SampleRecord
        {
            Key = record.KeyIsNull ? null : record.Key.ToArray(),
            Value = record.ValueIsNull ? null : record.Value.ToArray(),
            Headers = headers,
            TimestampMs = record.TimestampMs,
            Partition = record.Partition,
            Offset = record.Offset,
        };
    }
}
