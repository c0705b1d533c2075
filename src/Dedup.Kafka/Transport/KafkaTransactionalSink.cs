using Confluent.Kafka;
using Dedup.Contracts.Identity;
using Dedup.Kafka.Native;
using Dedup.Topology.Pipelines;
using Dedup.Topology.Ports;
using Dedup.Topology.Records;

namespace Dedup.Kafka.Transport;

/// <summary>One transactional producer on a real Kafka.</summary>
internal sealed class KafkaTransactionalSink : ITransactionalSink
{
    /// <summary>How long a full send buffer is waited out; below the transaction time-out.</summary>
    private const int FullTimeoutMs = 10_000;

    /// <summary>
    /// Longest wait for offsets to become part of a transaction, in ms: some 20 ms when all is well. The call does not keep to
    /// it while it looks for the group's coordinator, and can even never return: a coordinator that goes down is taken out of the
    /// client's list of brokers, but not out of what it remembers of coordinators, and then it waits for a connection that
    /// nobody makes (librdkafka issues 5456 and 5511). A new client asks anew.
    /// </summary>
    private const int OffsetsTimeoutMs = 4_000;

    /// <summary>What a call takes beyond its time-out on a busy machine, in ms.</summary>
    private const int OffsetsGraceMs = 2_000;

    /// <summary>
    /// Without delivery reports rd_kafka_flush() looks every 10 ms whether all is sent, also inside commit_transaction(): half of
    /// that is waited for nothing at each commit. Called for 1 ms again and again, it looks every millisecond.
    /// </summary>
    private static readonly TimeSpan FlushStep = TimeSpan.FromMilliseconds(1);

    /// <summary>How long that is done; what takes longer is left to commit_transaction().</summary>
    private const int QuickFlushMs = 200;

    private readonly ProducerConfig _config;
    private readonly string _inputTopic;
    private readonly string[] _topicNames;
    private readonly bool _useNative;
    private readonly Action<LogMessage>? _log;
    private readonly Action<Error>? _error;
    private IProducer<byte[]?, byte[]?>? _producer;
    private IRecordSender? _sender;
    private BoundedCalls? _offsetCalls;

    public KafkaTransactionalSink(
        ProducerConfig config,
        PipelineSpec spec,
        bool useNative,
        Action<LogMessage>? log,
        Action<Error>? error
    )
    {
        _config = config;
        _inputTopic = spec.Reads;
        _topicNames = NamesOf(spec);
        _useNative = useNative;
        _log = log;
        _error = error;
    }

    public string TransactionalId => _config.TransactionalId;

    private IProducer<byte[]?, byte[]?> Producer
    {
        get
        {
            if (_producer is null)
            {
                ProducerBuilder<byte[]?, byte[]?> builder = new ProducerBuilder<byte[]?, byte[]?>(
                    _config
                )
                    .SetKeySerializer(NullableBytes.Instance)
                    .SetValueSerializer(NullableBytes.Instance)
                    .SetErrorHandler((_, error) => _error?.Invoke(error));
                if (_log is not null)
                {
                    _ = builder.SetLogHandler((_, message) => _log(message));
                }

                _producer = builder.Build();
                _sender = _useNative
                    ? new NativeRecordSender(_producer.Handle, _topicNames, FullTimeoutMs)
                    : new ManagedRecordSender(_producer, _topicNames, FullTimeoutMs);
            }

            return _producer;
        }
    }

    public TxResult Initialise(int timeoutMs) =>
        ErrorLadder.Run(() => Producer.InitTransactions(TimeSpan.FromMilliseconds(timeoutMs)));

    public TxResult Begin() => ErrorLadder.Run(Producer.BeginTransaction);

    public TxResult Forward(
        SinkTopic topic,
        int partition,
        RecordBatch batch,
        int index,
        long timestampMs,
        AddedHeaders? added
    ) => WithCause(_sender!.Forward(topic, partition, batch, index, timestampMs, added));

    public TxResult ForwardAs(
        SinkTopic topic,
        int partition,
        RecordBatch batch,
        int index,
        ReadOnlySpan<byte> key,
        bool keyIsNull,
        long timestampMs,
        AddedHeaders? added
    ) =>
        WithCause(
            _sender!.ForwardAs(topic, partition, batch, index, key, keyIsNull, timestampMs, added)
        );

    public TxResult Send(
        SinkTopic topic,
        int partition,
        ReadOnlySpan<byte> key,
        ReadOnlySpan<byte> value,
        bool isTombstone,
        long timestampMs,
        AddedHeaders? added
    ) => WithCause(_sender!.Send(topic, partition, key, value, isTombstone, timestampMs, added));

    public TxResult SendOffsets(
        ReadOnlySpan<PartitionOffset> offsets,
        GroupMembership membership,
        int timeoutMs
    )
    {
        List<TopicPartitionOffset> list = new(offsets.Length);
        foreach (PartitionOffset offset in offsets)
        {
            list.Add(new TopicPartitionOffset(_inputTopic, offset.Partition, offset.Offset));
        }

        int bound = Math.Min(timeoutMs, OffsetsTimeoutMs);
        IProducer<byte[]?, byte[]?> producer = Producer;
        IConsumerGroupMetadata? metadata = ((KafkaMembership)membership).Metadata;
        _offsetCalls ??= new BoundedCalls(TransactionalId + "-offsets");
        _offsetCalls.Begin(() =>
            ErrorLadder.Run(() =>
                producer.SendOffsetsToTransaction(list, metadata, TimeSpan.FromMilliseconds(bound))
            )
        );
        // What is still unsent goes out while the coordinators answer.
        long until = Environment.TickCount64 + bound + OffsetsGraceMs;
        while (!_offsetCalls.HasEnded && !IsSent(producer) && Environment.TickCount64 < until) { }

        return _offsetCalls.TryEnd((int)(until - Environment.TickCount64), out TxResult result)
            ? WithCause(result)
            : new TxResult(
                TxOutcome.Unknown,
                Reason.None,
                $"the client has not said within {bound + OffsetsGraceMs} ms whether the offsets are part of the transaction (does the coordinator of the group move?)"
            );
    }

    /// <summary>A time-out can be taken up again by the same call; the lane does so within a bound and then calls it unknown.</summary>
    public TxResult Commit(int timeoutMs)
    {
        IProducer<byte[]?, byte[]?> producer = Producer;
        long until = Environment.TickCount64 + Math.Min(timeoutMs, QuickFlushMs);
        while (!IsSent(producer) && Environment.TickCount64 < until) { }

        return ErrorLadder.Run(() =>
            producer.CommitTransaction(TimeSpan.FromMilliseconds(timeoutMs))
        );
    }

    /// <summary>Whether nothing is left to send; waits for 1 ms.</summary>
    private static bool IsSent(IProducer<byte[]?, byte[]?> producer) =>
        producer.Flush(FlushStep) == 0;

    public TxResult Abort(int timeoutMs) =>
        // A client that hangs in another call takes no abort; making a new one ends the transaction.
        _producer is null
        || _offsetCalls is { IsHung: true }
            ? TxResult.Ok
            : ErrorLadder.Run(() =>
                _producer.AbortTransaction(TimeSpan.FromMilliseconds(timeoutMs))
            );

    /// <summary>
    /// Delivery reports are off, so that only commit_transaction() tells why a transaction has failed. In that state it does
    /// nothing else (rd_kafka_txn_require_state gives the error back), and only an abort leads out of it.
    /// </summary>
    private TxResult WithCause(in TxResult result)
    {
        if (result != ErrorLadder.AlreadyFailed)
        {
            return result;
        }

        TxResult cause = Commit(FullTimeoutMs);
        // Refused, it is not the record at hand that was, but one before it.
        return cause.Outcome switch
        {
            TxOutcome.Refused => cause with { Outcome = TxOutcome.Abortable },
            TxOutcome.Retriable => result,
            TxOutcome.Ok => throw new InvalidOperationException(
                "A transaction that had failed was committed."
            ),
            _ => cause,
        };
    }

    public void Renew() => Dispose();

    public void Dispose()
    {
        IRecordSender? sender = _sender;
        IProducer<byte[]?, byte[]?>? producer = _producer;
        BoundedCalls? calls = _offsetCalls;
        _sender = null;
        _producer = null;
        _offsetCalls = null;
        if (calls is null)
        {
            DisposeOf();
        }
        else
        {
            // One that hangs is left to its thread: a client must not go while somebody is inside a call of it.
            calls.End(DisposeOf);
        }

        void DisposeOf()
        {
            sender?.Dispose();
            producer?.Dispose();
        }
    }

    /// <summary>Names by <see cref="SinkTopic"/>; a topic that the pipeline does not have stays empty and is never sent to.</summary>
    internal static string[] NamesOf(PipelineSpec spec)
    {
        string[] names = new string[Enum.GetValues<SinkTopic>().Length];
        names[(int)SinkTopic.Clean] = spec.Clean;
        names[(int)SinkTopic.Duplicates] = spec.Duplicates ?? "";
        names[(int)SinkTopic.Quarantine] = spec.Quarantine;
        names[(int)SinkTopic.Changelog] = spec.Changelog;
        names[(int)SinkTopic.Repartition] = spec.Repartition;
        return names;
    }
}
