using System.Collections.Immutable;
using System.Text;

namespace Dedup.Contracts.Changelog;

/// <summary>What one tenant has used of a partition's state.</summary>
/// <param name="Name">The tenant as its records have it, cut where it is very long; empty for records without one.</param>
/// <param name="Records">Records consumed since the state was made.</param>
/// <param name="Firsts">Of those, first occurrences.</param>
/// <param name="Duplicates">Of those, duplicates.</param>
/// <param name="OverQuota">Of those, records that its quota did not let through.</param>
/// <param name="Held">IDs held in each of <see cref="MarkerUsage.Buckets"/>, at the same index.</param>
/// <param name="RateLevel">What is left of its rate: new IDs times the ms of the rate's unit; may be negative.</param>
/// <param name="RateClockMs">Time at which that was left; -1 where no rate has been measured.</param>
public readonly record struct MarkerTenant(
    ReadOnlyMemory<byte> Name,
    long Records,
    long Firsts,
    long Duplicates,
    long OverQuota,
    ImmutableArray<long> Held,
    long RateLevel = 0,
    long RateClockMs = -1
)
{
    /// <summary>The name for people; bytes that are no UTF-8 are replaced.</summary>
    public string Text => Encoding.UTF8.GetString(Name.Span);

    /// <summary>IDs held in all buckets.</summary>
    public long Ids => Held.Sum();
}

/// <summary>
/// Usage of a partition's state by tenant, where the scope has one: everything that quotas are judged by, so that a new owner
/// judges as the old one would have.
/// </summary>
/// <param name="Buckets">The buckets in which IDs are held.</param>
/// <param name="Others">All tenants together that are not counted apart.</param>
/// <param name="Tenants">Those that are, by name.</param>
public sealed record MarkerUsage(
    ImmutableArray<BucketId> Buckets,
    MarkerTenant Others,
    ImmutableArray<MarkerTenant> Tenants
);
