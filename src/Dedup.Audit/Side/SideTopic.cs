using System.Text;
using Dedup.Audit.Contents;
using Dedup.Audit.Logs;
using Dedup.Audit.Spill;
using Dedup.Topology.Records;

namespace Dedup.Audit.Side;

/// <summary>The quarantine or the duplicates topic, read whole and filed by the input partition that its records name.</summary>
internal sealed class SideTopic : IDisposable
{
    private readonly BucketStore<SideEntry> _entries;
    private readonly bool _isQuarantine;

    private SideTopic(
        ITopicLog log,
        int inputPartitions,
        long memoryBytes,
        SpillFile file,
        bool isQuarantine
    )
    {
        Topic = log.Topic;
        _isQuarantine = isQuarantine;
        _entries = new BucketStore<SideEntry>(
            inputPartitions,
            new BlockPool<SideEntry> { MemoryBytes = memoryBytes },
            file
        );
    }

    /// <summary>Name of the topic.</summary>
    public string Topic { get; }

    /// <summary>Whether records were deleted from it, so that a missing one proves nothing.</summary>
    public bool HasLostBeginning { get; private set; }

    /// <summary>Records read.</summary>
    public long Read { get; private set; }

    /// <summary>Records that do not say where they came from.</summary>
    public long WithoutSource { get; private set; }

    /// <summary>Reads the topic.</summary>
    public static SideTopic Load(
        ITopicLog log,
        string inputTopic,
        int inputPartitions,
        bool isQuarantine,
        long memoryBytes,
        SpillFile file,
        Action<long> advanced,
        CancellationToken cancellation
    )
    {
        var side = new SideTopic(log, inputPartitions, memoryBytes, file, isQuarantine);
        byte[] source = Encoding.UTF8.GetBytes(inputTopic);
        for (int p = 0; p < log.Partitions; p++)
        {
            LogRange range = log.RangeOf(p);
            side.HasLostBeginning |= range.Low > 0 || log.IsCompacted;
            using IRecordStream stream = log.Open(
                p,
                range.Low,
                range.High,
                waitForPending: true,
                cancellation
            );
            long before = range.Low;
            while (stream.Next() is { } batch)
            {
                side.Take(batch, source, inputPartitions);
                advanced(stream.Position - before);
                before = stream.Position;
            }

            advanced(range.High - before);
            side.HasLostBeginning |= !stream.IsComplete;
        }

        return side;
    }

    /// <summary>Its records that name this input partition, by source offset.</summary>
    public SideEntry[] Of(int inputPartition)
    {
        SideEntry[] entries = new SideEntry[_entries.Count(inputPartition)];
        _ = _entries.Read(inputPartition, ref entries);
        _entries.Clear(inputPartition);
        entries
            .AsSpan()
            .Sort(
                static (a, b) =>
                {
                    int order = a.SourceOffset.CompareTo(b.SourceOffset);
                    order = order != 0 ? order : a.OwnPartition.CompareTo(b.OwnPartition);
                    return order != 0 ? order : a.OwnOffset.CompareTo(b.OwnOffset);
                }
            );
        return entries;
    }

    public void Dispose() => _entries.Dispose();

    private void Take(RecordBatch batch, ReadOnlySpan<byte> source, int inputPartitions)
    {
        for (int i = 0; i < batch.Count; i++)
        {
            batch.Get(i, out RecordView record);
            Read++;
            SideHeaders headers = SideHeaders.Of(record);
            if (!headers.HasSource)
            {
                WithoutSource++;
                continue;
            }

            if (
                !headers.SourceTopic.SequenceEqual(source)
                || headers.SourcePartition >= inputPartitions
            )
            {
                continue;
            }

            var entry = new SideEntry
            {
                SourceOffset = headers.SourceOffset,
                FirstPartition = headers.FirstPartition,
                FirstOffset = headers.FirstOffset,
                OwnTimestampMs = record.TimestampMs,
                OwnOffset = record.Offset,
                OwnPartition = record.Partition,
                Reason = headers.Reason,
                IsWithoutPayload = _isQuarantine && headers.IsWithoutPayload && headers.Own == 0,
            };
            RecordContents.Of(record, headers.Own, out entry.Contents);
            if (_isQuarantine)
            {
                // Quarantined records carry the time of quarantine, and their own in a header.
                entry.Contents.TimestampMs = headers.SourceTimestampMs ?? long.MinValue;
            }

            _entries.Add(headers.SourcePartition, entry);
        }

        batch.Release();
    }
}
