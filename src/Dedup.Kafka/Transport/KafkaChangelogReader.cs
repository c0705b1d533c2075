using Confluent.Kafka;
using Dedup.Kafka.Native;
using Dedup.Topology.Ports;
using Dedup.Topology.Records;

namespace Dedup.Kafka.Transport;

/// <summary>Reads changelog partitions of a real Kafka, committed only; its clients are made when first needed.</summary>
internal sealed class KafkaChangelogReader(
    ClientSettings settings,
    LogQueries queries,
    string topic,
    string clientId,
    bool useNative
) : IChangelogReader, IPollEvents
{
    private readonly SortedDictionary<int, long> _positions = [];
    private readonly EmptyBatch _empty = new();
    private IConsumer<byte[]?, byte[]?>? _consumer;
    private IBatchPoller? _poller;
    private string? _failure;

    public BoundsLookup Bounds(int partition, int timeoutMs) =>
        _failure is null
            ? queries.Bounds(topic, partition, timeoutMs)
            : new BoundsLookup(LookupStatus.Failed, default, _failure);

    public void Open(int partition, long fromOffset)
    {
        EnsureConsumer();
        _positions[partition] = fromOffset;
        _consumer!.IncrementalAssign([new TopicPartitionOffset(topic, partition, fromOffset)]);
    }

    public void Close(int partition)
    {
        if (_positions.Remove(partition))
        {
            _consumer!.IncrementalUnassign([new TopicPartition(topic, partition)]);
            if (_positions.Count == 0)
            {
                // Its prefetch buffer is given back: between restores a lane holds none.
                _poller!.Dispose();
                _consumer.Dispose();
                _poller = null;
                _consumer = null;
            }
        }
    }

    public RecordBatch Poll(int maxRecords, int timeoutMs)
    {
        if (_poller is null)
        {
            return _empty;
        }

        RecordBatch batch = _poller.Poll(maxRecords, timeoutMs);
        for (int i = 0; i < batch.Count; i++)
        {
            Advance(batch.PartitionOf(i), batch.OffsetOf(i) + 1);
        }

        if (batch.Count == 0)
        {
            AdvanceOverControlRecords();
        }

        return batch;
    }

    public long Position(int partition) => _positions.GetValueOrDefault(partition, -1);

    public void Dispose()
    {
        _poller?.Dispose();
        _consumer?.Dispose();
    }

    void IPollEvents.OnEnd(int partition, long offset) => Advance(partition, offset);

    void IPollEvents.OnError(ErrorCode code, int partition, string detail)
    {
        if (
            ErrorLadder.IsMisconfiguration(code)
            || code is ErrorCode.Local_AutoOffsetReset or ErrorCode.OffsetOutOfRange
        )
        {
            _failure = $"{topic}-{partition}: {code}: {detail}";
        }
    }

    private void Advance(int partition, long offset)
    {
        if (_positions.TryGetValue(partition, out long position) && offset > position)
        {
            _positions[partition] = offset;
        }
    }

    /// <summary>
    /// The client's own position passes over control records, which end every transaction, aborted ones too. Its end-of-partition
    /// event cannot be relied upon alone: it is not repeated for a partition that was read by this client before.
    /// </summary>
    private void AdvanceOverControlRecords()
    {
        foreach (int partition in _positions.Keys.ToArray())
        {
            Offset position = _consumer!.Position(new TopicPartition(topic, partition));
            if (!position.IsSpecial)
            {
                Advance(partition, position.Value);
            }
        }
    }

    private void EnsureConsumer()
    {
        if (_consumer is null)
        {
            _consumer = new ConsumerBuilder<byte[]?, byte[]?>(
                settings.Reader(clientId, committedOnly: true)
            )
                .SetKeyDeserializer(NullableBytes.Instance)
                .SetValueDeserializer(NullableBytes.Instance)
                .SetErrorHandler(static (_, _) => { })
                .SetLogHandler(static (_, _) => { })
                .Build();
            _poller = useNative
                ? new NativeBatchPoller(_consumer.Handle, this)
                : new ManagedBatchPoller(_consumer, this);
        }
    }

    private sealed class EmptyBatch : RecordBatch
    {
        public override int Count => 0;

        public override void Get(int index, out RecordView record) =>
            throw new ArgumentOutOfRangeException(nameof(index));

        public override int PartitionOf(int index) =>
            throw new ArgumentOutOfRangeException(nameof(index));

        public override long OffsetOf(int index) =>
            throw new ArgumentOutOfRangeException(nameof(index));

        public override int HeaderCount(int index) =>
            throw new ArgumentOutOfRangeException(nameof(index));

        public override void GetHeader(
            int index,
            int header,
            out ReadOnlySpan<byte> name,
            out ReadOnlySpan<byte> value,
            out bool isNull
        ) => throw new ArgumentOutOfRangeException(nameof(index));

        public override void Release() { }
    }
}
