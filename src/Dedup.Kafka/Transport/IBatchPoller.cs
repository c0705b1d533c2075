using Confluent.Kafka;
using Dedup.Topology.Ports;
using Dedup.Topology.Records;

namespace Dedup.Kafka.Transport;

/// <summary>The call made for every record on the way in; native, or managed where the native handle cannot be reached.</summary>
internal interface IBatchPoller : IDisposable
{
    /// <summary>See <see cref="IRecordSource.Poll"/>.</summary>
    RecordBatch Poll(int maxRecords, int timeoutMs);
}

/// <summary>What a poll brings beside records.</summary>
internal interface IPollEvents
{
    /// <summary>The end of a partition was reached at that offset (control records included).</summary>
    void OnEnd(int partition, long offset);

    /// <summary>The client reports an error.</summary>
    void OnError(ErrorCode code, int partition, string detail);
}

/// <summary>The call made for every record on the way out.</summary>
internal interface IRecordSender : IDisposable
{
    /// <summary>See <see cref="ITransactionalSink.Forward"/>.</summary>
    TxResult Forward(
        SinkTopic topic,
        int partition,
        RecordBatch batch,
        int index,
        long timestampMs,
        AddedHeaders? added
    );

    /// <summary>See <see cref="ITransactionalSink.ForwardAs"/>.</summary>
    TxResult ForwardAs(
        SinkTopic topic,
        int partition,
        RecordBatch batch,
        int index,
        ReadOnlySpan<byte> key,
        bool keyIsNull,
        long timestampMs,
        AddedHeaders? added
    );

    /// <summary>See <see cref="ITransactionalSink.Send"/>.</summary>
    TxResult Send(
        SinkTopic topic,
        int partition,
        ReadOnlySpan<byte> key,
        ReadOnlySpan<byte> value,
        bool isTombstone,
        long timestampMs,
        AddedHeaders? added
    );
}
