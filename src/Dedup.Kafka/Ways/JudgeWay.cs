using Dedup.Kafka.Lanes;
using Dedup.Kafka.Route;
using Dedup.Kafka.Tasks;
using Dedup.Topology.Judge;
using Dedup.Topology.Pipelines;
using Dedup.Topology.Ports;
using Dedup.Topology.Proof;
using Dedup.Topology.Records;
using Dedup.Topology.Rekey;
using Dedup.Topology.Tenants;

namespace Dedup.Kafka.Ways;

/// <summary>Judge and route: by-input, and the second hop of by-id, which judges the originals of what it polls.</summary>
internal sealed class JudgeWay(
    PipelineSpec spec,
    LanePorts ports,
    LaneOptions options,
    Refusals refusals
) : RecordWay
{
    private readonly RecordRouter _router = new(spec, ports, refusals);
    private readonly OriginalBatch? _originals = spec.Hop == Hop.Judge ? new OriginalBatch() : null;
    private Judgement[] _judgements = new Judgement[options.MaxPollRecords];

    public override bool Spreads => _originals is not null;

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
        if (_judgements.Length < count)
        {
            _judgements = new Judgement[count];
        }

        if (_originals is not null)
        {
            _originals.Open(batch, from, count);
            batch = _originals;
        }

        bytes = 0;
        Span<Judgement> judgements = _judgements.AsSpan(0, count);
        int judged = task.Judge.Judge(batch, from, count, nowMs, refusals, task.Store!, judgements);
        for (sent = 0; sent < judged; sent++)
        {
            TxResult result = _router.Send(
                batch,
                from + sent,
                judgements[sent],
                nowMs,
                out int size
            );
            if (!result.IsOk)
            {
                return result;
            }

            bytes += size;
            if (ports.CrashPoints.WantsRecords)
            {
                ports.CrashPoints.Reached(CrashPoints.AfterProduce);
            }
        }

        if (judged < count)
        {
            (Tenant tenant, long waitMs) = task.Judge.Throttled;
            task.Throttled = new TaskThrottle(tenant.Text, waitMs);
        }

        return TxResult.Ok;
    }
}
