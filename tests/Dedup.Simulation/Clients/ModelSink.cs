using Dedup.Contracts.Identity;
using Dedup.Simulation.Broker;
using Dedup.Simulation.Faults;
using Dedup.Simulation.Worlds;
using Dedup.Topology.Ports;
using Dedup.Topology.Proof;
using Dedup.Topology.Records;

namespace Dedup.Simulation.Clients;

/// <summary>How a sink writes.</summary>
public sealed record SinkOptions
{
    /// <summary>transactional.id.</summary>
    public required string TransactionalId { get; init; }

    /// <summary>Group that offsets are sent to.</summary>
    public required string Group { get; init; }

    /// <summary>Names of the topics, at the index of their <see cref="SinkTopic"/>; null where the pipeline has none.</summary>
    public required IReadOnlyList<string?> Topics { get; init; }

    /// <summary>transaction.timeout.ms.</summary>
    public int TransactionTimeoutMs { get; init; } = 10_000;

    /// <summary>message.max.bytes of the client: larger records are refused before they are sent.</summary>
    public int MaxMessageBytes { get; init; } = 1_000_000;

    /// <summary>Records that the client holds before it sends: a record of a partition goes out when so many wait.</summary>
    public int LingerRecords { get; init; } = 50;

    /// <summary>linger.ms: records do not wait longer than this.</summary>
    public int LingerMs { get; init; } = 25;

    /// <summary>Told the producer id and epoch of each producer that is made: what they write is this process's.</summary>
    public Action<long, short>? OnProducer { get; init; }
}

/// <summary>
/// A transactional producer of librdkafka's kind. Records wait in the client, partition by partition, and go out in order;
/// the commit flushes them first. An error of a record or of the offsets makes the transaction abortable, and every call
/// says so until it is aborted.
/// </summary>
public sealed partial class ModelSink : ITransactionalSink
{
    private readonly ClientEnvironment _env;
    private readonly SinkOptions _options;
    private readonly Dictionary<(SinkTopic Topic, int Partition), Queue<ModelRecord>> _waiting = [];
    private readonly List<(SinkTopic Topic, int Partition)> _order = [];
    private readonly HashSet<(string Topic, int Partition)> _added = [];
    private long _producerId = -1;
    private short _epoch = -1;
    private bool _inTransaction;
    private bool _hasOffsets;
    private bool _isEnded;

    /// <summary>Partitions where a refused record has left a gap in the sequence numbers that the broker has seen.</summary>
    private readonly HashSet<(string Topic, int Partition)> _gaps = [];
    private bool _isOutOfSequence;
    private bool _isDisposed;
    private bool _isLingering;
    private TxResult _error = TxResult.Ok;
    private long _flushedMs;

    /// <summary>Makes a producer; it does nothing before <see cref="Initialise"/>.</summary>
    public ModelSink(ClientEnvironment env, SinkOptions options)
    {
        _env = env;
        _options = options;
    }

    /// <inheritdoc/>
    public string TransactionalId => _options.TransactionalId;

    private World World => _env.World;

    private TransactionCoordinator Coordinator => _env.Cluster.Transactions;

    /// <inheritdoc/>
    public TxResult Initialise(int timeoutMs)
    {
        _env.Enter(Point.SinkInitialise, timeoutMs);
        if (_error.Outcome == TxOutcome.Fatal)
        {
            return _error;
        }

        BrokerError error = Producers.Initialise(
            _env,
            TransactionalId,
            _options.TransactionTimeoutMs,
            timeoutMs,
            out _producerId,
            out _epoch
        );
        if (error == BrokerError.None)
        {
            _options.OnProducer?.Invoke(_producerId, _epoch);
        }

        _env.Leave();
        return error == BrokerError.None
            ? TxResult.Ok
            : new TxResult(TxOutcome.Retriable, Detail: $"{error}");
    }

    /// <inheritdoc/>
    public TxResult Begin()
    {
        _env.Enter(Point.SinkBegin);
        if (!_error.IsOk)
        {
            return _error;
        }

        if (_epoch < 0)
        {
            return new TxResult(
                TxOutcome.Fatal,
                Detail: "_STATE: init_transactions() has not succeeded"
            );
        }

        if (_inTransaction)
        {
            throw new InvalidOperationException("begun while a transaction is open");
        }

        _inTransaction = true;
        _isEnded = false;
        _hasOffsets = false;
        _added.Clear();
        return TxResult.Ok;
    }

    /// <inheritdoc/>
    public TxResult Forward(
        SinkTopic topic,
        int partition,
        RecordBatch batch,
        int index,
        long timestampMs,
        AddedHeaders? added
    )
    {
        batch.Get(index, out RecordView view);
        return ForwardAs(
            topic,
            partition,
            batch,
            index,
            view.Key,
            view.KeyIsNull,
            timestampMs,
            added
        );
    }

    /// <inheritdoc/>
    public TxResult ForwardAs(
        SinkTopic topic,
        int partition,
        RecordBatch batch,
        int index,
        ReadOnlySpan<byte> key,
        bool keyIsNull,
        long timestampMs,
        AddedHeaders? added
    )
    {
        _env.Enter(
            Point.SinkForward,
            ((long)topic << 32) | (uint)partition,
            batch.OffsetOf(index),
            hot: true
        );
        var source = (ModelBatch)batch;
        ModelRecord record = source.Record(index);
        var sent = new ModelRecord
        {
            Key = keyIsNull ? null : key.ToArray(),
            Value = record.Value,
            Headers = [.. record.Headers, .. Copy(added)],
            TimestampMs = timestampMs,
        };
        TxResult result = PlantIntoRecord(topic, source.OffsetOf(index), ref sent)
            ? TxResult.Ok
            : Accept(topic, partition, sent);
        if (result.Outcome == TxOutcome.Refused && Planted.Is(PlantedBug.RefusedDropped))
        {
            result = TxResult.Ok;
        }

        source.HandOverHeaders(index);
        return result;
    }

    /// <inheritdoc/>
    public TxResult Send(
        SinkTopic topic,
        int partition,
        ReadOnlySpan<byte> key,
        ReadOnlySpan<byte> value,
        bool isTombstone,
        long timestampMs,
        AddedHeaders? added
    )
    {
        _env.Enter(Point.SinkSend, ((long)topic << 32) | (uint)partition, value.Length, hot: true);
        var record = new ModelRecord
        {
            Key = key.ToArray(),
            Value = isTombstone ? null : value.ToArray(),
            Headers = [.. Copy(added)],
            TimestampMs = timestampMs,
        };
        return Accept(topic, partition, record);
    }

    /// <inheritdoc/>
    public TxResult SendOffsets(
        ReadOnlySpan<PartitionOffset> offsets,
        GroupMembership membership,
        int timeoutMs
    )
    {
        _env.Enter(Point.SinkSendOffsets, offsets.Length, membership.Generation);
        RequireTransaction();
        if (!_error.IsOk)
        {
            return _error;
        }

        if (offsets.Length == 0)
        {
            return TxResult.Ok;
        }

        PartitionOffset[] copy = PlantIntoOffsets(offsets.ToArray());
        if (Planted.Is(PlantedBug.OffsetsNotSent))
        {
            return TxResult.Ok;
        }

        TxResult result = SendOffsetsNow(
            copy,
            (ModelMembership)membership,
            World.NowMs + timeoutMs
        );
        if (result.IsOk && _env.Faults.Happens(FaultKind.Retriable))
        {
            // It happened, and the caller is told that it may ask again: the second time changes nothing.
            result = new TxResult(TxOutcome.Retriable, Detail: "timed out, did happen");
        }

        _env.Leave();
        return result;
    }

    /// <inheritdoc/>
    public void Renew()
    {
        _env.Enter(Point.SinkRenew);
        LeaveRequestsBehind();
        _producerId = -1;
        _epoch = -1;
        _inTransaction = false;
        _error = TxResult.Ok;
        _gaps.Clear();
        _isOutOfSequence = false;
        Forget();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_isDisposed)
        {
            _isDisposed = true;
            LeaveRequestsBehind();
            Forget();
        }
    }

    private static ModelHeader[] Copy(AddedHeaders? added)
    {
        if (added is null)
        {
            return [];
        }

        var headers = new ModelHeader[added.Count];
        for (int i = 0; i < headers.Length; i++)
        {
            headers[i] = new ModelHeader(
                System.Text.Encoding.UTF8.GetBytes(added.Name(i)),
                added.Value(i).ToArray()
            );
        }

        return headers;
    }

    private TxResult Accept(SinkTopic topic, int partition, ModelRecord record)
    {
        RequireTransaction();
        if (!_error.IsOk)
        {
            return AlreadyFailed();
        }

        if (record.Size > _options.MaxMessageBytes)
        {
            // rd_kafka_produce: MSG_SIZE_TOO_LARGE, this one only, the transaction is not touched.
            return new TxResult(
                TxOutcome.Refused,
                Reason.RefusedTooLarge,
                "larger than message.max.bytes of the client"
            );
        }

        // The client refuses what lies between no timestamp (-1) and the beginning of time in its own way: a negative or
        // zero one is replaced by now. Dedup must never get here with it.
        if (record.TimestampMs <= 0)
        {
            record = new ModelRecord
            {
                Key = record.Key,
                Value = record.Value,
                Headers = record.Headers,
                TimestampMs = ModelTime.EpochMs + World.NowMs,
            };
        }

        if (_env.Faults.Happens(FaultKind.FatalProducer))
        {
            return _error = new TxResult(TxOutcome.Fatal, Detail: "fatal for no reason of ours");
        }

        if (!_waiting.TryGetValue((topic, partition), out Queue<ModelRecord>? queue))
        {
            _waiting[(topic, partition)] = queue = new Queue<ModelRecord>();
            _order.Add((topic, partition));
        }

        PlantIntoOrder(topic, queue, ref record);
        queue.Enqueue(record);
        if (queue.Count >= _options.LingerRecords)
        {
            Drain(topic, partition, queue, World.NowMs);
        }
        else if (!_isLingering)
        {
            _isLingering = true;
            World.After(_options.LingerMs, SendWhatWaits);
        }

        return TxResult.Ok;
    }

    /// <summary>linger.ms is over: the client's own thread sends what waits, without being asked.</summary>
    private void SendWhatWaits()
    {
        _isLingering = false;
        if (_isDisposed || !_inTransaction || !_env.Actor.IsAlive || !_env.Actor.Process.IsRunning)
        {
            return;
        }

        foreach ((SinkTopic Topic, int Partition) target in _order)
        {
            Drain(target.Topic, target.Partition, _waiting[target], World.NowMs);
        }
    }

    /// <summary>
    /// An earlier record or call failed the transaction: that it was refused must not look as if this record had been
    /// (rd_kafka_produceva says __STATE; the adapter asks for the cause).
    /// </summary>
    private TxResult AlreadyFailed() =>
        _error.Outcome == TxOutcome.Refused
            ? _error with
            {
                Outcome = TxOutcome.Abortable,
            }
            : _error;

    private void RequireTransaction()
    {
        if (!_inTransaction && _error.IsOk)
        {
            throw new InvalidOperationException("no transaction was begun");
        }
    }

    private void Forget()
    {
        _waiting.Clear();
        _order.Clear();
        _added.Clear();
    }
}
