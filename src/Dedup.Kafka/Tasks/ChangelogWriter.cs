using System.Buffers;
using System.Collections.Immutable;
using Dedup.Contracts.Changelog;
using Dedup.Topology.Ports;
using Dedup.Topology.Proof;

namespace Dedup.Kafka.Tasks;

/// <summary>
/// Writes what a transaction changes of one partition into the changelog: the marker first (so that a pending transaction
/// names its writer to whoever takes over), then the new IDs as chunks, then tombstones for chunks of expired buckets.
/// </summary>
/// <remarks>One for each lane; its buffers are reused from partition to partition.</remarks>
internal sealed class ChangelogWriter
{
    private readonly int _maxChunkBytes;
    private readonly int _maxTombstones;
    private readonly List<(ChunkKey Key, int Start, int Length)> _chunks = [];
    private readonly List<BucketId> _buckets = [];
    private readonly ArrayBufferWriter<byte> _marker = new(1024);
    private byte[] _bytes = new byte[64 << 10];

    public ChangelogWriter(int maxChunkBytes, int maxTombstones)
    {
        _maxChunkBytes = maxChunkBytes;
        _maxTombstones = maxTombstones;
    }

    /// <summary>Sends the records and gives the marker that will hold when the transaction commits.</summary>
    public TxResult Write(
        PartitionTask task,
        string writer,
        ITransactionalSink sink,
        long nowMs,
        out Marker pending,
        out int tombstones
    )
    {
        ReadOnlySpan<NewEntry> entries = task.Judge.Overlay.Entries;
        var table = task.Marker.Buckets.ToDictionary(static b => b.Id);
        PackChunks(entries, table);
        List<ChunkKey> dead = PlanTombstones(task, table);
        tombstones = dead.Count;
        pending = task.Marker with
        {
            InputOffset = task.NextOffset + (Planted.Is(PlantedBug.MarkerOneHigh) ? 1 : 0),
            Writer = writer,
            Classes = task.Judge.Clocks.Pending(table.Values),
            Buckets = [.. table.Values.OrderBy(static b => b.Id)],
            Counts = task.Judge.Ledger.Pending(),
            Sources = task.Judge.PendingSources,
            Usage = task.Judge.Tenants?.Pending(),
        };
        TxResult result = SendMarker(task.Partition, pending, sink, nowMs);
        return result.IsOk ? SendChunks(task.Partition, dead, sink, nowMs) : result;
    }

    /// <summary>Sends the last marker once more: see <c>Lane.Enter</c>.</summary>
    public TxResult WriteOpening(PartitionTask task, ITransactionalSink sink, long nowMs) =>
        SendMarker(task.Partition, task.Marker, sink, nowMs);

    private TxResult SendMarker(int partition, Marker marker, ITransactionalSink sink, long nowMs)
    {
        _marker.ResetWrittenCount();
        MarkerCodec.Write(marker, _marker);
        return sink.Send(
            SinkTopic.Changelog,
            partition,
            MarkerCodec.Key,
            _marker.WrittenSpan,
            isTombstone: false,
            nowMs,
            added: null
        );
    }

    private TxResult SendChunks(
        int partition,
        List<ChunkKey> dead,
        ITransactionalSink sink,
        long nowMs
    )
    {
        Span<byte> key = stackalloc byte[ChunkKey.Size];
        if (Planted.Is(PlantedBug.LastChunkLost) && _chunks.Count > 1)
        {
            _chunks.RemoveAt(_chunks.Count - 1);
        }

        foreach ((ChunkKey Key, int Start, int Length) chunk in _chunks)
        {
            chunk.Key.Write(key);
            TxResult result = sink.Send(
                SinkTopic.Changelog,
                partition,
                key,
                _bytes.AsSpan(chunk.Start, chunk.Length),
                isTombstone: false,
                nowMs,
                added: null
            );
            if (!result.IsOk)
            {
                return result;
            }
        }

        foreach (ChunkKey chunk in dead)
        {
            chunk.Write(key);
            TxResult result = sink.Send(
                SinkTopic.Changelog,
                partition,
                key,
                [],
                isTombstone: true,
                nowMs,
                added: null
            );
            if (!result.IsOk)
            {
                return result;
            }
        }

        return TxResult.Ok;
    }

    /// <summary>
    /// One pass over the entries for each bucket: there are one or two in all but rare transactions, so that sorting would
    /// cost more.
    /// </summary>
    private void PackChunks(
        ReadOnlySpan<NewEntry> entries,
        Dictionary<BucketId, MarkerBucket> table
    )
    {
        _chunks.Clear();
        _buckets.Clear();
        bool tags = false;
        bool fingerprints = false;
        foreach (ref readonly NewEntry entry in entries)
        {
            tags |= entry.Entry.ScopeTag != 0;
            fingerprints |= entry.Entry.Fingerprint != 0;
            if (
                _buckets.Count == 0
                || (_buckets[^1] != entry.Bucket && !_buckets.Contains(entry.Bucket))
            )
            {
                _buckets.Add(entry.Bucket);
            }
        }

        int used = 0;
        foreach (BucketId bucket in _buckets)
        {
            int next = 0;
            while (next < entries.Length)
            {
                if (_bytes.Length - used < _maxChunkBytes)
                {
                    Array.Resize(ref _bytes, (_bytes.Length * 2) + _maxChunkBytes);
                }

                var chunk = new ChunkWriter(
                    _bytes.AsSpan(used, _maxChunkBytes),
                    entries[next].Entry.SeenMs,
                    tags,
                    fingerprints
                );
                while (next < entries.Length)
                {
                    ref readonly NewEntry entry = ref entries[next];
                    if (entry.Bucket == bucket && !chunk.TryAdd(entry.Key, entry.Entry))
                    {
                        break;
                    }

                    next++;
                }

                if (chunk.Count == 0)
                {
                    break;
                }

                MarkerBucket row = table.GetValueOrDefault(bucket, new MarkerBucket(bucket, 0, 0));
                _chunks.Add((new ChunkKey(bucket, row.NextSequence), used, chunk.Length));
                bool again = Planted.Is(PlantedBug.SequenceUsedTwice);
                table[bucket] = row with { NextSequence = row.NextSequence + (again ? 0 : 1) };
                used += chunk.Length;
            }
        }
    }

    /// <summary>
    /// Chunks of buckets that were expired at the last commit. The clock of the open transaction must not count: it may be
    /// aborted. A bucket leaves the table when its last chunk has its tombstone.
    /// </summary>
    private List<ChunkKey> PlanTombstones(
        PartitionTask task,
        Dictionary<BucketId, MarkerBucket> table
    )
    {
        List<ChunkKey> dead = [];
        foreach (MarkerBucket bucket in task.Marker.Buckets)
        {
            bool early = Planted.Is(PlantedBug.ChunkTombstonedEarly) && bucket.NextSequence > 2;
            if (dead.Count >= _maxTombstones || !(task.IsExpired(bucket.Id) || early))
            {
                continue;
            }

            long from = bucket.TombstonedBelow;
            long to = Math.Min(bucket.NextSequence, from + _maxTombstones - dead.Count);
            for (long sequence = from; sequence < to; sequence++)
            {
                dead.Add(new ChunkKey(bucket.Id, sequence));
            }

            if (to == bucket.NextSequence)
            {
                _ = table.Remove(bucket.Id);
            }
            else
            {
                table[bucket.Id] = bucket with { TombstonedBelow = to };
            }
        }

        return dead;
    }
}
