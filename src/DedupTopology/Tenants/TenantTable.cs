using System.Collections.Immutable;
using System.Text;
using Dedup.Contracts.Changelog;
using Dedup.Contracts.Identity;
using Dedup.Topology.Identify;
using Dedup.Topology.Judge;
using Dedup.Topology.Proof;

namespace Dedup.Topology.Tenants;

/// <summary>
/// What each tenant has used of a partition's state: records, firsts, duplicates, and IDs held by bucket, so that they expire
/// with it. What the open transaction adds is apart until it commits.
/// </summary>
/// <remarks>
/// Tenants with a quota of their own are always counted apart, and of the others the <see cref="MaxCounted"/> that hold most
/// IDs where there are quotas, else the <see cref="MaxShown"/>; the rest together. Who is among the rest is decided at each
/// commit, and a tenant that comes back from there begins anew: its count is too low by what it held, never too high, so that
/// nobody is refused who is under his quota. A marker holds exactly what is here after its commit.
/// Hot path: no allocation but for a tenant's first record and a bucket's first ID.
/// </remarks>
public sealed partial class TenantTable
{
    /// <summary>Tenants counted apart where there are quotas: all of them are in every marker.</summary>
    public const int MaxCounted = 1_000;

    /// <summary>Tenants counted apart where there are none, and shown to people.</summary>
    public const int MaxShown = 100;

    /// <summary>Longest name in bytes; of a longer one there is the beginning and a hash of it all.</summary>
    public const int MaxNameBytes = 128;

    private const int HashDigits = 16;

    private readonly QuotaRules? _rules;
    private readonly WindowClocks _clocks;
    private readonly SipHash _hash;
    private readonly int _most;
    private readonly List<Tenant> _tenants = [];
    private readonly List<Tenant> _touched = [];
    private readonly BucketId[] _buckets = new BucketId[UsageCodec.MaxBuckets];
    private readonly bool[] _isUsed = new bool[UsageCodec.MaxBuckets];

    /// <summary>Slots that the open transaction was the first to use.</summary>
    private readonly List<int> _opened = [];
    private int _slots;
    private Tenant?[] _places = new Tenant?[256];
    private Tenant _others = NewOthers();
    private Tenant _last;
    private int _unpinned;

    /// <summary>Makes a table of a state that knows nothing yet.</summary>
    /// <param name="rules">Quotas; null where there are none.</param>
    /// <param name="clocks">Clocks that IDs expire by.</param>
    /// <param name="hash">Keyed with the key of the state, so that nobody can choose names that meet.</param>
    public TenantTable(QuotaRules? rules, WindowClocks clocks, SipHash hash)
    {
        _rules = rules;
        _clocks = clocks;
        _hash = hash;
        _most = rules is null ? MaxShown : MaxCounted;
        _last = _others;
        Clear();
    }

    /// <summary>Whether tenants beyond those counted apart hold IDs, for which quotas are judged too low.</summary>
    public bool HasUncounted => _rules is not null && _others.HeldAtMost > 0;

    /// <summary>A record's tenant; valid until the next commit or load.</summary>
    /// <param name="name">Its name; empty for none.</param>
    public Tenant Find(ReadOnlySpan<byte> name)
    {
        if (name.Length > MaxNameBytes)
        {
            Span<byte> cut = stackalloc byte[MaxNameBytes];
            return FindShort(Cut(name, cut));
        }

        return FindShort(name);
    }

    /// <summary>Counts a record. Each record once, whatever becomes of it.</summary>
    public void Count(Tenant tenant, Verdict verdict, Reason reason)
    {
        ArgumentNullException.ThrowIfNull(tenant);
        Touch(tenant);
        tenant.Open.Records++;
        if (verdict == Verdict.First)
        {
            tenant.Open.Firsts++;
        }
        else if (verdict == Verdict.Duplicate)
        {
            tenant.Open.Duplicates++;
        }
        else if (reason == Reason.OverQuota)
        {
            tenant.Open.OverQuota++;
        }
    }

    /// <summary>
    /// Whether the tenant's quota lets a new ID through, and takes it off the rate then. A function of what was judged before,
    /// aborted transactions left out, and with <see cref="RateAction.Throttle"/> always true.
    /// </summary>
    /// <param name="tenant">The tenant.</param>
    /// <param name="timeMs">Time of the record, by which a rate is measured beyond which records go to quarantine.</param>
    /// <param name="wallClockMs">Wall clock, by which one is measured beyond which the partition waits; -1 not to measure.</param>
    public bool Admits(Tenant tenant, long timeMs, long wallClockMs)
    {
        ArgumentNullException.ThrowIfNull(tenant);
        long most = tenant.Quota.Ids;
        if (tenant.HeldAtMost >= most && HeldBy(tenant) >= most)
        {
            return false;
        }

        if (!tenant.HasRate)
        {
            return true;
        }

        RateLimit rate = tenant.Rate;
        Touch(tenant);
        if (tenant.Quota.OverRate == RateAction.Throttle)
        {
            if (wallClockMs >= 0)
            {
                tenant.OpenRate = AtWallClock(tenant, wallClockMs).Owe(rate);
            }

            return true;
        }

        tenant.OpenRate = tenant.OpenRate.At(rate, timeMs);
        if (!tenant.OpenRate.HasOne(rate))
        {
            return false;
        }

        tenant.OpenRate = tenant.OpenRate.Take(rate);
        return true;
    }

    /// <summary>How long a new ID of the tenant has to wait, in ms, for a rate beyond which the partition waits; 0 for not at all.</summary>
    /// <param name="tenant">The tenant.</param>
    /// <param name="wallClockMs">Wall clock.</param>
    /// <param name="shortestMs">A wait is so long that many can come behind it; this long, unless the bucket is full before.</param>
    public long WaitOf(Tenant tenant, long wallClockMs, long shortestMs)
    {
        ArgumentNullException.ThrowIfNull(tenant);
        if (!tenant.HasRate || tenant.Quota.OverRate != RateAction.Throttle)
        {
            return 0;
        }

        RateLimit rate = tenant.Rate;
        RateBucket now = AtWallClock(tenant, wallClockMs);
        if (tenant.OpenRate.ClockMs > wallClockMs)
        {
            // Kept, or the wait would begin anew each time that it is asked for (found by the simulator, seed 474).
            Touch(tenant);
            tenant.OpenRate = now;
        }

        return now.HasOne(rate)
            ? 0
            : Math.Max(
                1,
                now.WaitFor(rate, Math.Clamp(rate.Count * shortestMs / rate.PerMs, 1, rate.Count))
            );
    }

    /// <summary>An ID of the tenant is remembered.</summary>
    public void Hold(Tenant tenant, BucketId bucket)
    {
        ArgumentNullException.ThrowIfNull(tenant);
        int slot = SlotOf(bucket);
        if (slot < 0)
        {
            return;
        }

        Touch(tenant);
        tenant.Reserve(slot + 1);
        tenant.OpenHeld[slot]++;
        tenant.HeldAtMost++;
    }

    /// <summary>IDs that a tenant holds, the open transaction and its clock included.</summary>
    public long HeldBy(Tenant tenant)
    {
        ArgumentNullException.ThrowIfNull(tenant);
        long sum = 0;
        for (int slot = 0; slot < _slots; slot++)
        {
            long held = tenant.HeldIn(slot);
            if (
                held != 0
                && (
                    !_clocks.IsExpiredInOpen(_buckets[slot])
                    || Planted.Is(PlantedBug.HeldNeverExpires)
                )
            )
            {
                sum += held;
            }
        }

        return sum;
    }

    /// <summary>The transaction committed, and so have the clocks.</summary>
    public void Commit()
    {
        foreach (Tenant tenant in _touched)
        {
            tenant.Commit();
        }

        _touched.Clear();
        _opened.Clear();
        for (int slot = 0; slot < _slots; slot++)
        {
            if (
                _isUsed[slot]
                && _clocks.IsExpired(_buckets[slot])
                && !Planted.Is(PlantedBug.HeldNeverExpires)
            )
            {
                _isUsed[slot] = false;
                _others.Forget(slot);
                _tenants.ForEach(t => t.Forget(slot));
            }
        }

        if (_unpinned > _most)
        {
            KeepLargest();
        }
    }

    /// <summary>The transaction was aborted.</summary>
    public void Abort()
    {
        if (Planted.Is(PlantedBug.QuotaKeptAfterAbort))
        {
            return;
        }

        foreach (Tenant tenant in _touched)
        {
            tenant.Abort();
        }

        _touched.Clear();
        foreach (int slot in _opened)
        {
            _isUsed[slot] = false;
        }

        _opened.Clear();
    }

    private static Tenant NewOthers() => new([], TenantQuota.None, isPinned: false, 0);

    private static RateBucket AtWallClock(Tenant tenant, long wallClockMs)
    {
        RateBucket rate = tenant.OpenRate;
        // The wall clock has been set back, or the rate was measured by records' times before: neither may stop the tenant.
        return (rate.ClockMs > wallClockMs ? rate with { ClockMs = wallClockMs } : rate).At(
            tenant.Rate,
            wallClockMs
        );
    }

    private Tenant FindShort(ReadOnlySpan<byte> name)
    {
        // Records of one tenant mostly come together.
        if (!ReferenceEquals(_last, _others) && name.SequenceEqual(_last.Name))
        {
            return _last;
        }

        ulong hash = _hash.Hash(name).Low;
        int mask = _places.Length - 1;
        int i = (int)hash & mask;
        for (; _places[i] is { } tenant; i = (i + 1) & mask)
        {
            if (tenant.Hash == hash && name.SequenceEqual(tenant.Name))
            {
                return _last = tenant;
            }
        }

        return _unpinned >= 2 * _most ? _others : _last = AddNew(name, hash);
    }

    private Tenant AddNew(ReadOnlySpan<byte> name, ulong hash) =>
        Add(new Tenant(name.ToArray(), _rules?.Default ?? TenantQuota.None, isPinned: false, hash));

    private Tenant Add(Tenant tenant)
    {
        _tenants.Add(tenant);
        _unpinned += tenant.IsPinned ? 0 : 1;
        if (_tenants.Count * 2 > _places.Length)
        {
            _places = new Tenant?[_places.Length * 2];
            _tenants.ForEach(Place);
        }
        else
        {
            Place(tenant);
        }

        return tenant;
    }

    private void Place(Tenant tenant)
    {
        int mask = _places.Length - 1;
        int i = (int)tenant.Hash & mask;
        while (_places[i] is not null)
        {
            i = (i + 1) & mask;
        }

        _places[i] = tenant;
    }

    private void Touch(Tenant tenant)
    {
        if (!tenant.IsTouched)
        {
            tenant.IsTouched = true;
            _touched.Add(tenant);
        }
    }

    private int SlotOf(BucketId bucket)
    {
        int free = -1;
        for (int slot = 0; slot < _slots; slot++)
        {
            if (!_isUsed[slot])
            {
                free = slot;
            }
            else if (_buckets[slot] == bucket)
            {
                return slot;
            }
        }

        if (free < 0 && _slots < _buckets.Length)
        {
            free = _slots++;
        }

        if (free < 0)
        {
            return NearestSlot(bucket);
        }

        _buckets[free] = bucket;
        _isUsed[free] = true;
        _opened.Add(free);
        return free;
    }

    /// <summary>
    /// Where no slot is left, an ID counts with the bucket of its class that ends next before its own, and where its own ends
    /// first, what is counted with the first one ends with it: too early, never too late, so that nobody under his quota is
    /// refused. Only by-id has so many live: an input partition that is many windows behind holds expiry back.
    /// </summary>
    private int NearestSlot(BucketId bucket)
    {
        int before = -1;
        int first = -1;
        for (int slot = 0; slot < _slots; slot++)
        {
            BucketId other = _buckets[slot];
            if (other.Class != bucket.Class)
            {
                continue;
            }

            if (other.Index < bucket.Index && (before < 0 || other.Index > _buckets[before].Index))
            {
                before = slot;
            }

            if (first < 0 || other.Index < _buckets[first].Index)
            {
                first = slot;
            }
        }

        if (before < 0 && first >= 0)
        {
            _buckets[first] = bucket;
        }

        return before < 0 ? first : before;
    }

    private void Reset(Tenant[] tenants)
    {
        _tenants.Clear();
        _unpinned = 0;
        _last = _others;
        Array.Clear(_places);
        foreach (Tenant tenant in tenants)
        {
            _ = Add(tenant);
        }
    }

    private void Clear()
    {
        _touched.Clear();
        _opened.Clear();
        _others = NewOthers();
        _slots = 0;
        Array.Clear(_isUsed);
        Reset([]);
        Span<byte> cut = stackalloc byte[MaxNameBytes];
        foreach ((string name, TenantQuota quota) in _rules?.Tenants ?? [])
        {
            byte[] bytes = Encoding.UTF8.GetBytes(name);
            bytes = bytes.Length > MaxNameBytes ? Cut(bytes, cut).ToArray() : bytes;
            _ = Add(new Tenant(bytes, quota, isPinned: true, _hash.Hash(bytes).Low));
        }
    }

    private static ReadOnlySpan<byte> Cut(ReadOnlySpan<byte> name, Span<byte> target)
    {
        name[..(MaxNameBytes - HashDigits - 1)].CopyTo(target);
        target[MaxNameBytes - HashDigits - 1] = (byte)'#';
        _ = System.Buffers.Text.Utf8Formatter.TryFormat(
            Recipe.UnkeyedHash(name),
            target[(MaxNameBytes - HashDigits)..],
            out _,
            new System.Buffers.StandardFormat('x', HashDigits)
        );
        return target;
    }
}
