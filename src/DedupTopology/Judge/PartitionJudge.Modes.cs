using System.Collections.Immutable;
using System.Numerics;
using Dedup.Contracts.Changelog;
using Dedup.Contracts.Identity;
using Dedup.Topology.Identify;
using Dedup.Topology.Ledger;
using Dedup.Topology.Proof;
using Dedup.Topology.Records;

namespace Dedup.Topology.Judge;

/// <content>Where a record goes whose judgement is not enforced.</content>
public sealed partial class PartitionJudge
{
    /// <summary>Off: everything is forwarded but what no topic takes.</summary>
    private void PassOn(
        RecordBatch batch,
        int from,
        int count,
        Refusals refusals,
        Span<Judgement> judgements
    )
    {
        for (int i = 0; i < count; i++)
        {
            Reason reason = WhyUnsendable(batch, from + i, refusals);
            judgements[i] =
                reason == Reason.None
                    ? new Judgement(Verdict.Unjudged, Destination.Clean, Reason.None, default)
                    : new Judgement(Verdict.Invalid, Destination.Quarantine, reason, default);
            if (Planted.Is(PlantedBug.OffMovesClock))
            {
                _ = Clocks.See(0, batch.TimestampOf(from + i));
            }

            Ledger.Count(judgements[i].Verdict, judgements[i].Destination, reason);
        }
    }

    /// <summary>Shadow: what would have gone elsewhere goes to clean, but for what cannot be sent there unchanged.</summary>
    private Judgement Spare(
        in Judgement judgement,
        int at,
        RecordBatch batch,
        int index,
        Refusals refusals
    ) =>
        IsEnforced(_identified[at]) || WhyUnsendable(batch, index, refusals) != Reason.None
            ? judgement
            : judgement with
            {
                Destination = Destination.Clean,
                IsSpared = true,
            };

    private bool IsEnforced(in Identified identified) =>
        (Planted.Is(PlantedBug.PercentWithoutId) && identified.Reason != Reason.None)
        || _mode.IsEnforced(
            Planted.Is(PlantedBug.PercentByKey) ? identified.Key.High
            : Planted.Is(PlantedBug.PercentDrawnAnew)
                ? BitOperations.RotateLeft(identified.PercentHash, _mode.Percent)
            : identified.PercentHash
        );

    /// <summary>A topic refused it for good, or is certain to, or the client would replace its timestamp; else None.</summary>
    private Reason WhyUnsendable(RecordBatch batch, int index, Refusals refusals) =>
        !refusals.IsEmpty
        && refusals.TryGet(
            batch.LogPartitionOf(index),
            batch.LogOffsetOf(index),
            out Reason refusal
        )
            ? refusal
        : IsForeign(index) ? Reason.NotRekeyed
        : batch.SizeOf(index) > _mostToClean ? Reason.RefusedTooLarge
        : batch.TimestampOf(index) <= 0 ? Reason.TimestampMissing
        : Reason.None;

    /// <summary>What was counted before: in whichever mode, since a change of mode loses nothing.</summary>
    private ImmutableArray<KeyValuePair<string, long>> CountsOf(Marker marker) =>
        Planted.Is(PlantedBug.RestoreForgetsCounts) ? []
        : Planted.Is(PlantedBug.SparedCountsForgotten) && !_mode.IsLenient
            ?
            [
                .. marker.Counts.Where(static c =>
                    !c.Key.StartsWith("shadow", StringComparison.Ordinal)
                ),
            ]
        : marker.Counts;
}
