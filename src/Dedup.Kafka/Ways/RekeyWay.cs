using Dedup.Contracts.Identity;
using Dedup.Kafka.Lanes;
using Dedup.Kafka.Route;
using Dedup.Kafka.Tasks;
using Dedup.Topology.Judge;
using Dedup.Topology.Ledger;
using Dedup.Topology.Pipelines;
using Dedup.Topology.Ports;
using Dedup.Topology.Proof;
using Dedup.Topology.Records;
using Dedup.Topology.Rekey;

namespace Dedup.Kafka.Ways;

/// <summary>
/// The first hop of by-id: each record to the partition of its event ID, with what the second hop has to know before its
/// key. A task of it has clocks, counts, and a marker like any other, and an empty store.
/// </summary>
internal sealed class RekeyWay(PipelineSpec spec, LanePorts ports, Refusals refusals) : RecordWay
{
    private readonly Rekeyer _rekeyer = new(spec);
    private readonly RecordRouter _router = new(spec, ports, refusals);

    public override bool Spreads => true;

    public override TxResult Take(
        PartitionTask task,
        RecordBatch batch,
        int from,
        int count,
        long nowMs,
        out int sent,
        out long bytes
    )
    {
        bytes = 0;
        PartitionJudge state = task.Judge;
        for (sent = 0; sent < count; sent++)
        {
            int index = from + sent;
            batch.Get(index, out RecordView record);
            TxResult result =
                !refusals.IsEmpty
                && refusals.TryGet(record.Partition, record.Offset, out Reason refusal)
                    ? Quarantine(state, batch, index, refusal, nowMs)
                    : Rekey(state, record, nowMs);
            if (!result.IsOk)
            {
                return result;
            }

            bytes += record.Key.Length + record.Value.Length;
            if (ports.CrashPoints.WantsRecords)
            {
                ports.CrashPoints.Reached(CrashPoints.AfterProduce);
            }
        }

        return TxResult.Ok;
    }

    /// <summary>With the current time: the second hop tells idle input partitions by it, and no broker refuses it.</summary>
    private TxResult Rekey(PartitionJudge state, in RecordView record, long nowMs)
    {
        int partition = _rekeyer.PartitionFor(record, state.Clocks, nowMs);
        state.Ledger.Count(Destination.Repartition);
        return ports.Sink.ForwardAs(
            SinkTopic.Repartition,
            partition,
            record.Batch,
            record.Index,
            _rekeyer.Key,
            keyIsNull: false,
            nowMs,
            added: null
        );
    }

    /// <summary>What the repartition topic refuses for good cannot reach the second hop.</summary>
    private TxResult Quarantine(
        PartitionJudge state,
        RecordBatch batch,
        int index,
        Reason reason,
        long nowMs
    )
    {
        state.Ledger.Count(Verdict.Invalid, Destination.Quarantine, reason);
        return _router.Send(
            batch,
            index,
            new Judgement(Verdict.Invalid, Destination.Quarantine, reason, default),
            nowMs,
            out _
        );
    }
}
