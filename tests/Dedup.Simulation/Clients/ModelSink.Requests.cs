using Dedup.Contracts.Identity;
using Dedup.Simulation.Broker;
using Dedup.Simulation.Faults;
using Dedup.Simulation.Worlds;
using Dedup.Topology.Ports;

namespace Dedup.Simulation.Clients;

/// <summary>What goes over the wire: produce, offsets, EndTxn.</summary>
public sealed partial class ModelSink
{
    /// <summary>How long the client waits between two tries of a request that the broker put off (retry.backoff.ms).</summary>
    private const int BackoffMs = 5;

    /// <inheritdoc/>
    public TxResult Commit(int timeoutMs)
    {
        _env.Enter(Point.SinkCommit, timeoutMs);
        RequireTransaction();
        long deadlineMs = World.NowMs + timeoutMs;
        if (_error.IsOk && !Flush(deadlineMs))
        {
            // commit_transaction() does not tell a flush that timed out from an EndTxn that did.
            return Unknown("timed out in the flush");
        }

        if (_error.IsOk && !_isEnded && _env.Faults.Happens(FaultKind.Abortable))
        {
            _error = new TxResult(TxOutcome.Abortable, Detail: "abortable for no reason of ours");
        }

        if (!_error.IsOk)
        {
            return _error;
        }

        TxResult result = EndTransaction(commit: true, deadlineMs);
        if (result.IsOk)
        {
            _inTransaction = false;
        }

        _env.Leave();
        return result;
    }

    /// <inheritdoc/>
    public TxResult Abort(int timeoutMs)
    {
        _env.Enter(Point.SinkAbort, timeoutMs);
        if (_error.Outcome is TxOutcome.Fatal or TxOutcome.Fenced)
        {
            return _error;
        }

        if (!_inTransaction)
        {
            return TxResult.Ok;
        }

        // rd_kafka_abort_transaction purges what waits, and what is on the way.
        foreach (Queue<ModelRecord> queue in _waiting.Values)
        {
            queue.Clear();
        }

        if (_isOutOfSequence)
        {
            // The client bumps its epoch with the abort (InitProducerId with the current one) and counts anew.
            _isOutOfSequence = false;
            _gaps.Clear();
        }

        TxResult result = EndTransaction(commit: false, World.NowMs + timeoutMs);
        if (result.IsOk)
        {
            _inTransaction = false;
            _error = TxResult.Ok;
        }

        _env.Leave();
        return result;
    }

    private TxResult EndTransaction(bool commit, long deadlineMs)
    {
        if (_added.Count == 0 && !_hasOffsets)
        {
            // Nothing was registered at the coordinator: the client does not send EndTxn at all.
            return TxResult.Ok;
        }

        if (_isEnded)
        {
            // A call that timed out before is taken up again: EndTxn has been answered meanwhile.
            return TxResult.Ok;
        }

        if (_env.Faults.Happens(FaultKind.Retriable))
        {
            return TimeOutForNow(commit, deadlineMs);
        }

        if (
            !_env.WaitFor(Coordinator.UnavailableUntilMs, deadlineMs)
            || _env.Faults.Happens(FaultKind.EndTxnLost)
        )
        {
            World.Wait(_env.Actor, Math.Max(0, deadlineMs - World.NowMs));
            return Unknown("EndTxn timed out, did not arrive");
        }

        (string id, long producerId, short epoch) = (TransactionalId, _producerId, _epoch);
        if (_env.Faults.Happens(FaultKind.EndTxnLate))
        {
            long lateMs = Math.Max(0, deadlineMs - World.NowMs) + _env.Faults.Chance.Skewed(20_000);
            World.After(lateMs, () => Coordinator.EndTransaction(id, producerId, epoch, commit));
            World.Wait(_env.Actor, Math.Max(0, deadlineMs - World.NowMs));
            return Unknown("EndTxn timed out, arrives late");
        }

        World.Interleave(_env.Actor);
        BrokerError error = Coordinator.EndTransaction(id, producerId, epoch, commit);
        if (error == BrokerError.None && _env.Faults.Happens(FaultKind.EndTxnRepeated))
        {
            error = Repeat(commit, deadlineMs);
        }

        while (error is BrokerError.ConcurrentTransactions or BrokerError.CoordinatorUnavailable)
        {
            if (World.NowMs >= deadlineMs)
            {
                return Unknown("EndTxn timed out");
            }

            World.Wait(_env.Actor, BackoffMs);
            error = Coordinator.EndTransaction(id, producerId, epoch, commit);
        }

        if (_env.Faults.Happens(FaultKind.EndTxnAnswerLost))
        {
            World.Wait(_env.Actor, Math.Max(0, deadlineMs - World.NowMs));
            return Unknown("EndTxn timed out, did happen");
        }

        World.Interleave(_env.Actor);
        return error == BrokerError.None ? TxResult.Ok : (_error = Map(error));
    }

    /// <summary>
    /// commit_transaction() timed out, and may be called again, which takes the same operation up: meanwhile EndTxn was
    /// answered, or not even sent.
    /// </summary>
    private TxResult TimeOutForNow(bool commit, long deadlineMs)
    {
        if (_env.Faults.Chance.OneIn(2))
        {
            BrokerError error = Coordinator.EndTransaction(
                TransactionalId,
                _producerId,
                _epoch,
                commit
            );
            _isEnded = error == BrokerError.None;
        }

        World.Wait(_env.Actor, Math.Max(0, deadlineMs - World.NowMs));
        return new TxResult(
            TxOutcome.Retriable,
            Detail: _isEnded ? "timed out, did happen" : "timed out"
        );
    }

    /// <summary>Nobody knows; the producer is of no use from now on, since a repeated EndTxn could meet another transaction.</summary>
    private TxResult Unknown(string detail)
    {
        _error = new TxResult(
            TxOutcome.Fatal,
            Detail: "the outcome of the transaction before is unknown"
        );
        return new TxResult(TxOutcome.Unknown, Detail: detail);
    }

    /// <summary>The answer was lost and the client asks again with the same epoch: the coordinator says what it said, or that it is at it.</summary>
    private BrokerError Repeat(bool commit, long deadlineMs)
    {
        World.Wait(
            _env.Actor,
            Math.Min(_env.Faults.Chance.Skewed(2000), Math.Max(0, deadlineMs - World.NowMs))
        );
        return Coordinator.EndTransaction(TransactionalId, _producerId, _epoch, commit);
    }

    private TxResult SendOffsetsNow(
        PartitionOffset[] offsets,
        ModelMembership membership,
        long deadlineMs
    )
    {
        GroupCoordinator group = _env.Cluster.Group(_options.Group);
        while (true)
        {
            BrokerError error = Coordinator.AddOffsets(
                TransactionalId,
                _producerId,
                _epoch,
                _options.Group
            );
            if (error == BrokerError.None)
            {
                _hasOffsets = true;
                World.Interleave(_env.Actor);
                error = Hold(group, offsets, membership);
            }

            switch (error)
            {
                case BrokerError.None:
                    return TxResult.Ok;
                case BrokerError.ConcurrentTransactions:
                case BrokerError.CoordinatorUnavailable:
                    break;
                default:
                    return _error = Map(error);
            }

            if (World.NowMs >= deadlineMs)
            {
                // rd_kafka_txn_handle_TxnOffsetCommit: a time-out makes the transaction abortable.
                return _error = new TxResult(TxOutcome.Abortable, Detail: "offsets timed out");
            }

            World.Wait(_env.Actor, BackoffMs);
        }
    }

    private BrokerError Hold(
        GroupCoordinator group,
        PartitionOffset[] offsets,
        ModelMembership membership
    )
    {
        // The group coordinator verifies at the transaction coordinator, as a partition leader does (KIP-890).
        foreach (PartitionOffset o in offsets)
        {
            BrokerError error = Coordinator.VerifyGroup(
                TransactionalId,
                _producerId,
                _epoch,
                _options.Group
            );
            if (error == BrokerError.None)
            {
                error = group.CommitOffset(
                    _producerId,
                    membership.MemberId,
                    membership.Generation,
                    membership.InstanceId,
                    o.Partition,
                    o.Offset
                );
            }

            if (error != BrokerError.None)
            {
                return error;
            }
        }

        return BrokerError.None;
    }

    private bool Flush(long deadlineMs)
    {
        for (int i = 0; i < _order.Count; i++)
        {
            Drain(_order[i].Topic, _order[i].Partition, _waiting[_order[i]], deadlineMs);
            World.Interleave(_env.Actor);
        }

        foreach (Queue<ModelRecord> queue in _waiting.Values)
        {
            if (_error.IsOk && queue.Count > 0)
            {
                return false;
            }
        }

        // acks=all: what was sent counts only below the high watermark.
        return !_error.IsOk || _env.WaitFor(_flushedMs, deadlineMs);
    }

    /// <summary>Sends what waits for a partition, in order; stops where the broker puts it off and the time is up.</summary>
    private void Drain(SinkTopic topic, int partition, Queue<ModelRecord> queue, long deadlineMs)
    {
        string name =
            _options.Topics[(int)topic]
            ?? throw new InvalidOperationException($"the pipeline has no topic {topic}");
        while (queue.Count > 0 && _error.IsOk)
        {
            BrokerError error = SendOne(name, partition, queue.Peek());
            switch (error)
            {
                case BrokerError.None:
                    queue.Dequeue();
                    break;
                case BrokerError.ConcurrentTransactions:
                case BrokerError.CoordinatorUnavailable:
                case BrokerError.LeaderUnavailable:
                    if (World.NowMs >= deadlineMs)
                    {
                        return;
                    }

                    World.Wait(_env.Actor, BackoffMs);
                    break;
                case BrokerError.TooLarge:
                case BrokerError.InvalidTimestamp:
                    _ = _gaps.Add((name, partition));
                    _error = Map(error);
                    return;
                default:
                    _error = Map(error);
                    return;
            }
        }
    }

    private BrokerError SendOne(string name, int partition, ModelRecord record)
    {
        if (!_added.Contains((name, partition)))
        {
            BrokerError error = Coordinator.AddPartition(
                TransactionalId,
                _producerId,
                _epoch,
                name,
                partition
            );
            if (error != BrokerError.None)
            {
                return error;
            }

            _added.Add((name, partition));
        }

        if (_env.Cluster.Log(name, partition) is not { } log)
        {
            return BrokerError.UnknownPartition;
        }

        if (!log.IsAvailable)
        {
            return BrokerError.LeaderUnavailable;
        }

        if (_gaps.Contains((name, partition)))
        {
            return BrokerError.OutOfOrderSequence;
        }

        BrokerError verified = Coordinator.Verify(
            TransactionalId,
            _producerId,
            _epoch,
            name,
            partition
        );
        if (verified != BrokerError.None)
        {
            return verified;
        }

        _flushedMs = Math.Max(_flushedMs, World.NowMs + log.Topic.ReplicationLagMs);
        return log.AppendTransactional(record, _producerId, _epoch, TransactionalId);
    }

    /// <summary>
    /// The client is gone, but some of its produce requests may still be on their way. They arrive later, under the old
    /// epoch: into its transaction if that is still open, else they are refused.
    /// </summary>
    private void LeaveRequestsBehind()
    {
        if (!_inTransaction || _waiting.Count == 0 || !_env.Faults.Happens(FaultKind.ProduceLate))
        {
            return;
        }

        (string id, long producerId, short epoch) = (TransactionalId, _producerId, _epoch);
        foreach ((SinkTopic topic, int partition) in _order)
        {
            string name = _options.Topics[(int)topic]!;
            ModelRecord[] records = [.. _waiting[(topic, partition)]];
            World.After(
                _env.Faults.Chance.Skewed(15_000),
                () => ArriveLate(name, partition, records, id, producerId, epoch)
            );
        }
    }

    private void ArriveLate(
        string name,
        int partition,
        ModelRecord[] records,
        string id,
        long producerId,
        short epoch
    )
    {
        foreach (ModelRecord record in records)
        {
            BrokerError error = Coordinator.Verify(id, producerId, epoch, name, partition);
            if (
                error != BrokerError.None
                || _env.Cluster.Log(name, partition) is not { IsAvailable: true } log
            )
            {
                return;
            }

            if (log.AppendTransactional(record, producerId, epoch, id) != BrokerError.None)
            {
                return;
            }
        }
    }
}
