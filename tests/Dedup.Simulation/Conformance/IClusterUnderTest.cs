using Dedup.Simulation.Broker;
using Dedup.Topology.Pipelines;
using Dedup.Topology.Ports;

namespace Dedup.Simulation.Conformance;

/// <summary>Settings of the topics that a scenario makes.</summary>
public sealed record TopicShape
{
    /// <summary>max.message.bytes of the clean topic; null for the broker's default.</summary>
    public int? CleanMaxBytes { get; init; }

    /// <summary>message.timestamp.after.max.ms of the clean topic; null for the widest.</summary>
    public long? CleanAfterMaxMs { get; init; }
}

/// <summary>A record at its place.</summary>
/// <param name="Offset">Offset.</param>
/// <param name="Record">The record.</param>
public sealed record PlacedRecord(long Offset, ModelRecord Record);

/// <summary>A Kafka cluster, real or modelled, with the ports of the product on it, and an outsider's view.</summary>
public interface IClusterUnderTest : IDisposable
{
    /// <summary>Makes the topics of a pipeline nobody else uses.</summary>
    PipelineSpec MakePipeline(int partitions = 1, TopicShape? shape = null);

    /// <summary>Writes to the input without a transaction; returns when all replicas have it.</summary>
    void Produce(string topic, int partition, params ModelRecord[] records);

    /// <summary>A member of the pipeline's group.</summary>
    IRecordSource Source(PipelineSpec spec, string? instanceId = null);

    /// <summary>A transactional producer.</summary>
    ITransactionalSink Sink(
        PipelineSpec spec,
        string transactionalId,
        int transactionTimeoutMs = 20_000
    );

    /// <summary>A reader of the changelog.</summary>
    IChangelogReader Reader(PipelineSpec spec);

    /// <summary>A fencer.</summary>
    IFencer Fencer(PipelineSpec spec);

    /// <summary>What a consumer sees.</summary>
    IReadOnlyList<PlacedRecord> Read(string topic, int partition, bool committedOnly);

    /// <summary>Ends of a log.</summary>
    LogBounds Bounds(string topic, int partition);

    /// <summary>Deletes records.</summary>
    void DeleteBefore(string topic, int partition, long offset);

    /// <summary>More partitions for all topics of a pipeline.</summary>
    void Grow(PipelineSpec spec, int partitions);

    /// <summary>Time goes on, for a little while.</summary>
    void Pass();

    /// <summary>Ms of a clock that goes with <see cref="Pass"/>.</summary>
    long NowMs { get; }
}
