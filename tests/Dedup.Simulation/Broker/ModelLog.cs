using Dedup.Simulation.Worlds;
using Dedup.Topology.Ports;

namespace Dedup.Simulation.Broker;

/// <summary>The log of one partition, as its leader holds it.</summary>
public sealed class ModelLog
{
    private readonly World _world;
    private readonly List<LogEntry> _entries = [];
    private readonly List<LogEntry> _archive = [];
    private readonly Dictionary<long, OpenTransaction> _open = [];
    private readonly Dictionary<long, short> _epochs = [];

    /// <summary>Makes an empty log.</summary>
    public ModelLog(World world, ModelTopic topic, int partition)
    {
        _world = world;
        Topic = topic;
        Partition = partition;
    }

    /// <summary>The topic.</summary>
    public ModelTopic Topic { get; }

    /// <summary>The partition's number.</summary>
    public int Partition { get; }

    /// <summary>First offset that exists: moved by retention and DeleteRecords, not by compaction.</summary>
    public long StartOffset { get; private set; }

    /// <summary>Offset that the next record gets.</summary>
    public long EndOffset { get; private set; }

    /// <summary>Offsets below it are on all in-sync replicas; consumers see nothing above it.</summary>
    public long HighWatermark { get; private set; }

    /// <summary>Until when the partition has no leader.</summary>
    public long UnavailableUntilMs { get; set; }

    /// <summary>What lies in the log; offsets rise, with holes where the cleaner was.</summary>
    public IReadOnlyList<LogEntry> Entries => _entries;

    /// <summary>
    /// All that was ever appended: what somebody outside has who reads from the beginning and keeps everything. For checkers.
    /// </summary>
    public IReadOnlyList<LogEntry> Archive => _archive;

    /// <summary>Number of changes, so that a reader knows whether to look again.</summary>
    public long Version { get; private set; }

    /// <summary>
    /// Last stable offset: the first offset of the oldest open transaction, else the high watermark
    /// (UnifiedLog.fetchLastStableOffsetMetadata).
    /// </summary>
    public long LastStableOffset
    {
        get
        {
            long lso = HighWatermark;
            foreach (OpenTransaction open in _open.Values)
            {
                lso = Math.Min(lso, open.FirstOffset);
            }

            return lso;
        }
    }

    /// <summary>Bounds as ListOffsets tells them.</summary>
    public LogBounds Bounds => new(StartOffset, HighWatermark, LastStableOffset);

    /// <summary>Whether there is a leader to talk to.</summary>
    public bool IsAvailable => _world.NowMs >= UnavailableUntilMs;

    /// <summary>Appends a record of a producer without transactions (acks=all).</summary>
    public long AppendPlain(ModelRecord record) =>
        Append(record, EntryKind.Data, EntryState.Plain, -1, 0, null).Offset;

    /// <summary>
    /// Appends a record of a transaction. The caller has verified at the coordinator that the transaction is open and has
    /// this partition (KIP-890 part 1: the broker does so for every first append); an epoch older than one that this log
    /// has seen is refused (ProducerAppendInfo.checkProducerEpoch → INVALID_PRODUCER_EPOCH).
    /// </summary>
    public BrokerError AppendTransactional(
        ModelRecord record,
        long producerId,
        short epoch,
        string writer
    )
    {
        if (_epochs.TryGetValue(producerId, out short known) && epoch < known)
        {
            return BrokerError.ProducerFenced;
        }

        if (record.Size > Topic.MaxMessageBytes)
        {
            return BrokerError.TooLarge;
        }

        if (!Topic.AcceptsTimestamp(record.TimestampMs, ModelTime.EpochMs + _world.NowMs))
        {
            return BrokerError.InvalidTimestamp;
        }

        _epochs[producerId] = epoch;
        LogEntry entry = Append(record, EntryKind.Data, EntryState.Open, producerId, epoch, writer);
        if (!_open.TryGetValue(producerId, out OpenTransaction? open))
        {
            _open[producerId] = open = new OpenTransaction(entry.Offset);
        }

        open.Entries.Add(entry);
        return BrokerError.None;
    }

    /// <summary>
    /// WriteTxnMarkers: a control record takes an offset, ends the producer's open transaction in this log, and carries the
    /// epoch that fences late writes (ProducerStateManager.completeTxn). A marker without an open transaction is written all
    /// the same, as the coordinator sends it for every partition that was added.
    /// </summary>
    public void AppendMarker(long producerId, short epoch, bool commit)
    {
        EntryKind kind = commit ? EntryKind.CommitMarker : EntryKind.AbortMarker;
        LogEntry marker = Append(null, kind, EntryState.Plain, producerId, epoch, null);
        _epochs[producerId] = Math.Max(epoch, _epochs.GetValueOrDefault(producerId, epoch));
        if (_open.Remove(producerId, out OpenTransaction? open))
        {
            foreach (LogEntry entry in open.Entries)
            {
                entry.State = commit ? EntryState.Committed : EntryState.Aborted;
            }
        }

        _world.Trace.Mix(Point.LogMarker, Topic.Number, Partition, marker.Offset);
        if (_world.Trace.On)
        {
            string what =
                $"{Topic.Name}/{Partition} @{marker.Offset} {kind} pid {producerId} epoch {epoch}";
            _world.Trace.Line(_world.NowMs, "log", what);
        }
    }

    /// <summary>Index of the first entry at or behind an offset.</summary>
    public int IndexOf(long offset)
    {
        int low = 0;
        int high = _entries.Count;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (_entries[middle].Offset < offset)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }

    /// <summary>
    /// First offset whose record is at or after a time; the high watermark when there is none (ListOffsets answers -1, which
    /// the client turns into the end).
    /// </summary>
    public long OffsetAt(long timestampMs)
    {
        foreach (LogEntry entry in _entries)
        {
            if (
                entry.Kind == EntryKind.Data
                && entry.Offset < HighWatermark
                && entry.Record!.TimestampMs >= timestampMs
            )
            {
                return entry.Offset;
            }
        }

        return HighWatermark;
    }

    /// <summary>Retention or DeleteRecords: the log begins later. Never beyond the high watermark.</summary>
    public void DeleteBefore(long offset)
    {
        offset = Math.Min(offset, HighWatermark);
        if (offset <= StartOffset)
        {
            return;
        }

        StartOffset = offset;
        _entries.RemoveRange(0, IndexOf(offset));
        Version++;
        _world.Trace.Mix(Point.LogDelete, Topic.Number, Partition, offset);
        if (_world.Trace.On)
        {
            _world.Trace.Line(
                _world.NowMs,
                "log",
                $"{Topic.Name}/{Partition} now begins at {offset}"
            );
        }
    }

    /// <summary>
    /// The log cleaner up to an offset, never past the last stable one (LogCleanerManager.cleanableOffsets): keeps the last
    /// record of each key, drops aborted records, drops a tombstone only when delete.retention.ms has passed since a cleaning
    /// first met it. Offsets stay; the log's start does not move. Control records are kept: dropping them late is allowed.
    /// </summary>
    public void Compact(long upTo)
    {
        long end = Math.Min(upTo, LastStableOffset);
        var last = new Dictionary<string, long>();
        foreach (LogEntry entry in _entries)
        {
            if (entry.Offset < end && entry.IsVisible && entry.Record!.Key is { } key)
            {
                last[Convert.ToBase64String(key)] = entry.Offset;
            }
        }

        int removed = _entries.RemoveAll(entry => entry.Offset < end && !IsKept(entry, last));
        Version++;
        _world.Trace.Mix(Point.LogCompact, Topic.Number, Partition, removed);
        if (_world.Trace.On)
        {
            _world.Trace.Line(
                _world.NowMs,
                "log",
                $"{Topic.Name}/{Partition} cleaned below {end}: {removed} removed"
            );
        }
    }

    private bool IsKept(LogEntry entry, Dictionary<string, long> last)
    {
        if (entry.Kind != EntryKind.Data)
        {
            return true;
        }

        if (
            !entry.IsVisible
            || entry.Record!.Key is not { } key
            || last[Convert.ToBase64String(key)] != entry.Offset
        )
        {
            return false;
        }

        if (entry.Record.Value is not null)
        {
            return true;
        }

        if (entry.DeleteHorizonMs < 0)
        {
            entry.DeleteHorizonMs = _world.NowMs + Topic.DeleteRetentionMs;
        }

        return _world.NowMs < entry.DeleteHorizonMs;
    }

    private LogEntry Append(
        ModelRecord? record,
        EntryKind kind,
        EntryState state,
        long producerId,
        short epoch,
        string? writer
    )
    {
        var entry = new LogEntry
        {
            Offset = EndOffset++,
            Kind = kind,
            Record = record,
            ProducerId = producerId,
            Epoch = epoch,
            Writer = writer,
            AppendedMs = _world.NowMs,
            State = state,
        };
        _entries.Add(entry);
        _archive.Add(entry);
        Version++;
        _world.Trace.Mix(
            Point.LogAppend,
            (Topic.Number * 64L) + Partition,
            entry.Offset,
            record?.TimestampMs ?? -2
        );
        if (record is not null)
        {
            _world.Trace.Mix(Point.LogAppend, record.Value ?? []);
        }

        Replicate(entry.Offset + 1);
        return entry;
    }

    /// <summary>
    /// acks=all: the record counts once the followers have it. Until then it is above the high watermark; with
    /// <see cref="ModelTopic.ReplicationLagMs"/> that takes a while. Producers wait for it before they commit.
    /// </summary>
    private void Replicate(long upTo)
    {
        long lagMs = Topic.ReplicationLagMs;
        if (lagMs == 0 && HighWatermark == upTo - 1)
        {
            HighWatermark = upTo;
            return;
        }

        _world.After(
            lagMs,
            () =>
            {
                HighWatermark = Math.Max(HighWatermark, upTo);
                Version++;
            }
        );
    }

    private sealed class OpenTransaction(long firstOffset)
    {
        public long FirstOffset { get; } = firstOffset;

        public List<LogEntry> Entries { get; } = [];
    }
}
