using Dedup.Contracts.Changelog;
using Dedup.Contracts.Identity;
using Dedup.Topology.Identify;
using Dedup.Topology.Ledger;
using Dedup.Topology.Pipelines;
using Dedup.Topology.Ports;
using Dedup.Topology.Proof;
using Dedup.Topology.Records;
using Dedup.Topology.Tenants;
using Dedup.Topology.Windows;

namespace Dedup.Topology.Judge;

/// <content>Records whose ID is not known: first, late, or more than their tenant may have.</content>
public sealed partial class PartitionJudge
{
    /// <summary>A partition that waits does so for what the rate gives in this time, in ms: pausing costs a fetch.</summary>
    private const long ShortestWaitMs = 100;

    private readonly bool _throttles;
    private Tenant[] _tenants = [];
    private long _wallClockMs;

    /// <summary>Usage by tenant; null where the scope has none, and then it costs nothing.</summary>
    public TenantTable? Tenants { get; }

    /// <summary>Who the first record waits for that was not judged, and how long, in ms; after a <see cref="Judge"/> that did not judge all.</summary>
    public (Tenant Tenant, long WaitMs) Throttled { get; private set; }

    /// <summary>
    /// Whether a record that may be a new ID has to wait for its tenant's rate. Asked before it is judged, so that nothing has
    /// changed when it does; a record whose ID was seen at all is let through, and owes if it is a first all the same.
    /// </summary>
    private bool MustWait(int at)
    {
        ref readonly Identified identified = ref _identified[at];
        Tenant tenant = _tenants[at];
        if (identified.Reason != Reason.None || !_mode.IsEnforced(identified.PercentHash))
        {
            return false;
        }

        long waitMs = Tenants!.WaitOf(tenant, _wallClockMs, ShortestWaitMs);
        if (waitMs == 0)
        {
            return false;
        }

        int first = at * _keysPerRecord;
        for (int i = first; i < first + _keysPerRecord; i++)
        {
            ref readonly StoreProbe probe = ref _probes[i];
            if (
                _hits[i].IsFound
                || Overlay.TryFind(probe.Key, probe.TimestampMs, probe.WindowMs, out _, out _)
            )
            {
                return false;
            }
        }

        Throttled = (tenant, waitMs);
        return true;
    }

    /// <summary>The tenant of the record that was identified last; the same from whichever input partition it came.</summary>
    private ReadOnlySpan<byte> TenantOf(in RecordView record) =>
        Planted.Is(PlantedBug.QuotaBySource)
            ? (byte[])[.. _scratch.Tenant, (byte)record.Partition]
            : _scratch.Tenant;

    private Judgement JudgeUnknown(int at, WindowClass window, JudgingClocks clocks, long offset)
    {
        ref readonly Identified identified = ref _identified[at];
        ref readonly StoreProbe probe = ref _probes[at * _keysPerRecord];
        bool isLate = window.IsLate(probe.TimestampMs, clocks.LatenessMs);
        if (isLate && _spec.Late == LatePolicy.Quarantine)
        {
            return new Judgement(Verdict.Late, Destination.Quarantine, Reason.Late, default);
        }

        if (isLate && _spec.Late == LatePolicy.Drop)
        {
            return new Judgement(Verdict.Late, Destination.LateDropped, Reason.None, default);
        }

        if (_spec.Quota is not null && !IsWithinQuota(at, probe.TimestampMs))
        {
            return new Judgement(
                Verdict.Invalid,
                Destination.Quarantine,
                Reason.OverQuota,
                default
            );
        }

        // A late one that has expired already cannot be remembered: its bucket may be gone.
        if (
            !isLate
            || (
                window.IsLive(probe.TimestampMs, clocks.ExpiryMs)
                && !Planted.Is(PlantedBug.LateForgotten)
            )
        )
        {
            Remember(identified, probe, window, offset, at);
        }

        return new Judgement(
            isLate ? Verdict.Late : Verdict.First,
            Destination.Clean,
            Reason.None,
            default
        );
    }

    /// <summary>
    /// Whether the record's tenant may have one more ID. Where the mode does not enforce, nothing waits, and a rate beyond
    /// which a partition waits is not measured.
    /// </summary>
    private bool IsWithinQuota(int at, long timeMs) =>
        Tenants is null
        || Tenants.Admits(
            _tenants[at],
            timeMs,
            _throttles && _mode.IsEnforced(_identified[at].PercentHash) ? _wallClockMs : -1
        );

    /// <summary>Remembers a first, under the key of its own time bucket where the ID has one (see <see cref="Spread"/>).</summary>
    private void Remember(
        in Identified identified,
        in StoreProbe probe,
        WindowClass window,
        long offset,
        int at
    )
    {
        BucketId bucket = window.BucketOf(probe.TimestampMs);
        Overlay.Add(
            new NewEntry(
                probe.Key,
                new SeenEntry(
                    probe.TimestampMs,
                    offset,
                    identified.Fingerprint,
                    identified.ScopeTag
                ),
                bucket
            )
        );
        Tenants?.Hold(_tenants[at], bucket);
    }
}
