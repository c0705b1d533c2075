using System.Runtime.ExceptionServices;
using Confluent.Kafka;
using Dedup.Kafka.Native;
using Dedup.Topology.Ports;
using Dedup.Topology.Records;

namespace Dedup.Kafka.Transport;

/// <summary>One member of the consumer group on a real Kafka.</summary>
internal sealed class KafkaRecordSource : IRecordSource, IPollEvents
{
    /// <summary>A seek right after an assignment can come before the fetcher has started; it is ready within milliseconds.</summary>
    private const int SeekAttempts = 40;

    /// <summary>Tries for the end of an assigned partition; with their time-outs, below the session time-out.</summary>
    private const int EndAttempts = 3;

    /// <summary>Time for one such try, in ms.</summary>
    private const int EndTimeoutMs = 1_000;

    private readonly string _topic;
    private readonly IConsumer<byte[]?, byte[]?> _consumer;
    private readonly LogQueries _queries;
    private readonly IBatchPoller _poller;
    private readonly HashSet<int> _toPause = [];
    private IAssignmentListener? _listener;
    private readonly GroupQuery? _group;
    private bool _isClosed;
    private bool _isLeaving;

    /// <summary>
    /// What the listener threw. Confluent.Kafka swallows an exception of a handler, to throw it from a Consume() that a batch
    /// poll never calls, and does not tell librdkafka that the rebalance is done: this member would stand still until the group
    /// throws it out, with its stores open.
    /// </summary>
    private ExceptionDispatchInfo? _thrown;

    /// <summary>Makes a member.</summary>
    /// <param name="config">Its settings.</param>
    /// <param name="topic">Input topic.</param>
    /// <param name="queries">
    /// Questions for log ends, on a connection of its own: on the consumer's they would wait behind a fetch that the broker
    /// holds open for half a second.
    /// </param>
    /// <param name="useNative">Whether to poll past Confluent.Kafka.</param>
    /// <param name="log">Gets the client's log; null for none.</param>
    public KafkaRecordSource(
        ConsumerConfig config,
        string topic,
        LogQueries queries,
        bool useNative,
        Action<LogMessage>? log
    )
    {
        _topic = topic;
        _queries = queries;
        ConsumerBuilder<byte[]?, byte[]?> builder = new ConsumerBuilder<byte[]?, byte[]?>(config)
            .SetKeyDeserializer(NullableBytes.Instance)
            .SetValueDeserializer(NullableBytes.Instance)
            .SetPartitionsAssignedHandler((_, partitions) => Assigned(partitions))
            .SetPartitionsRevokedHandler(
                (_, partitions) => Tell(listener => listener.OnRevoked(Numbers(partitions)))
            )
            .SetPartitionsLostHandler(
                (_, partitions) => Tell(listener => listener.OnLost(Numbers(partitions)))
            )
            .SetErrorHandler((_, error) => ReportClientError(error));
        if (log is not null)
        {
            _ = builder.SetLogHandler((_, message) => log(message));
        }

        _consumer = builder.Build();
        // A dynamic member takes nobody's place over: what it leaves is shared out when its session ends.
        _group = config.GroupInstanceId is null
            ? null
            : new GroupQuery(queries, config.GroupId, topic, () => Membership.MemberId);
        _poller = useNative
            ? new NativeBatchPoller(_consumer.Handle, this)
            : new ManagedBatchPoller(_consumer, this);
    }

    public GroupMembership Membership => KafkaMembership.Of(_consumer);

    public void Subscribe(IAssignmentListener listener)
    {
        _listener = listener;
        _consumer.Subscribe(_topic);
    }

    public RecordBatch Poll(int maxRecords, int timeoutMs)
    {
        RecordBatch batch = _poller.Poll(maxRecords, timeoutMs);
        ThrowWhatWasThrown();
        SubscribeWhenLeft();
        if (_toPause.Count > 0)
        {
            // Confluent.Kafka assigns after the handler returns, so that pausing has to wait until here. Until then the
            // partition stands at the log's end, and its task is not active, so that whatever came is discarded.
            int[] partitions = [.. _toPause];
            _toPause.Clear();
            Pause(partitions);
        }

        return batch;
    }

    public void Seek(int partition, long offset)
    {
        var target = new TopicPartitionOffset(_topic, partition, offset);
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                _consumer.Seek(target);
                return;
            }
            catch (KafkaException e)
                when (attempt < SeekAttempts
                    && e.Error.Code
                        is ErrorCode.Local_State
                            or ErrorCode.Local_Conflict
                            or ErrorCode.Local_TimedOut
                )
            {
                _ = Thread.Yield();
                Thread.Sleep(5);
            }
            catch (KafkaException e)
            {
                // Going on without the seek would skip records. Taking the partition out and putting it back by hand is no way
                // out: where a revocation waits to be heard, the client takes that for its answer, and joins again before
                // anybody has committed (rd_kafka_cgrp_incremental_unassign).
                _listener?.OnFault(
                    SourceFault.CannotSeek,
                    partition,
                    $"seek to {offset}: {e.Error.Reason}"
                );
                return;
            }
        }
    }

    public void Pause(ReadOnlySpan<int> partitions) => Apply(partitions, _consumer.Pause);

    public void Resume(ReadOnlySpan<int> partitions) => Apply(partitions, _consumer.Resume);

    public long KnownEnd(int partition)
    {
        try
        {
            WatermarkOffsets marks = _consumer.GetWatermarkOffsets(
                new TopicPartition(_topic, partition)
            );
            return marks.High.IsSpecial ? -1 : marks.High.Value;
        }
        catch (KafkaException)
        {
            return -1;
        }
    }

    /// <summary>
    /// The offset up to which everything was polled or passed over; -1 when unknown. Control records, in which a log that is
    /// written in transactions ends, are passed over, while no committed offset ever is behind them.
    /// </summary>
    public long Position(int partition)
    {
        try
        {
            Offset position = _consumer.Position(new TopicPartition(_topic, partition));
            return position.IsSpecial ? -1 : position.Value;
        }
        catch (KafkaException)
        {
            return -1;
        }
    }

    public OffsetLookup Committed(int partition, int timeoutMs)
    {
        try
        {
            TopicPartitionOffset answer = _consumer.Committed(
                [new TopicPartition(_topic, partition)],
                TimeSpan.FromMilliseconds(timeoutMs)
            )[0];
            return answer.Offset.IsSpecial
                ? new OffsetLookup(LookupStatus.None, -1, null)
                : new OffsetLookup(LookupStatus.Found, answer.Offset.Value, null);
        }
        catch (KafkaException e)
        {
            return new OffsetLookup(LogQueries.StatusOf(e.Error.Code), -1, e.Error.Reason);
        }
    }

    public BoundsLookup Bounds(int partition, int timeoutMs) =>
        _queries.Bounds(_topic, partition, timeoutMs);

    public OffsetLookup OffsetAt(int partition, long timestampMs, int timeoutMs) =>
        _queries.OffsetAt(_topic, partition, timestampMs, timeoutMs);

    public GroupCoverage Coverage(int partitions) =>
        _group?.Ask(partitions) ?? GroupCoverage.Complete;

    /// <summary>
    /// rd_kafka_cgrp_leave_maybe: a static member keeps its place when it is closed, and leaves when it unsubscribes. In the middle
    /// of a rebalance the client puts that off, and a subscription that comes before would undo it
    /// (rd_kafka_cgrp_subscribe: "clear any existing postponed subscribe"): so that one waits until nothing is held any more.
    /// </summary>
    public void Rejoin()
    {
        _consumer.Unsubscribe();
        _isLeaving = true;
    }

    private void SubscribeWhenLeft()
    {
        if (_isLeaving && _consumer.Subscription.Count == 0 && _consumer.Assignment.Count == 0)
        {
            _isLeaving = false;
            _consumer.Subscribe(_topic);
        }
    }

    public void Close()
    {
        if (!_isClosed)
        {
            _isClosed = true;
            _group?.Dispose();
            _poller.Dispose();
            try
            {
                _consumer.Close();
            }
            catch (KafkaException e)
            {
                _listener?.OnFault(SourceFault.Transient, -1, $"close: {e.Error.Reason}");
            }

            ThrowWhatWasThrown();
        }
    }

    public void Dispose()
    {
        if (!_isClosed)
        {
            _isClosed = true;
            _group?.Dispose();
            _poller.Dispose();
        }

        _consumer.Dispose();
    }

    void IPollEvents.OnEnd(int partition, long offset) { }

    void IPollEvents.OnError(ErrorCode code, int partition, string detail)
    {
        switch (code)
        {
            case ErrorCode.Local_AutoOffsetReset or ErrorCode.OffsetOutOfRange:
                _listener?.OnFault(SourceFault.OffsetOutOfRange, partition, detail);
                break;
            case ErrorCode.Local_MaxPollExceeded:
                // The client leaves the group and joins again by itself; partitions are reported lost.
                _listener?.OnFault(SourceFault.Transient, partition, detail);
                break;
            default:
                ReportClientError(new Error(code, detail));
                break;
        }
    }

    private void ReportClientError(Error error)
    {
        SourceFault fault = error.Code switch
        {
            ErrorCode.FencedInstanceId => SourceFault.Fenced,
            _ when error.IsFatal && error.Code == ErrorCode.Local_Fatal => SourceFault.Fenced,
            _ when error.IsFatal || ErrorLadder.IsMisconfiguration(error.Code) => SourceFault.Fatal,
            // A topic may come back with the metadata; the guards at the start have seen it.
            _ => SourceFault.Transient,
        };
        if (error.Code is ErrorCode.Local_UnknownTopic or ErrorCode.Local_UnknownPartition)
        {
            fault = SourceFault.Transient;
        }

        Tell(listener => listener.OnFault(fault, -1, $"{error.Code}: {error.Reason}"));
    }

    /// <summary>
    /// The numbers of the partitions' ends: a place where a partition waits until its task is restored. Never a logical
    /// offset: librdkafka looks that up in the background, and an answer that comes after a seek starts another look-up
    /// without an offset, which ends as "auto.offset.reset" (or, were that not error, as a silent jump).
    /// </summary>
    private List<TopicPartitionOffset> EndsOf(List<TopicPartition> partitions)
    {
        List<TopicPartitionOffset> ends = new(partitions.Count);
        foreach (TopicPartition partition in partitions)
        {
            OffsetLookup end = default;
            for (int attempt = 0; attempt < EndAttempts; attempt++)
            {
                end = _queries.End(_topic, partition.Partition.Value, EndTimeoutMs);
                if (end.Status == LookupStatus.Found)
                {
                    break;
                }
            }

            // With the broker away the beginning has to do: the task is not active, so that nothing of it is judged, and if it
            // is out of range the seek assigns anew.
            ends.Add(new TopicPartitionOffset(partition, Math.Max(0, end.Offset)));
        }

        return ends;
    }

    private List<TopicPartitionOffset> Assigned(List<TopicPartition> partitions)
    {
        int[] numbers = Numbers(partitions);
        _toPause.UnionWith(numbers);
        Tell(listener => listener.OnAssigned(numbers));
        return EndsOf(partitions);
    }

    /// <summary>Tells the listener from within a handler.</summary>
    private void Tell(Action<IAssignmentListener> tell)
    {
        try
        {
            if (_listener is { } listener)
            {
                tell(listener);
            }
        }
        catch (Exception e)
        {
            _thrown ??= ExceptionDispatchInfo.Capture(e);
        }
    }

    private void ThrowWhatWasThrown()
    {
        if (_thrown is { } thrown)
        {
            _thrown = null;
            thrown.Throw();
        }
    }

    private void Apply(ReadOnlySpan<int> partitions, Action<IEnumerable<TopicPartition>> call)
    {
        List<TopicPartition> list = [];
        foreach (int partition in partitions)
        {
            list.Add(new TopicPartition(_topic, partition));
        }

        try
        {
            call(list);
        }
        catch (KafkaException)
        {
            // A partition that was taken away meanwhile: it has no task, and what comes from it is discarded.
        }
    }

    private static int[] Numbers(List<TopicPartition> partitions) =>
        [.. partitions.Select(static p => p.Partition.Value)];

    private static int[] Numbers(List<TopicPartitionOffset> partitions) =>
        [.. partitions.Select(static p => p.Partition.Value)];
}

/// <summary>Membership of a real group member, as it is at the moment of asking.</summary>
internal sealed class KafkaMembership : GroupMembership
{
    private KafkaMembership(IConsumerGroupMetadata? metadata, int generation, string memberId)
    {
        Metadata = metadata;
        Generation = generation;
        MemberId = memberId;
    }

    public IConsumerGroupMetadata? Metadata { get; }

    public override int Generation { get; }

    public override string MemberId { get; }

    /// <summary>
    /// What is sent first, then what the lane decides by: a member id never comes back, so that where the later look finds the
    /// one that the lane knows, what was taken before cannot be that of another.
    /// </summary>
    public static KafkaMembership Of(IConsumer<byte[]?, byte[]?> consumer)
    {
        IConsumerGroupMetadata metadata = consumer.ConsumerGroupMetadata;
        if (NativeHandles.Obstacle is null)
        {
            (int generation, string member) = NativeMembership.Of(consumer.Handle);
            return new KafkaMembership(metadata, generation, member);
        }

        // The managed way shows the member id only; the broker refuses a stale generation.
        return new KafkaMembership(metadata, 0, consumer.MemberId ?? "");
    }
}

/// <summary>Key or value as bytes, null when null.</summary>
internal sealed class NullableBytes : IDeserializer<byte[]?>, ISerializer<byte[]?>
{
    public static readonly NullableBytes Instance = new();

    public byte[]? Deserialize(
        ReadOnlySpan<byte> data,
        bool isNull,
        SerializationContext context
    ) => isNull ? null : data.ToArray();

    public byte[]? Serialize(byte[]? data, SerializationContext context) => data;
}
