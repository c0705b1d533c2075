using Dedup.Simulation.Chance;
using Dedup.Simulation.Worlds;
using Dedup.Topology.Proof;

namespace Dedup.Simulation.Broker;

/// <summary>States of a transactional.id (TransactionState in Kafka).</summary>
/// <remarks>
/// <code>
/// Empty ─▶ Ongoing ─▶ PrepareCommit ─▶ CompleteCommit ─┐
///             │  └──▶ PrepareAbort  ─▶ CompleteAbort  ─┤
///             ▲────────────────────────────────────────┘
/// </code>
/// </remarks>
public enum TransactionState : byte
{
    /// <summary>No transaction yet under this epoch.</summary>
    Empty,

    /// <summary>Partitions have been added.</summary>
    Ongoing,

    /// <summary>Decided: commit. It happens, whatever comes; the markers are being written.</summary>
    PrepareCommit,

    /// <summary>Decided: abort; the markers are being written.</summary>
    PrepareAbort,

    /// <summary>All commit markers are in.</summary>
    CompleteCommit,

    /// <summary>All abort markers are in.</summary>
    CompleteAbort,
}

/// <summary>What the coordinator knows of a transactional.id.</summary>
public sealed class TransactionEntry
{
    internal TransactionEntry(string id) => Id = id;

    /// <summary>transactional.id.</summary>
    public string Id { get; }

    /// <summary>Producer id.</summary>
    public long ProducerId { get; internal set; } = -1;

    /// <summary>Epoch that may write.</summary>
    public short Epoch { get; internal set; } = -1;

    /// <summary>State.</summary>
    public TransactionState State { get; internal set; }

    /// <summary>transaction.timeout.ms as the producer asked for it.</summary>
    public int TimeoutMs { get; internal set; }

    /// <summary>When the transaction began at the coordinator.</summary>
    public long StartMs { get; internal set; }

    internal SortedSet<(string Topic, int Partition)> Partitions { get; } = [];

    internal SortedSet<string> Groups { get; } = new(StringComparer.Ordinal);

    internal int MarkersLeft { get; set; }

    internal bool IsPreparing =>
        State is TransactionState.PrepareCommit or TransactionState.PrepareAbort;
}

/// <summary>
/// The transaction coordinator (TransactionCoordinator.scala). Its log is taken as durable: a coordinator that moves comes
/// back with the same state, and is only out of reach meanwhile.
/// </summary>
public sealed class TransactionCoordinator
{
    private readonly SortedDictionary<string, TransactionEntry> _entries = new(
        StringComparer.Ordinal
    );
    private readonly ModelCluster _cluster;
    private long _nextProducerId = 1000;

    internal TransactionCoordinator(ModelCluster cluster) => _cluster = cluster;

    /// <summary>Until when it is out of reach.</summary>
    public long UnavailableUntilMs { get; set; }

    /// <summary>Highest epoch of a producer id; Kafka's is 32,766, a simulation wants to see the end of it.</summary>
    public short MaxEpoch { get; set; } = short.MaxValue - 1;

    /// <summary>All transactional.ids.</summary>
    public IReadOnlyDictionary<string, TransactionEntry> Entries => _entries;

    /// <summary>Whether it answers.</summary>
    public bool IsAvailable => World.NowMs >= UnavailableUntilMs;

    private World World => _cluster.World;

    /// <summary>
    /// InitProducerId without a previous epoch. An open transaction is aborted under a bumped epoch, which fences its
    /// producer at once, and the caller is told CONCURRENT_TRANSACTIONS until that is complete
    /// (TransactionCoordinator.prepareInitProducerIdTransit); so is it while a decided one is being completed.
    /// </summary>
    public BrokerError InitProducerId(
        string id,
        int timeoutMs,
        out long producerId,
        out short epoch
    )
    {
        producerId = -1;
        epoch = -1;
        if (!IsAvailable)
        {
            return BrokerError.CoordinatorUnavailable;
        }

        if (!_entries.TryGetValue(id, out TransactionEntry? entry))
        {
            _entries[id] = entry = new TransactionEntry(id);
        }

        if (entry.IsPreparing)
        {
            return BrokerError.ConcurrentTransactions;
        }

        if (entry.State == TransactionState.Ongoing)
        {
            BumpEpoch(entry);
            Prepare(entry, commit: false);
            return BrokerError.ConcurrentTransactions;
        }

        if (!Planted.Is(PlantedBug.EpochNotBumped) || entry.ProducerId < 0)
        {
            BumpEpoch(entry);
        }

        entry.TimeoutMs = timeoutMs;
        entry.State = TransactionState.Empty;
        producerId = entry.ProducerId;
        epoch = entry.Epoch;
        World.Trace.Mix(Point.TxnInit, producerId, epoch);
        Note(entry, "InitProducerId");
        return BrokerError.None;
    }

    /// <summary>AddPartitionsToTxn: begins the transaction when none is open.</summary>
    public BrokerError AddPartition(
        string id,
        long producerId,
        short epoch,
        string topic,
        int partition
    )
    {
        BrokerError error = Check(id, producerId, epoch, out TransactionEntry? entry);
        if (error != BrokerError.None)
        {
            return error;
        }

        if (_cluster.Log(topic, partition) is null)
        {
            return BrokerError.UnknownPartition;
        }

        error = Open(entry!);
        if (error == BrokerError.None)
        {
            entry!.Partitions.Add((topic, partition));
        }

        return error;
    }

    /// <summary>AddOffsetsToTxn: the group's partition of __consumer_offsets becomes part of the transaction.</summary>
    public BrokerError AddOffsets(string id, long producerId, short epoch, string group)
    {
        BrokerError error = Check(id, producerId, epoch, out TransactionEntry? entry);
        if (error != BrokerError.None)
        {
            return error;
        }

        error = Open(entry!);
        if (error == BrokerError.None)
        {
            entry!.Groups.Add(group);
        }

        return error;
    }

    /// <summary>
    /// EndTxn. Answers as soon as the decision is written, before any marker is (endTransaction → PrepareCommit/Abort);
    /// asked again afterwards it says the same, since a client repeats it when the answer was lost.
    /// </summary>
    public BrokerError EndTransaction(string id, long producerId, short epoch, bool commit)
    {
        BrokerError error = Check(id, producerId, epoch, out TransactionEntry? entry);
        if (error != BrokerError.None)
        {
            return error;
        }

        switch (entry!.State)
        {
            case TransactionState.Ongoing:
                Prepare(entry, commit);
                return BrokerError.None;
            case TransactionState.PrepareCommit when commit:
            case TransactionState.PrepareAbort when !commit:
                return BrokerError.ConcurrentTransactions;
            case TransactionState.CompleteCommit when commit:
            case TransactionState.CompleteAbort when !commit:
                return BrokerError.None;
            default:
                return BrokerError.InvalidTxnState;
        }
    }

    /// <summary>
    /// Whether a producer may append to a partition: its epoch is the newest and the partition is part of the open
    /// transaction (AddPartitionsToTxn with verifyOnly, KIP-890).
    /// </summary>
    public BrokerError Verify(string id, long producerId, short epoch, string topic, int partition)
    {
        BrokerError error = Check(id, producerId, epoch, out TransactionEntry? entry);
        if (error != BrokerError.None)
        {
            return error;
        }

        return
            entry!.State == TransactionState.Ongoing
            && entry.Partitions.Contains((topic, partition))
            ? BrokerError.None
            : BrokerError.InvalidTxnState;
    }

    /// <summary>The same for a TxnOffsetCommit: the group's partition of __consumer_offsets is part of the open transaction.</summary>
    public BrokerError VerifyGroup(string id, long producerId, short epoch, string group)
    {
        BrokerError error = Check(id, producerId, epoch, out TransactionEntry? entry);
        if (error != BrokerError.None)
        {
            return error;
        }

        return entry!.State == TransactionState.Ongoing && entry.Groups.Contains(group)
            ? BrokerError.None
            : BrokerError.InvalidTxnState;
    }

    /// <summary>Looks for transactions that outlived their time-out and aborts them under a bumped epoch (abortTimedOutTransactions). Repeats itself.</summary>
    public void Sweep()
    {
        World.After(_cluster.Pace.TransactionSweepMs, Sweep);
        if (!IsAvailable)
        {
            return;
        }

        foreach (TransactionEntry entry in _entries.Values)
        {
            if (
                entry.State == TransactionState.Ongoing
                && World.NowMs - entry.StartMs > entry.TimeoutMs
            )
            {
                World.Trace.Mix(Point.TxnTimeout, entry.ProducerId, entry.Epoch);
                Note(entry, "timed out");
                BumpEpoch(entry);
                Prepare(entry, commit: false);
            }
        }
    }

    /// <summary>Whether any transaction is open or being completed.</summary>
    public bool AnyPending
    {
        get
        {
            foreach (TransactionEntry entry in _entries.Values)
            {
                if (entry.IsPreparing || entry.State == TransactionState.Ongoing)
                {
                    return true;
                }
            }

            return false;
        }
    }

    private BrokerError Check(string id, long producerId, short epoch, out TransactionEntry? entry)
    {
        entry = null;
        if (!IsAvailable)
        {
            return BrokerError.CoordinatorUnavailable;
        }

        if (
            !_entries.TryGetValue(id, out entry)
            || entry.ProducerId != producerId
            || entry.Epoch != epoch
        )
        {
            return BrokerError.ProducerFenced;
        }

        return BrokerError.None;
    }

    private BrokerError Open(TransactionEntry entry)
    {
        if (entry.IsPreparing)
        {
            return BrokerError.ConcurrentTransactions;
        }

        if (entry.State != TransactionState.Ongoing)
        {
            entry.State = TransactionState.Ongoing;
            entry.StartMs = World.NowMs;
        }

        return BrokerError.None;
    }

    private void BumpEpoch(TransactionEntry entry)
    {
        // TransactionMetadata.isEpochExhausted: a new producer id, epoch 0.
        if (entry.ProducerId < 0 || entry.Epoch >= MaxEpoch)
        {
            // An open transaction ends under its own producer id: only between transactions may the id change.
            if (entry.State == TransactionState.Ongoing)
            {
                entry.Epoch++;
                return;
            }

            entry.ProducerId = _nextProducerId++;
            entry.Epoch = 0;
            return;
        }

        entry.Epoch++;
    }

    private void Prepare(TransactionEntry entry, bool commit)
    {
        entry.State = commit ? TransactionState.PrepareCommit : TransactionState.PrepareAbort;
        World.Trace.Mix(Point.TxnPrepare, entry.ProducerId, entry.Epoch, commit ? 1 : 0);
        Note(entry, commit ? "PrepareCommit" : "PrepareAbort");
        long producerId = entry.ProducerId;
        short epoch = entry.Epoch;
        var targets = new List<Action>();
        foreach ((string topic, int partition) in entry.Partitions)
        {
            targets.Add(() => WriteMarker(entry, topic, partition, producerId, epoch, commit));
        }

        foreach (string group in entry.Groups)
        {
            targets.Add(() =>
            {
                _cluster.Group(group).Offsets.Complete(producerId, commit);
                MarkerDone(entry, commit);
            });
        }

        // Each broker gets its WriteTxnMarkers request on its own: any order, any delay.
        entry.MarkersLeft = targets.Count;
        Rng chance = _cluster.Chance;
        foreach (Action target in targets)
        {
            World.After(chance.Skewed(_cluster.Pace.MarkerMs), target);
        }

        if (targets.Count == 0)
        {
            Complete(entry, commit);
        }
    }

    private void WriteMarker(
        TransactionEntry entry,
        string topic,
        int partition,
        long producerId,
        short epoch,
        bool commit
    )
    {
        ModelLog? log = _cluster.Log(topic, partition);
        if (log is { IsAvailable: false })
        {
            // The marker channel retries until the partition has a leader again.
            World.At(
                log.UnavailableUntilMs + 1,
                () => WriteMarker(entry, topic, partition, producerId, epoch, commit)
            );
            return;
        }

        log?.AppendMarker(producerId, epoch, commit);
        MarkerDone(entry, commit);
    }

    private void MarkerDone(TransactionEntry entry, bool commit)
    {
        if (--entry.MarkersLeft == 0)
        {
            Complete(entry, commit);
        }
    }

    private void Complete(TransactionEntry entry, bool commit)
    {
        entry.State = commit ? TransactionState.CompleteCommit : TransactionState.CompleteAbort;
        entry.Partitions.Clear();
        entry.Groups.Clear();
        World.Trace.Mix(Point.TxnComplete, entry.ProducerId, entry.Epoch, commit ? 1 : 0);
        Note(entry, commit ? "CompleteCommit" : "CompleteAbort");
    }

    private void Note(TransactionEntry entry, string what)
    {
        if (World.Trace.On)
        {
            World.Trace.Line(
                World.NowMs,
                "txn",
                $"{entry.Id} pid {entry.ProducerId} epoch {entry.Epoch}: {what}"
            );
        }
    }
}
