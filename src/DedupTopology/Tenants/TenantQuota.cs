using System.Collections.Immutable;

namespace Dedup.Topology.Tenants;

/// <summary>What happens to new IDs that come faster than a tenant's rate.</summary>
public enum RateAction : byte
{
    /// <summary>They go to quarantine. Measured by the times of the tenant's own records.</summary>
    Quarantine,

    /// <summary>The partition waits. Measured by the wall clock.</summary>
    Throttle,
}

/// <summary>
/// A rate of new IDs: a bucket that holds <paramref name="Count"/> of them, filled again within <paramref name="PerMs"/>. So
/// that many may come at once, and no more than that on average.
/// </summary>
/// <param name="Count">New IDs, 1 to <see cref="MaxCount"/>.</param>
/// <param name="PerMs">In so many ms, 1 to <see cref="MaxPerMs"/>.</param>
public readonly record struct RateLimit(long Count, long PerMs)
{
    /// <summary>Highest count; times the longest unit it stays far below what 64 bits hold.</summary>
    public const long MaxCount = 1_000_000_000;

    /// <summary>Longest unit: a day.</summary>
    public const long MaxPerMs = 86_400_000;

    /// <summary>What a full bucket holds, in new IDs times the ms of the unit.</summary>
    public long Full => Count * PerMs;
}

/// <summary>What a tenant may use of each partition's state. Immutable.</summary>
/// <param name="Ids">Most IDs held; beyond it new ones go to quarantine.</param>
/// <param name="Rate">Most new IDs in a time; null for any.</param>
/// <param name="OverRate">What happens beyond the rate.</param>
public sealed record TenantQuota(
    long Ids = long.MaxValue,
    RateLimit? Rate = null,
    RateAction OverRate = RateAction.Quarantine
)
{
    /// <summary>Everything is allowed.</summary>
    public static TenantQuota None { get; } = new();
}

/// <summary>The quotas of a pipeline. Immutable.</summary>
/// <param name="Default">Of every tenant that has none of its own; records without a tenant together are one.</param>
/// <param name="Tenants">Of some tenants, by name; these are always counted apart.</param>
public sealed record QuotaRules(
    TenantQuota Default,
    ImmutableArray<KeyValuePair<string, TenantQuota>> Tenants
)
{
    /// <summary>Most tenants with a quota of their own: each is a part of every marker.</summary>
    public const int MaxTenants = 1_000;

    /// <summary>Whether any quota can make a partition wait.</summary>
    public bool Throttles =>
        Default.OverRate == RateAction.Throttle
        || Tenants.Any(static t => t.Value.OverRate == RateAction.Throttle);
}
