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
public abstract class ConformanceSuite
{
    /// <summary>Longest wait for one answer.</summary>
    protected const int WaitMs = 20_000;

    /// <summary>Begins a scenario on a cluster.</summary>
    protected abstract IClusterUnderTest Begin();

    protected static ModelRecord Record(
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

    protected static void Send(
        ITransactionalSink sink,
        string key,
        SinkTopic topic = SinkTopic.Clean
    ) => SendRaw(sink, key, topic).ShouldBe(TxResult.Ok);

    protected static TxResult SendRaw(
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

    protected static ITransactionalSink Ready(
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

    protected static void Eventually(
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

    protected static string[] Keys(IReadOnlyList<PlacedRecord> records) =>
        [
            .. records.Select(static r =>
                Encoding.UTF8.GetString(r.Record.Key ?? "null"u8.ToArray())
            ),
        ];

    protected static string[] Committed(
        IClusterUnderTest cluster,
        string topic,
        int partition = 0
    ) => Keys(cluster.Read(topic, partition, committedOnly: true));

    /// <summary>A call that must not succeed any more, however its failure is called.</summary>
    protected static void ShouldBeFenced(TxResult result) =>
        result.Outcome.ShouldBeOneOf(TxOutcome.Fenced, TxOutcome.Fatal);

    protected static Member Join(
        IClusterUnderTest cluster,
        PipelineSpec spec,
        int partitions = 1,
        string? instanceId = null
    )
    {
        var member = new Member(cluster, cluster.Source(spec, instanceId));
        member.PollUntil(() => member.Owned.Count == partitions);
        return member;
    }

    protected static TxResult SendOffset(ITransactionalSink sink, Member member, long offset) =>
        sink.SendOffsets([new PartitionOffset(0, offset)], member.Source.Membership, WaitMs);

    protected static OffsetLookup CommittedOffset(IClusterUnderTest cluster, Member member)
    {
        OffsetLookup found = default;
        Eventually(
            cluster,
            () =>
            {
                found = member.Source.Committed(0, 1_000);
                return found.Status is LookupStatus.Found or LookupStatus.None;
            }
        );
        return found;
    }

    protected static ModelRecord[] HostileRecords() =>
        [
            new()
            {
                Key = null,
                Value = "no key"u8.ToArray(),
                TimestampMs = 1,
            },
            new()
            {
                Key = [],
                Value = "empty key"u8.ToArray(),
                TimestampMs = 2,
            },
            new()
            {
                Key = "tombstone"u8.ToArray(),
                Value = null,
                TimestampMs = 3,
            },
            new()
            {
                Key = "empty value"u8.ToArray(),
                Value = [],
                TimestampMs = 4,
            },
            new()
            {
                Key = [0, 255, 254, 10, 13],
                Value = [0, 0, 255],
                TimestampMs = 1_700_000_000_000,
            },
            new()
            {
                Key = "headers"u8.ToArray(),
                Value = "v"u8.ToArray(),
                TimestampMs = 5,
                Headers =
                [
                    new ModelHeader("b"u8.ToArray(), "1"u8.ToArray()),
                    new ModelHeader("a"u8.ToArray(), "2"u8.ToArray()),
                    new ModelHeader("b"u8.ToArray(), "3"u8.ToArray()),
                    new ModelHeader("null"u8.ToArray(), null),
                    new ModelHeader("empty"u8.ToArray(), []),
                    new ModelHeader("bytes"u8.ToArray(), [0xC3, 0x28, 0xFF]),
                ],
            },
        ];

    protected static void ShouldBeSame(ModelRecord actual, ModelRecord expected, string what)
    {
        actual.Key.ShouldBe(expected.Key, what);
        actual.Value.ShouldBe(expected.Value, what);
        actual.TimestampMs.ShouldBe(expected.TimestampMs, what);
        actual.Headers.Length.ShouldBe(expected.Headers.Length, what);
        for (int i = 0; i < expected.Headers.Length; i++)
        {
            actual.Headers[i].Name.ShouldBe(expected.Headers[i].Name, what);
            actual.Headers[i].Value.ShouldBe(expected.Headers[i].Value, what);
        }
    }
}
