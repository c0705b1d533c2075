using Dedup.Kafka.Transport;
using Dedup.Topology.Ports;
using Dedup.Topology.Records;

namespace Dedup.Bench.Copy;

/// <summary>
/// The least that an exactly-once lane has to do: poll, forward, send offsets, commit; with the same transport, batch sizes,
/// and commit rule as the product's lane, and without identify, judge, store, changelog, restore.
/// </summary>
/// <remarks>Hot path: no object is made for a record.</remarks>
internal sealed class CopyLane(IRecordSource source, ITransactionalSink sink, int commitMs)
    : IAssignmentListener
{
    // As LaneOptions has them.
    private const int MaxPollRecords = 1024;
    private const int MaxRecords = 200_000;
    private const long MaxBytes = 64L << 20;
    private const int DrainLingerMs = 5;
    private const int IdlePollMs = 100;
    private const int TimeoutMs = 10_000;

    private readonly Dictionary<int, long> _next = [];
    private readonly Dictionary<int, long> _committed = [];
    private readonly List<int> _new = [];
    private readonly HashSet<int> _touched = [];
    private bool _isOpen;
    private int _records;
    private long _bytes;
    private long _openSince;
    private long _emptySince;
    private int _rewinds;

    /// <summary>Copies until asked to stop; then commits what is open.</summary>
    public void Run(CancellationToken stop)
    {
        Check(sink.Initialise(TimeoutMs));
        source.Subscribe(this);
        while (!stop.IsCancellationRequested)
        {
            int polled = Copy();
            Begin();
            if (_isOpen && IsTimeToCommit(polled))
            {
                Commit();
            }
        }

        Commit();
        source.Close();
    }

    public void OnAssigned(ReadOnlySpan<int> partitions) => _new.AddRange(partitions);

    public void OnRevoked(ReadOnlySpan<int> partitions)
    {
        Commit();
        foreach (int partition in partitions)
        {
            _ = _next.Remove(partition);
            _ = _committed.Remove(partition);
            _ = _new.Remove(partition);
        }
    }

    public void OnLost(ReadOnlySpan<int> partitions) =>
        throw new BenchException("the copy lost its partitions");

    public void OnFault(SourceFault fault, int partition, string detail)
    {
        if (fault != SourceFault.Transient)
        {
            throw new BenchException($"the copy cannot read: {fault}: {detail}");
        }
    }

    private int Copy()
    {
        int rewinds = _rewinds;
        RecordBatch batch = source.Poll(MaxPollRecords, _isOpen ? 1 : IdlePollMs);
        int count = batch.Count;
        int from = 0;
        // A rewind inside the poll: what it brought will be fetched again.
        while (from < count && rewinds == _rewinds)
        {
            int partition = batch.PartitionOf(from);
            int to = from + 1;
            while (to < count && batch.PartitionOf(to) == partition)
            {
                to++;
            }

            if (_next.ContainsKey(partition))
            {
                Forward(batch, partition, from, to);
            }

            from = to;
        }

        batch.Release();
        return count;
    }

    private void Forward(RecordBatch batch, int partition, int from, int to)
    {
        Open();
        for (int i = from; i < to; i++)
        {
            _bytes += batch.SizeOf(i);
            Check(
                sink.Forward(
                    SinkTopic.Clean,
                    partition,
                    batch,
                    i,
                    batch.TimestampOf(i),
                    added: null
                )
            );
        }

        _next[partition] = batch.OffsetOf(to - 1) + 1;
        _ = _touched.Add(partition);
        _records += to - from;
    }

    /// <summary>Partitions that were assigned begin at the committed offset; outside of the poll, as the product does it.</summary>
    private void Begin()
    {
        foreach (int partition in _new)
        {
            OffsetLookup committed = source.Committed(partition, TimeoutMs);
            if (committed.Status is LookupStatus.Pending or LookupStatus.Failed)
            {
                throw new BenchException($"the copy has no committed offset: {committed.Detail}");
            }

            long start = Math.Max(0, committed.Offset);
            _next[partition] = start;
            _committed[partition] = start;
            source.Seek(partition, start);
            source.Resume([partition]);
        }

        _new.Clear();
    }

    private void Open()
    {
        if (!_isOpen)
        {
            Check(sink.Begin());
            _isOpen = true;
            _records = 0;
            _bytes = 0;
            _openSince = Environment.TickCount64;
            _emptySince = -1;
        }
    }

    private bool IsTimeToCommit(int polled)
    {
        long now = Environment.TickCount64;
        if (now - _openSince >= commitMs || _records >= MaxRecords || _bytes >= MaxBytes)
        {
            return true;
        }

        if (polled > 0)
        {
            _emptySince = -1;
            return false;
        }

        _emptySince = _emptySince < 0 ? now : _emptySince;
        return IsAtKnownEnd() || now - _emptySince >= DrainLingerMs;
    }

    private bool IsAtKnownEnd()
    {
        foreach (int partition in _touched)
        {
            long end = source.KnownEnd(partition);
            if (end < 0 || _next[partition] < end)
            {
                return false;
            }
        }

        return true;
    }

    private void Commit()
    {
        if (!_isOpen)
        {
            return;
        }

        PartitionOffset[] offsets = new PartitionOffset[_touched.Count];
        int n = 0;
        foreach (int partition in _touched)
        {
            offsets[n++] = new PartitionOffset(partition, _next[partition]);
        }

        TxResult result = sink.SendOffsets(offsets, source.Membership, TimeoutMs);
        result = result.IsOk ? sink.Commit(TimeoutMs) : result;
        if (result.Outcome == TxOutcome.Abortable)
        {
            // A commit that races a rebalance.
            Rewind();
            return;
        }

        Check(result);
        foreach (int partition in _touched)
        {
            _committed[partition] = _next[partition];
        }

        _touched.Clear();
        _isOpen = false;
    }

    private void Rewind()
    {
        Check(sink.Abort(TimeoutMs));
        _rewinds++;
        foreach ((int partition, long offset) in _committed)
        {
            _next[partition] = offset;
            source.Seek(partition, offset);
        }

        _touched.Clear();
        _isOpen = false;
    }

    private static void Check(TxResult result)
    {
        if (!result.IsOk)
        {
            throw new BenchException(
                $"the copy's transaction failed: {result.Outcome}: {result.Detail}"
            );
        }
    }
}
