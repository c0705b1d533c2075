using Dedup.Simulation.Broker;
using Dedup.Simulation.Clients;
using Dedup.Simulation.Faults;
using Dedup.Simulation.Worlds;
using Dedup.Topology.Identify;
using Dedup.Topology.Pipelines;
using Dedup.Topology.Ports;
using Dedup.Topology.Windows;

namespace Dedup.Simulation.Conformance;

/// <summary>The model broker, without faults.</summary>
public sealed class ModelClusterUnderTest : IClusterUnderTest
{
    private readonly World _world = new(1);
    private readonly ModelCluster _cluster;
    private readonly FaultPlan _faults;
    private int _made;

    /// <summary>Makes an empty cluster.</summary>
    public ModelClusterUnderTest()
    {
        _cluster = new ModelCluster(_world, 1);
        _faults = new FaultPlan(_world, 1);
        _cluster.Transactions.Sweep();
    }

    /// <inheritdoc/>
    public long NowMs => _world.NowMs;

    /// <inheritdoc/>
    public PipelineSpec MakePipeline(int partitions = 1, TopicShape? shape = null)
    {
        string name = $"p{++_made}";
        var spec = new PipelineSpec
        {
            Name = name,
            Input = name,
            Clean = name + ".clean",
            Quarantine = name + ".quarantine",
            Duplicates = name + ".duplicates",
            Recipe = Recipe.Key,
            Windows = [new WindowClass(0, "", 1000, 1000)],
        };
        _ = _cluster.MakeTopic(spec.Input, partitions);
        ModelTopic clean = _cluster.MakeTopic(spec.Clean, partitions);
        clean.MaxMessageBytes = shape?.CleanMaxBytes ?? clean.MaxMessageBytes;
        clean.TimestampAfterMaxMs = shape?.CleanAfterMaxMs ?? clean.TimestampAfterMaxMs;
        _ = _cluster.MakeTopic(spec.Quarantine, partitions);
        _ = _cluster.MakeTopic(spec.Duplicates, partitions);
        _ = _cluster.MakeTopic(spec.Changelog, partitions);
        _ = _cluster.MakeTopic(spec.Repartition, partitions);
        _cluster.Group(spec.Group).WatchSessions(500);
        return spec;
    }

    /// <inheritdoc/>
    public void Produce(string topic, int partition, params ModelRecord[] records)
    {
        foreach (ModelRecord record in records)
        {
            _ = _cluster.Log(topic, partition)!.AppendPlain(record);
        }
    }

    /// <inheritdoc/>
    public IRecordSource Source(PipelineSpec spec, string? instanceId = null) =>
        new ModelSource(
            NewEnvironment(),
            new SourceOptions
            {
                Group = spec.Group,
                Topic = spec.Input,
                InstanceId = instanceId,
            }
        );

    /// <inheritdoc/>
    public ITransactionalSink Sink(
        PipelineSpec spec,
        string transactionalId,
        int transactionTimeoutMs = 20_000
    ) =>
        new ModelSink(
            NewEnvironment(),
            new SinkOptions
            {
                TransactionalId = transactionalId,
                Group = spec.Group,
                Topics = Topics(spec),
                TransactionTimeoutMs = transactionTimeoutMs,
                MaxMessageBytes = 10_485_760,
                LingerRecords = 3,
            }
        );

    /// <inheritdoc/>
    public IChangelogReader Reader(PipelineSpec spec) =>
        new ModelChangelogReader(NewEnvironment(), spec.Changelog);

    /// <inheritdoc/>
    public IFencer Fencer(PipelineSpec spec) => new ModelFencer(NewEnvironment(), Topics(spec));

    /// <inheritdoc/>
    public IReadOnlyList<PlacedRecord> Read(string topic, int partition, bool committedOnly)
    {
        ModelLog log = _cluster.Log(topic, partition)!;
        var batch = new ModelBatch();
        long position = log.StartOffset;
        Isolation isolation = committedOnly ? Isolation.ReadCommitted : Isolation.ReadUncommitted;
        _ = LogReader.Read(log, isolation, ref position, int.MaxValue, batch);
        var records = new List<PlacedRecord>();
        for (int i = 0; i < batch.Count; i++)
        {
            records.Add(new PlacedRecord(batch.OffsetOf(i), batch.Record(i)));
        }

        return records;
    }

    /// <inheritdoc/>
    public LogBounds Bounds(string topic, int partition) => _cluster.Log(topic, partition)!.Bounds;

    /// <inheritdoc/>
    public void DeleteBefore(string topic, int partition, long offset) =>
        _cluster.Log(topic, partition)!.DeleteBefore(offset);

    /// <inheritdoc/>
    public void Grow(PipelineSpec spec, int partitions)
    {
        foreach (string? topic in (string?[])[spec.Input, .. Topics(spec)])
        {
            _cluster.Topic(topic!).Grow(partitions);
        }

        // The members' metadata is refreshed after a while, which makes them join again.
        _world.After(1000, () => _cluster.Group(spec.Group).Disturb(reshuffle: false));
    }

    /// <inheritdoc/>
    public void Pass() => _world.RunUntil(_world.NowMs + 10);

    /// <inheritdoc/>
    public void Dispose() { }

    private static string?[] Topics(PipelineSpec spec) =>
        [spec.Clean, spec.Duplicates, spec.Quarantine, spec.Changelog, spec.Repartition];

    private ClientEnvironment NewEnvironment()
    {
        int number = ++_made;
        var process = new ModelProcess(_world, $"process{number}");
        return new ClientEnvironment(
            _cluster,
            new Actor(process, $"client{number}", number),
            _faults
        );
    }
}
