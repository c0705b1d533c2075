using System.Text;
using Dedup.Simulation.Broker;
using Dedup.Topology.Pipelines;
using Dedup.Topology.Ports;
using Shouldly;

namespace Dedup.Simulation.Conformance;

/// <summary>
/// What the product relies on of Kafka, as scenarios against the ports. Run on the model broker and on a real Kafka: where
/// they differ, the model is wrong and is mended.
/// </summary>
public abstract partial class ConformanceSuite
{
    /// <summary>Longest wait for one answer.</summary>
    protected const int WaitMs = 20_000;

    /// <summary>Begins a scenario on a cluster.</summary>
    protected abstract IClusterUnderTest Begin();

    private static ModelRecord Record(
        string key,
        string value = "v",
        long timestampMs = 1_000_000
    ) =>
        new()
        {
            Key = Encoding.UTF8.GetBytes(key),
            Value = Encoding.UTF8.GetBytes(value),
            TimestampMs = timestampMs,
        };

    private static void Send(
        ITransactionalSink sink,
        string key,
        SinkTopic topic = SinkTopic.Clean
    ) => SendRaw(sink, key, topic).ShouldBe(TxResult.Ok);

    private static TxResult SendRaw(
        ITransactionalSink sink,
        string key,
        SinkTopic topic = SinkTopic.Clean,
        int size = 3,
        long timestampMs = 2_000_000
    ) =>
        sink.Send(
            topic,
            0,
            Encoding.UTF8.GetBytes(key),
            new byte[size],
            isTombstone: false,
            timestampMs,
            added: null
        );

    private static ITransactionalSink Ready(
        IClusterUnderTest cluster,
        PipelineSpec spec,
        string transactionalId = "a",
        int transactionTimeoutMs = 20_000
    )
    {
        ITransactionalSink sink = cluster.Sink(
            spec,
            $"{spec.Name}-{transactionalId}",
            transactionTimeoutMs
        );
        sink.Initialise(WaitMs).ShouldBe(TxResult.Ok);
        return sink;
    }

    private static void Eventually(
        IClusterUnderTest cluster,
        Func<bool> holds,
        int timeoutMs = WaitMs
    )
    {
        long untilMs = cluster.NowMs + timeoutMs;
        while (!holds())
        {
            cluster.NowMs.ShouldBeLessThan(untilMs, "it did not happen in time");
            cluster.Pass();
        }
    }

    private static string[] Keys(IReadOnlyList<PlacedRecord> records) =>
        [
            .. records.Select(static r =>
                Encoding.UTF8.GetString(r.Record.Key ?? "null"u8.ToArray())
            ),
        ];

    private static string[] Committed(IClusterUnderTest cluster, string topic, int partition = 0) =>
        Keys(cluster.Read(topic, partition, committedOnly: true));

    /// <summary>A call that must not succeed any more, however its failure is called.</summary>
    private static void ShouldBeFenced(TxResult result) =>
        result.Outcome.ShouldBeOneOf(TxOutcome.Fenced, TxOutcome.Fatal);
}
