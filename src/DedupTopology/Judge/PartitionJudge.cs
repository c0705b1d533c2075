using Dedup.Contracts.Changelog;
using Dedup.Contracts.Identity;
using Dedup.Topology.Identify;
using Dedup.Topology.Ledger;
using Dedup.Topology.Pipelines;
using Dedup.Topology.Ports;
using Dedup.Topology.Proof;
using Dedup.Topology.Records;
using Dedup.Topology.Rekey;
using Dedup.Topology.Tenants;
using Dedup.Topology.Windows;

namespace Dedup.Topology.Judge;

/// <summary>What the judge says of one record.</summary>
/// <param name="Verdict">The verdict.</param>
/// <param name="Destination">Where the record goes.</param>
/// <param name="Reason">Why it goes to quarantine, or would, else None.</param>
/// <param name="FirstSeen">With Duplicate and Conflict: the entry that it was found to repeat.</param>
/// <param name="IsSpared">Whether only the mode sends it to clean: enforced, it would go elsewhere.</param>
public readonly record struct Judgement(
    Verdict Verdict,
    Destination Destination,
    Reason Reason,
    SeenEntry FirstSeen,
    bool IsSpared = false
);

/// <summary>
/// Judges the records of one partition: a function of record, state, and clock. Everything that it changes lies in the open
/// transaction (overlay, clocks, ledger) until <see cref="Commit"/> or <see cref="Abort"/>.
/// </summary>
/// <remarks>
/// Hot path: no allocation once its arrays have grown. The mode decides only where a record goes, never what is remembered, so
/// that it can be changed without losing state.
/// </remarks>
public sealed partial class PartitionJudge
{
    private const int InitialRecords = 256;

    private readonly PipelineSpec _spec;
    private readonly SipHash _hash;
    private readonly IdScratch _scratch = new();
    private readonly RecordTime _time;
    private readonly bool _countsTypes;
    private readonly int _mostToClean;
    private readonly int _keysPerRecord;
    private Identified[] _identified = new Identified[InitialRecords];
    private int[] _types = [];
    private StoreProbe[] _probes = [];
    private StoreHit[] _hits = [];
    private PipelineMode _mode;

    /// <summary>Makes a judge.</summary>
    /// <param name="spec">The pipeline.</param>
    /// <param name="hash">Keyed with the key of this partition's state.</param>
    public PartitionJudge(PipelineSpec spec, SipHash hash)
    {
        _spec = spec;
        _hash = hash;
        _time = new RecordTime(spec);
        _countsTypes = spec.Recipe.Scope?.Type is not null;
        _mostToClean = spec.Limits.MostToClean;
        _keysPerRecord =
            spec.Recipe.Sources.Any(static s => s.BucketMs > 0) ? KeysWithTimeBuckets
            : spec.Refresh ? KeysWithRefresh
            : 1;
        Clocks = new WindowClocks(spec.Windows);
        Tenants =
            spec.Recipe.Scope?.Tenant is null || spec.Hop == Hop.Rekey
                ? null
                : new TenantTable(spec.Quota, Clocks, hash);
        _throttles = Tenants is not null && spec.Quota is { Throttles: true };
        _sources =
            spec.Hop == Hop.Judge
                ? new SourceClocks(spec.Windows.Length, spec.InputPartitions, spec.IdleTimeoutMs)
                : null;
        Mode = spec.Mode;
        Reserve(InitialRecords);
    }

    /// <summary>
    /// Window classes and their clocks, by which state expires. In the second hop of by-id each is the smallest one of the
    /// input partitions that meet here.
    /// </summary>
    public WindowClocks Clocks { get; }

    /// <summary>Counts.</summary>
    public PartitionLedger Ledger { get; } = new();

    /// <summary>IDs judged first in the open transaction.</summary>
    public Overlay Overlay { get; } = new();

    /// <summary>How much of the judging takes effect; may change between two transactions.</summary>
    public PipelineMode Mode
    {
        get => _mode;
        set
        {
            _mode = value;
            _scratch.WantPercentHash = value.Kind == ModeKind.Percent;
        }
    }

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
    /// <param name="judgements">Gets a judgement for each record that was judged.</param>
    /// <returns>
    /// Records that were judged: all, unless the next one has to wait for its tenant's rate (<see cref="Throttled"/>).
    /// </returns>
    public int Judge(
        RecordBatch batch,
        int from,
        int count,
        long wallClockMs,
        Refusals refusals,
        IFirstSeenStore store,
        Span<Judgement> judgements
    )
    {
        _originals = batch as OriginalBatch;
        if (_mode.Kind == ModeKind.Off)
        {
            PassOn(batch, from, count, refusals, judgements);
            return count;
        }

        _wallClockMs = wallClockMs;

        if (_identified.Length < count)
        {
            Reserve(count);
        }

        int keys = _keysPerRecord;
        for (int i = 0; i < count; i++)
        {
            Identify(batch, from + i, i, wallClockMs, refusals);
        }

        store.Find(_probes.AsSpan(0, count * keys), _hits.AsSpan(0, count * keys));
        bool isLenient = _mode.IsLenient;
        for (int i = 0; i < count; i++)
        {
            if (_throttles && MustWait(i))
            {
                return i;
            }

            ref Judgement judgement = ref judgements[i];
            judgement = JudgeOne(i, batch, from + i, store);
            if (
                isLenient
                && judgement.Destination != Destination.Clean
                && !Planted.Is(PlantedBug.ShadowSuppresses)
            )
            {
                judgement = Spare(judgement, i, batch, from + i, refusals);
            }

            Ledger.Count(
                judgement.Verdict,
                judgement.Destination,
                judgement.Reason,
                judgement.IsSpared
            );
            if (_countsTypes)
            {
                Ledger.Types.Count(_types[i], judgement.Verdict);
            }

            Tenants?.Count(_tenants[i], judgement.Verdict, judgement.Reason);
            if (_isUnchecked.Length > 0 && _isUnchecked[i])
            {
                Ledger.CountUnchecked();
            }
        }

        return count;
    }

    /// <summary>The transaction committed. The caller has put the overlay's entries into the store.</summary>
    public void Commit()
    {
        Clocks.Commit();
        _sources?.Commit();
        Tenants?.Commit();
        Ledger.Commit();
        Overlay.Clear();
    }

    /// <summary>The transaction was aborted: nothing of it may influence the second judging.</summary>
    public void Abort()
    {
        if (!Planted.Is(PlantedBug.ClockKeptAfterAbort))
        {
            Clocks.Abort();
            _sources?.Abort();
        }

        if (!Planted.Is(PlantedBug.CountsKeptAfterAbort))
        {
            Ledger.Abort();
        }

        Tenants?.Abort();

        if (!Planted.Is(PlantedBug.OverlayKeptAfterAbort))
        {
            Overlay.Clear();
        }
    }

    /// <summary>Takes classes, clocks, and counts over from a marker.</summary>
    public void Load(Marker marker)
    {
        Overlay.Clear();
        Clocks.Load(
            Planted.Is(PlantedBug.RebuildForgetsClocks)
                ? [.. marker.Classes.Select(static c => c with { ClockMs = WindowClocks.Unset })]
                : marker.Classes
        );
        LoadSources(marker);
        Tenants?.Load(marker.Usage);
        Ledger.Load(CountsOf(marker));
    }

    private void Reserve(int count)
    {
        _identified = new Identified[count];
        _probes = new StoreProbe[count * _keysPerRecord];
        _hits = new StoreHit[count * _keysPerRecord];
        _types = _countsTypes ? new int[count] : [];
        _tenants = Tenants is null ? [] : new Tenant[count];
        _isUnchecked = _spec.Validator is null ? [] : new bool[count];
    }

    private void Identify(RecordBatch batch, int index, int at, long wallClockMs, Refusals refusals)
    {
        batch.Get(index, out RecordView record);
        ref Identified identified = ref _identified[at];
        _spec.Recipe.Identify(record, _scratch, _hash, out identified);
        if (Planted.Is(PlantedBug.TypeIgnored))
        {
            identified.Class = 0;
        }

        if (_countsTypes)
        {
            _types[at] = Ledger.Types.NumberOf(_scratch.Type);
        }

        if (Tenants is not null)
        {
            _tenants[at] = Tenants.Find(TenantOf(record));
        }

        identified.Reason = _time.Read(
            record,
            identified.Reason,
            identified.Class,
            wallClockMs,
            out long timeMs
        );
        if (
            record.Key.Length + record.Value.Length
            > _mostToClean - (Planted.Is(PlantedBug.LimitTooLow) ? 64 : 0)
        )
        {
            identified.Reason = Reason.RefusedTooLarge;
        }

        if (IsForeign(index))
        {
            identified.Reason = Reason.NotRekeyed;
        }

        if (
            !refusals.IsEmpty
            && refusals.TryGet(
                batch.LogPartitionOf(index),
                batch.LogOffsetOf(index),
                out Reason refusal
            )
        )
        {
            identified.Reason = refusal;
        }

        if (_spec.Validator is not null)
        {
            _isUnchecked[at] = false;
            if (identified.Reason == Reason.None)
            {
                identified.Reason = Validate(record, at, _spec.Validator);
            }
        }

        var probe = new StoreProbe(identified.Key, timeMs, Clocks[identified.Class].WindowMs);
        if (_keysPerRecord == 1)
        {
            _probes[at] = probe;
        }
        else
        {
            Spread(probe, identified, at);
        }
    }

    private Judgement JudgeOne(int at, RecordBatch batch, int index, IFirstSeenStore store)
    {
        ref readonly Identified identified = ref _identified[at];
        if (identified.Reason != Reason.None)
        {
            return new Judgement(
                Verdict.Invalid,
                Destination.Quarantine,
                identified.Reason,
                default
            );
        }

        ref readonly StoreProbe probe = ref _probes[at * _keysPerRecord];
        WindowClass window = Clocks[identified.Class];
        JudgingClocks clocks = See(
            identified.Class,
            Planted.Is(PlantedBug.ClockByRecordTime) ? batch.TimestampOf(index) : probe.TimestampMs,
            index
        );
        bool known =
            _keysPerRecord == 1
                ? IsKnown(probe, _hits[at], identified.Class, clocks.ExpiryMs, out SeenEntry seen)
                : IsKnownByVariant(at, clocks.ExpiryMs, store, out seen);
        if (
            known
            && !(
                Planted.Is(PlantedBug.DuplicateForwardedLate)
                && window.IsLate(probe.TimestampMs, clocks.LatenessMs)
            )
        )
        {
            return JudgeRepeat(identified, probe, window, seen);
        }

        return JudgeUnknown(
            at,
            window,
            clocks,
            _originals is null ? batch.OffsetOf(index) : _originals.PlaceOf(index)
        );
    }

    /// <summary>
    /// Whether the key has been seen within the window: of the entries there the one with the greatest time answers, wherever
    /// it lies.
    /// </summary>
    private bool IsKnown(
        in StoreProbe probe,
        in StoreHit hit,
        int windowClass,
        long clockMs,
        out SeenEntry seen
    )
    {
        seen = hit.Entry;
        ushort seenClass = hit.Class;
        bool isFound = hit.IsFound;
        if (
            Overlay.TryFind(
                probe.Key,
                probe.TimestampMs,
                probe.WindowMs,
                out SeenEntry open,
                out ushort openClass
            ) && (!isFound || IsLater(open.SeenMs, openClass, seen.SeenMs, seenClass))
        )
        {
            seen = open;
            seenClass = openClass;
            isFound = true;
        }

        return isFound && IsLive(seenClass, seen.SeenMs, windowClass, clockMs);
    }

    // As among the buckets of a store: of two at the same time that of the lower class.
    private static bool IsLater(long aMs, ushort aClass, long bMs, ushort bClass) =>
        aMs != bMs ? aMs > bMs : aClass < bClass;

    /// <summary>
    /// An entry counts while the record's class says so, and its own where that is another one: its bucket may be dropped
    /// then.
    /// </summary>
    private bool IsLive(ushort entryClass, long seenMs, int windowClass, long clockMs)
    {
        WindowClass window = Clocks[windowClass];
        return (window.IsLive(seenMs, clockMs) || Planted.Is(PlantedBug.ExpiryIgnored))
            && (entryClass == window.Id || Clocks.Counts(entryClass, seenMs, windowClass));
    }

    private Judgement JudgeRepeat(
        in Identified identified,
        in StoreProbe probe,
        WindowClass window,
        in SeenEntry seen
    )
    {
        if (
            identified.Fingerprint == seen.Fingerprint
            || identified.Fingerprint == 0
            || seen.Fingerprint == 0
            || Planted.Is(PlantedBug.ConflictIgnored)
        )
        {
            RefreshIfWanted(identified, probe, window, seen);
            return new Judgement(Verdict.Duplicate, Destination.Duplicate, Reason.None, seen);
        }

        switch (_spec.Conflict)
        {
            case ConflictPolicy.Clean:
                return new Judgement(Verdict.Conflict, Destination.Clean, Reason.None, seen);
            case ConflictPolicy.Duplicate:
                RefreshIfWanted(identified, probe, window, seen);
                return new Judgement(Verdict.Conflict, Destination.Duplicate, Reason.None, seen);
            default:
                return new Judgement(
                    Verdict.Conflict,
                    Destination.Quarantine,
                    Reason.Conflict,
                    seen
                );
        }
    }
}
