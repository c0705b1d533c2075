using System.Text;
using Dedup.Simulation.Broker;
using Dedup.Topology.Pipelines;
using Dedup.Topology.Ports;
using Dedup.Topology.Records;
using Shouldly;

namespace Dedup.Simulation.Conformance;

/// <summary>Records under another key than their own, as both hops of by-id send them.</summary>
public abstract class KeyScenarios : ConformanceSuite
{
    [Fact]
    public void A_record_forwarded_under_another_key_keeps_everything_else()
    {
        using IClusterUnderTest cluster = Begin();
        PipelineSpec spec = cluster.MakePipeline();
        ModelRecord[] records = HostileRecords();
        cluster.Produce(spec.Input, 0, records);
        using ITransactionalSink sink = Ready(cluster, spec);
        Member member = Join(cluster, spec);
        sink.Begin().ShouldBe(TxResult.Ok);
        // A key of bytes, an empty one, none: by turns.
        byte[]?[] keys =
        [
            [0xD1, 0x00],
            [],
            null,
        ];

        member.PollUntil(
            () => member.Records.Count == records.Length,
            each: (batch, i) =>
            {
                batch.Get(i, out RecordView view);
                byte[]? key = keys[(int)(view.Offset % keys.Length)];
                sink.ForwardAs(
                        SinkTopic.Repartition,
                        0,
                        batch,
                        i,
                        key,
                        key is null,
                        view.TimestampMs,
                        null
                    )
                    .ShouldBe(TxResult.Ok);
            }
        );
        sink.Commit(WaitMs).ShouldBe(TxResult.Ok);

        Eventually(
            cluster,
            () => cluster.Read(spec.Repartition, 0, committedOnly: true).Count == records.Length
        );
        IReadOnlyList<PlacedRecord> sent = cluster.Read(spec.Repartition, 0, committedOnly: true);
        for (int i = 0; i < records.Length; i++)
        {
            var expected = new ModelRecord
            {
                Key = keys[i % keys.Length],
                Value = records[i].Value,
                Headers = records[i].Headers,
                TimestampMs = records[i].TimestampMs,
            };
            ShouldBeSame(sent[i].Record, expected, $"record {i}");
        }

        member.Source.Close();
    }
}
