using Dedup.Contracts.Identity;
using Dedup.Topology.Identify;
using Dedup.Topology.Pipelines;
using Dedup.Topology.Proof;
using Dedup.Topology.Records;

namespace Dedup.Topology.Judge;

/// <summary>
/// The time of a record that windows, clocks, and lateness go by, and whether it may be judged at that time: one rule for all
/// who move a clock.
/// </summary>
internal sealed class RecordTime
{
    private readonly PayloadTime? _payload;
    private readonly long[] _maxFutureMs;

    public RecordTime(PipelineSpec spec)
    {
        _payload = spec.Time.Payload;
        _maxFutureMs = [.. Enumerable.Range(0, spec.Windows.Length).Select(spec.MaxFutureOf)];
    }

    /// <summary>Reads it. Hot path: no allocation.</summary>
    /// <param name="record">The record.</param>
    /// <param name="known">Why the record cannot be judged, as far as is known.</param>
    /// <param name="windowClass">Its window class.</param>
    /// <param name="wallClockMs">Wall clock, for max-future.</param>
    /// <param name="timeMs">The time.</param>
    /// <returns>Why the record cannot be judged; None when it can.</returns>
    public Reason Read(
        in RecordView record,
        Reason known,
        int windowClass,
        long wallClockMs,
        out long timeMs
    )
    {
        timeMs = record.TimestampMs;
        if (timeMs <= 0)
        {
            known = Reason.TimestampMissing;
        }
        else if (_payload is not null && known == Reason.None)
        {
            known = _payload.Read(record, out timeMs);
        }

        return
            timeMs > wallClockMs + _maxFutureMs[windowClass]
            && !Planted.Is(PlantedBug.ClockUnbounded)
            ? Reason.TimestampTooFarInFuture
            : known;
    }
}
