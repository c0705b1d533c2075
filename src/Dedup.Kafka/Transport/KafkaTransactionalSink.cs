using Confluent.Kafka;
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

    private readonly ProducerConfig _config;
    private readonly string _inputTopic;
    private readonly string[] _topicNames;
    private readonly bool _useNative;
    private readonly Action<LogMessage>? _log;
    private readonly Action<Error>? _error;
    private IProducer<byte[]?, byte[]?>? _producer;
    private IRecordSender? _sender;

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

        return ErrorLadder.Run(() =>
            Producer.SendOffsetsToTransaction(
                list,
                ((KafkaMembership)membership).Metadata,
                TimeSpan.FromMilliseconds(timeoutMs)
            )
        );
    }

    /// <summary>A time-out can be taken up again by the same call; the lane does so within a bound and then calls it unknown.</summary>
    public TxResult Commit(int timeoutMs) =>
        ErrorLadder.Run(() => Producer.CommitTransaction(TimeSpan.FromMilliseconds(timeoutMs)));

    public TxResult Abort(int timeoutMs) =>
        _producer is null
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

    public void Renew()
    {
        Dispose();
        _sender = null;
        _producer = null;
    }

    public void Dispose()
    {
        _sender?.Dispose();
        _producer?.Dispose();
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
