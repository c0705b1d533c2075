using System.Collections.Immutable;
using Dedup.Contracts.Changelog;
using Dedup.Contracts.Identity;
using Dedup.Topology.Identify;
using Dedup.Topology.Ledger;
using Dedup.Topology.Pipelines;
using Dedup.Topology.Ports;
using Dedup.Topology.Proof;
using Dedup.Topology.Records;
using Dedup.Topology.Windows;

namespace Dedup.Topology.Judge;

/// <summary>What the judge says of one record.</summary>
/// <param name="Verdict">The verdict.</param>
/// <param name="Destination">Where the record goes.</param>
/// <param name="Reason">Why it goes to quarantine, else None.</param>
/// <param name="FirstSeen">With Duplicate and Conflict: the entry that it was found to repeat.</param>
public readonly record struct Judgement(
    Verdict Verdict,
    Destination Destination,
    Reason Reason,
    SeenEntry FirstSeen
);

/// <summary>
/// Judges the records of one partition: a function of record, state, and clock. Everything that it changes lies in the open
/// transaction (overlay, clocks, ledger) until <see cref="Commit"/> or <see cref="Abort"/>.
/// </summary>
/// <remarks>Hot path: no allocation once its arrays have grown.</remarks>
public sealed class PartitionJudge
{
    private readonly PipelineSpec _spec;
    private readonly SipHash _hash;
    private readonly IdScratch _scratch = new();
    private Identified[] _identified = new Identified[256];
    private StoreProbe[] _probes = new StoreProbe[256];
    private StoreHit[] _hits = new StoreHit[256];

    /// <summary>Makes a judge.</summary>
    /// <param name="spec">The pipeline.</param>
    /// <param name="hash">Keyed with the key of this partition's state.</param>
    public PartitionJudge(PipelineSpec spec, SipHash hash)
    {
        _spec = spec;
        _hash = hash;
        Clocks = new WindowClocks(spec.Windows.Length);
    }

    /// <summary>Window clocks.</summary>
    public WindowClocks Clocks { get; }

    /// <summary>Counts.</summary>
    public PartitionLedger Ledger { get; } = new();

    /// <summary>IDs judged first in the open transaction.</summary>
    public Overlay Overlay { get; } = new();

    /// <summary>
    /// Judges consecutive records of the partition. Identifies all, asks the store once for all, then judges one after the
    /// other, since each may be the first of the next.
    /// </summary>
    /// <param name="batch">The batch.</param>
    /// <param name="from">First record.</param>
    /// <param name="count">Number of records, all of this partition, in order.</param>
    /// <param name="wallClockMs">Wall clock, for max-future.</param>
    /// <param name="refusals">Records that a topic refused for good in an earlier attempt.</param>
    /// <param name="store">What was committed before.</param>
    /// <param name="judgements">Gets a judgement for each record.</param>
    public void Judge(
        RecordBatch batch,
        int from,
        int count,
        long wallClockMs,
        Refusals refusals,
        IFirstSeenStore store,
        Span<Judgement> judgements
    )
    {
        if (_identified.Length < count)
        {
            _identified = new Identified[count];
            _probes = new StoreProbe[count];
            _hits = new StoreHit[count];
        }

        long latest = wallClockMs + _spec.MaxFutureMs;
        for (int i = 0; i < count; i++)
        {
            batch.Get(from + i, out RecordView record);
            ref Identified identified = ref _identified[i];
            _spec.Recipe.Identify(record, _scratch, _hash, out identified);
            if (record.TimestampMs <= 0)
            {
                identified.Reason = Reason.TimestampMissing;
            }
            else if (record.TimestampMs > latest && !Planted.Is(PlantedBug.ClockUnbounded))
            {
                identified.Reason = Reason.TimestampTooFarInFuture;
            }

            if (
                !refusals.IsEmpty
                && refusals.TryGet(record.Partition, record.Offset, out Reason refusal)
            )
            {
                identified.Reason = refusal;
            }

            _probes[i] = new StoreProbe(
                identified.Key,
                record.TimestampMs,
                _spec.Windows[identified.Class].WindowMs
            );
        }

        store.Find(_probes.AsSpan(0, count), _hits.AsSpan(0, count));
        for (int i = 0; i < count; i++)
        {
            judgements[i] = JudgeOne(
                _identified[i],
                _probes[i],
                _hits[i],
                batch.OffsetOf(from + i)
            );
            Ledger.Count(judgements[i].Verdict, judgements[i].Destination, judgements[i].Reason);
        }
    }

    /// <summary>The transaction committed. The caller has put the overlay's entries into the store.</summary>
    public void Commit()
    {
        Clocks.Commit();
        Ledger.Commit();
        Overlay.Clear();
    }

    /// <summary>The transaction was aborted: nothing of it may influence the second judging.</summary>
    public void Abort()
    {
        if (!Planted.Is(PlantedBug.ClockKeptAfterAbort))
        {
            Clocks.Abort();
        }

        if (!Planted.Is(PlantedBug.CountsKeptAfterAbort))
        {
            Ledger.Abort();
        }

        if (!Planted.Is(PlantedBug.OverlayKeptAfterAbort))
        {
            Overlay.Clear();
        }
    }

    /// <summary>Takes clocks and counts over from a marker.</summary>
    public void Load(Marker marker)
    {
        Overlay.Clear();
        Clocks.Load(Planted.Is(PlantedBug.RebuildForgetsClocks) ? [] : marker.Classes);
        Ledger.Load(Planted.Is(PlantedBug.RestoreForgetsCounts) ? [] : marker.Counts);
    }

    private Judgement JudgeOne(
        in Identified identified,
        in StoreProbe probe,
        in StoreHit hit,
        long offset
    )
    {
        if (identified.Reason != Reason.None)
        {
            return new Judgement(
                Verdict.Invalid,
                Destination.Quarantine,
                identified.Reason,
                default
            );
        }

        WindowClass window = _spec.Windows[identified.Class];
        long clock = Clocks.See(identified.Class, probe.TimestampMs);
        SeenEntry seen = hit.Entry;
        bool known = hit.IsFound && IsLive(hit.Class, hit.Entry.SeenMs, window, clock);
        if (
            Overlay.TryFind(
                probe.Key,
                probe.TimestampMs,
                window.WindowMs,
                out SeenEntry open,
                out ushort openClass
            )
            && IsLive(openClass, open.SeenMs, window, clock)
            && (!known || open.SeenMs > seen.SeenMs)
        )
        {
            seen = open;
            known = true;
        }

        if (
            known
            && !(
                Planted.Is(PlantedBug.DuplicateForwardedLate)
                && window.IsLate(probe.TimestampMs, clock)
            )
        )
        {
            return new Judgement(Verdict.Duplicate, Destination.Duplicate, Reason.None, seen);
        }

        if (window.IsLate(probe.TimestampMs, clock))
        {
            return JudgeLate(identified, probe, window, clock, offset);
        }

        Remember(identified, probe, window, offset);
        return new Judgement(Verdict.First, Destination.Clean, Reason.None, default);
    }

    /// <summary>
    /// An entry counts while both its own class and the record's say so: its own, because its bucket may be dropped then;
    /// the record's, because a window made shorter takes effect at once.
    /// </summary>
    private bool IsLive(ushort entryClass, long seenMs, WindowClass window, long clockMs) =>
        (window.IsLive(seenMs, clockMs) || Planted.Is(PlantedBug.ExpiryIgnored))
        && (
            entryClass == window.Id
            || entryClass >= _spec.Windows.Length
            || _spec.Windows[entryClass].IsLive(seenMs, Clocks.Open(entryClass))
        );

    private Judgement JudgeLate(
        in Identified identified,
        in StoreProbe probe,
        WindowClass window,
        long clockMs,
        long offset
    )
    {
        switch (_spec.Late)
        {
            case LatePolicy.Quarantine:
                return new Judgement(Verdict.Late, Destination.Quarantine, Reason.Late, default);
            case LatePolicy.Drop:
                return new Judgement(Verdict.Late, Destination.LateDropped, Reason.None, default);
            default:
                // One that has expired already cannot be remembered: its bucket may be gone.
                if (
                    window.IsLive(probe.TimestampMs, clockMs)
                    && !Planted.Is(PlantedBug.LateForgotten)
                )
                {
                    Remember(identified, probe, window, offset);
                }

                return new Judgement(Verdict.Late, Destination.Clean, Reason.None, default);
        }
    }

    private void Remember(
        in Identified identified,
        in StoreProbe probe,
        WindowClass window,
        long offset
    ) =>
        Overlay.Add(
            new NewEntry(
                probe.Key,
                new SeenEntry(
                    probe.TimestampMs,
                    offset,
                    identified.Fingerprint,
                    identified.ScopeTag
                ),
                window.BucketOf(probe.TimestampMs)
            )
        );
}
