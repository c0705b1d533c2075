using System.Collections.Immutable;
using Dedup.Contracts.Changelog;
using Dedup.Topology.Proof;

namespace Dedup.Topology.Tenants;

/// <content>What a marker holds of the table, what people see of it, and who is counted apart.</content>
public sealed partial class TenantTable
{
    /// <summary>Takes the usage over from a marker; null for a state that was made without. After the clocks.</summary>
    public void Load(MarkerUsage? usage)
    {
        Clear();
        if (usage is null || Planted.Is(PlantedBug.RestoreForgetsUsage))
        {
            return;
        }

        _slots = usage.Buckets.Length;
        for (int slot = 0; slot < _slots; slot++)
        {
            _buckets[slot] = usage.Buckets[slot];
            _isUsed[slot] = true;
        }

        Take(_others, usage.Others);
        foreach (MarkerTenant loaded in usage.Tenants)
        {
            ReadOnlySpan<byte> name = loaded.Name.Span;
            Tenant tenant = Find(name);
            // There may be more than this table would count: it had quotas, and has none any more.
            Take(
                ReferenceEquals(tenant, _others) ? AddNew(name, _hash.Hash(name).Low) : tenant,
                loaded
            );
        }

        if (_unpinned > _most)
        {
            KeepLargest();
        }
    }

    /// <summary>The usage as it will be when the open transaction commits; tenants by name.</summary>
    public MarkerUsage Pending()
    {
        int[] slots =
        [
            .. Enumerable
                .Range(0, _slots)
                .Where(s =>
                    _isUsed[s]
                    && !_clocks.IsExpiredInOpen(_buckets[s])
                    && (_others.HeldIn(s) > 0 || _tenants.Exists(t => t.HeldIn(s) > 0))
                ),
        ];
        Tenant[] ranked =
            _unpinned > _most
                ? ByRank()
                : [.. _tenants.Where(static t => !t.IsPinned && !t.IsBlank)];
        int kept = Math.Min(ranked.Length, _most);
        MarkerTenant others = MarkerOf(_others, slots);
        foreach (Tenant tenant in ranked.AsSpan(kept))
        {
            others = Sum(others, MarkerOf(tenant, slots));
        }

        Tenant[] named =
        [
            .. ranked.Take(kept).Concat(_tenants.Where(static t => t.IsPinned && !t.IsBlank)),
        ];
        Array.Sort(named, static (a, b) => a.Name.AsSpan().SequenceCompareTo(b.Name));
        return new MarkerUsage(
            [.. slots.Select(s => _buckets[s])],
            others,
            [.. named.Select(t => MarkerOf(t, slots))]
        );
    }

    /// <summary>Committed usage, largest first, at most <see cref="MaxShown"/>, and that of all others together.</summary>
    public (ImmutableArray<TenantUsage> Largest, TenantUsage Others) Usage()
    {
        TenantUsage[] all =
        [
            .. _tenants
                .Where(static t => t.Committed.Records > 0 || t.Held.Any(static h => h != 0))
                .Select(UsageOf)
                .OrderByDescending(static t => t.Records)
                .ThenBy(static t => t.Name, StringComparer.Ordinal),
        ];
        TenantUsage others = all.Skip(MaxShown).Aggregate(UsageOf(_others), Sum);
        return ([.. all.Take(MaxShown)], others);
    }

    /// <summary>The sum of two, under the name of the first.</summary>
    public static TenantUsage Sum(TenantUsage a, TenantUsage b) =>
        new(
            a.Name,
            a.Records + b.Records,
            a.Firsts + b.Firsts,
            a.Duplicates + b.Duplicates,
            a.OverQuota + b.OverQuota,
            a.Ids + b.Ids
        );

    private static TenantUsage UsageOf(Tenant tenant) =>
        new(
            tenant.Text,
            tenant.Committed.Records,
            tenant.Committed.Firsts,
            tenant.Committed.Duplicates,
            tenant.Committed.OverQuota,
            tenant.Held.Sum()
        );

    /// <summary>Those that are not pinned, by IDs held, then records, then name: two owners rank them alike.</summary>
    private Tenant[] ByRank()
    {
        Tenant[] ranked = [.. _tenants.Where(static t => !t.IsPinned && !t.IsBlank)];
        long[] held = [.. ranked.Select(HeldBy)];
        var keys = new (long Held, Tenant Tenant)[ranked.Length];
        for (int i = 0; i < ranked.Length; i++)
        {
            keys[i] = (held[i], ranked[i]);
        }

        Array.Sort(
            keys,
            ranked,
            Comparer<(long Held, Tenant Tenant)>.Create(
                static (a, b) =>
                {
                    int order = b.Held.CompareTo(a.Held);
                    order = order != 0 ? order : RecordsOf(b.Tenant).CompareTo(RecordsOf(a.Tenant));
                    return order != 0
                        ? order
                        : a.Tenant.Name.AsSpan().SequenceCompareTo(b.Tenant.Name);
                }
            )
        );
        return ranked;
    }

    private static long RecordsOf(Tenant tenant) => tenant.Committed.Records + tenant.Open.Records;

    private void KeepLargest()
    {
        Tenant[] ranked = ByRank();
        foreach (Tenant tenant in ranked.AsSpan(Math.Min(ranked.Length, _most)))
        {
            _others.Absorb(tenant);
        }

        Tenant[] kept = [.. _tenants.Where(static t => t.IsPinned), .. ranked.Take(_most)];
        Reset(kept);
    }

    private static void Take(Tenant tenant, in MarkerTenant loaded)
    {
        tenant.Committed = new TenantCounts
        {
            Records = loaded.Records,
            Firsts = loaded.Firsts,
            Duplicates = loaded.Duplicates,
            OverQuota = loaded.OverQuota,
        };
        tenant.Reserve(loaded.Held.Length);
        loaded.Held.CopyTo(tenant.Held);
        tenant.HeldAtMost = loaded.Ids;
        tenant.CommittedRate = new RateBucket(loaded.RateLevel, loaded.RateClockMs);
        tenant.OpenRate = tenant.CommittedRate;
    }

    private static MarkerTenant MarkerOf(Tenant tenant, int[] slots)
    {
        TenantCounts counts = tenant.Committed;
        counts.Add(tenant.Open);
        return new MarkerTenant(
            tenant.Name,
            counts.Records,
            counts.Firsts,
            counts.Duplicates,
            counts.OverQuota,
            [.. slots.Select(tenant.HeldIn)],
            tenant.OpenRate.Level,
            tenant.OpenRate.ClockMs
        );
    }

    private static MarkerTenant Sum(in MarkerTenant a, in MarkerTenant b) =>
        new(
            a.Name,
            a.Records + b.Records,
            a.Firsts + b.Firsts,
            a.Duplicates + b.Duplicates,
            a.OverQuota + b.OverQuota,
            [.. a.Held.Zip(b.Held, static (x, y) => x + y)]
        );
}
