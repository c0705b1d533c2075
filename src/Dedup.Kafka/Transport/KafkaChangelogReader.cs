using Confluent.Kafka;
using Dedup.Kafka.Native;
using Dedup.Topology.Ports;
using Dedup.Topology.Records;

namespace Dedup.Kafka.Transport;

/// <summary>Reads changelog partitions of a real Kafka, committed only; its clients are made when first needed.</summary>
internal sealed class KafkaChangelogReader(
    ClientSettings settings,
    string topic,
    string clientId,
    bool useNative
) : IChangelogReader, IPollEvents
{
    private readonly SortedDictionary<int, long> _positions = [];
    private readonly EmptyBatch _empty = new();
    private IConsumer<byte[]?, byte[]?>? _consumer;
    private IBatchPoller? _poller;
    private IAdminClient? _admin;
    private string? _failure;

    private IAdminClient Admin => _admin ??= new AdminClientBuilder(settings.Admin()).Build();

    public BoundsLookup Bounds(int partition, int timeoutMs) =>
        _failure is null
            ? new LogQueries(Admin).Bounds(topic, partition, timeoutMs)
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

        return batch;
    }

    public long Position(int partition) => _positions.GetValueOrDefault(partition, -1);

    public void Dispose()
    {
        _poller?.Dispose();
        _consumer?.Dispose();
        _admin?.Dispose();
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
