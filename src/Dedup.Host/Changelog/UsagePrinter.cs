using System.Globalization;
using System.Text.Json;
using Dedup.Contracts.Changelog;

namespace Dedup.Host.Changelog;

/// <summary>Prints what a marker says of tenants.</summary>
internal static class UsagePrinter
{
    /// <summary>One line for each tenant, those that hold most IDs first.</summary>
    public static void Text(MarkerUsage usage, TextWriter output)
    {
        foreach (
            MarkerTenant tenant in usage
                .Tenants.OrderByDescending(static t => t.Ids)
                .ThenByDescending(static t => t.Records)
        )
        {
            string name = tenant.Name.IsEmpty ? "(none)" : $"'{tenant.Text}'";
            string rate =
                tenant.RateClockMs < 0
                    ? ""
                    : $", rate measured to {ChangelogPrinter.Instant(tenant.RateClockMs)}";
            output.WriteLine($"            tenant {name}: {Line(tenant)}{rate}");
        }

        if (usage.Others.Records > 0)
        {
            output.WriteLine($"            other tenants: {Line(usage.Others)}");
        }
    }

    /// <summary>The same for machines.</summary>
    public static void Json(MarkerUsage usage, Utf8JsonWriter json)
    {
        json.WriteStartArray("tenants");
        foreach (MarkerTenant tenant in usage.Tenants)
        {
            json.WriteStartObject();
            json.WriteString("tenant", tenant.Text);
            Fields(usage, tenant, json);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartObject("otherTenants");
        Fields(usage, usage.Others, json);
        json.WriteEndObject();
    }

    private static void Fields(MarkerUsage usage, in MarkerTenant tenant, Utf8JsonWriter json)
    {
        json.WriteNumber("records", tenant.Records);
        json.WriteNumber("firsts", tenant.Firsts);
        json.WriteNumber("duplicates", tenant.Duplicates);
        json.WriteNumber("overQuota", tenant.OverQuota);
        json.WriteNumber("ids", tenant.Ids);
        json.WriteStartObject("idsByBucket");
        for (int i = 0; i < tenant.Held.Length; i++)
        {
            if (tenant.Held[i] != 0)
            {
                json.WriteNumber(usage.Buckets[i].ToString(), tenant.Held[i]);
            }
        }

        json.WriteEndObject();
        if (tenant.RateClockMs >= 0)
        {
            json.WriteNumber("rateClock", tenant.RateClockMs);
            json.WriteNumber("rateLevel", tenant.RateLevel);
        }
    }

    private static string Line(in MarkerTenant tenant) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"records {tenant.Records}, firsts {tenant.Firsts}, duplicates {tenant.Duplicates}, over quota {tenant.OverQuota}, IDs {tenant.Ids}"
        );
}
