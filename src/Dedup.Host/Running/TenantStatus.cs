using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Dedup.Kafka.Running;
using Dedup.Topology.Tenants;

namespace Dedup.Host.Running;

/// <summary>What a pipeline's status says of its tenants: summed over partitions, the largest apart.</summary>
internal static class TenantStatus
{
    /// <summary>Tenants in the line for people; machines get up to <see cref="TenantTable.MaxShown"/>.</summary>
    private const int InText = 3;

    /// <summary>The sum over partitions; null where none has tenants.</summary>
    public static TenantsSnapshot? Sum(IEnumerable<PartitionSnapshot> partitions)
    {
        TenantsSnapshot[] all =
        [
            .. partitions.Select(static p => p.Tenants).OfType<TenantsSnapshot>(),
        ];
        if (all.Length == 0)
        {
            return null;
        }

        TenantUsage[] tenants =
        [
            .. all.SelectMany(static t => t.Largest)
                .GroupBy(static t => t.Name)
                .Select(static g => g.Aggregate(TenantTable.Sum))
                .OrderByDescending(static t => t.Records)
                .ThenBy(static t => t.Name, StringComparer.Ordinal),
        ];
        TenantUsage others = all.Select(static t => t.Others)
            .Concat(tenants.Skip(TenantTable.MaxShown))
            .Aggregate(TenantTable.Sum);
        return new TenantsSnapshot(
            [.. tenants.Take(TenantTable.MaxShown)],
            others,
            all.Any(static t => t.HasUncounted)
        );
    }

    /// <summary>What the line for people says; empty without tenants.</summary>
    public static string Text(PipelineStatus status)
    {
        string text = "";
        if (status.Tenants is { Largest.Length: > 0 } tenants)
        {
            int more = tenants.Largest.Length - InText;
            text +=
                ", tenants "
                + string.Join(" · ", tenants.Largest.Take(InText).Select(One))
                + (
                    tenants.Others.Records > 0 ? " · and others"
                    : more > 0 ? $" · and {more} more"
                    : ""
                )
                + (
                    tenants.HasUncounted
                        ? $" (more than {TenantTable.MaxCounted} in a partition: quotas of the smallest count from when they came back)"
                        : ""
                );
        }

        return status.Throttled.IsEmpty
            ? text
            : text
                + ", throttled "
                + string.Join(
                    " · ",
                    status
                        .Throttled.GroupBy(static t => t.Tenant)
                        .Select(static g =>
                            $"{(g.Count() == 1 ? "partition" : "partitions")} {string.Join(' ', g.Select(static t => t.Partition))} by {Name(g.Key)}"
                        )
                );
    }

    /// <summary>The same for machines.</summary>
    public static void WriteFields(PipelineStatus status, Utf8JsonWriter json)
    {
        if (status.Tenants is not { } tenants)
        {
            return;
        }

        json.WriteStartArray("tenants");
        foreach (TenantUsage tenant in tenants.Largest)
        {
            json.WriteStartObject();
            json.WriteString("tenant", tenant.Name);
            Numbers(json, tenant);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartObject("otherTenants");
        Numbers(json, tenants.Others);
        json.WriteEndObject();
        json.WriteStartArray("throttled");
        foreach ((int partition, string tenant) in status.Throttled)
        {
            json.WriteStartObject();
            json.WriteNumber("partition", partition);
            json.WriteString("tenant", tenant);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void Numbers(Utf8JsonWriter json, in TenantUsage tenant)
    {
        json.WriteNumber("records", tenant.Records);
        json.WriteNumber("firsts", tenant.Firsts);
        json.WriteNumber("duplicates", tenant.Duplicates);
        json.WriteNumber("overQuota", tenant.OverQuota);
        json.WriteNumber("ids", tenant.Ids);
    }

    private static string One(TenantUsage tenant) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{Name(tenant.Name)} {tenant.Records:#,0} (IDs {tenant.Ids:#,0}{(tenant.OverQuota > 0 ? $", over quota {tenant.OverQuota:#,0}" : "")})"
        );

    private static string Name(string tenant) => tenant.Length == 0 ? "(none)" : tenant;
}
