using System.Text;
using Dedup.Simulation.Broker;
using Dedup.Simulation.Scenarios;
using Dedup.Topology.Pipelines;
using Dedup.Topology.Tenants;
using Dedup.Topology.Windows;

namespace Dedup.Simulation.Checkers;

/// <summary>
/// What tenants have used and may, as docs/policies.md has it: every ID in one list, every rate as a number that falls and
/// rises. No table, no transactions, no code of the product.
/// </summary>
public sealed class ReferenceQuotas
{
    private readonly PipelineSpec _spec;
    private readonly SortedDictionary<string, Used> _tenants = new(StringComparer.Ordinal);
    private (string Tenant, decimal Left, long AtMs)? _asked;

    /// <summary>Makes one for a partition.</summary>
    public ReferenceQuotas(PipelineSpec spec) => _spec = spec;

    /// <summary>The tenant of a record, empty for none.</summary>
    public static string TenantOf(Scenario scenario, ModelRecord record)
    {
        byte[] name = Encoding.UTF8.GetBytes(Quotas.Header);
        return scenario.Spec.Quota is null
            ? ""
            : record
                .Headers.Where(h => h.Name.AsSpan().SequenceEqual(name))
                .Select(static h => Encoding.UTF8.GetString(h.Value!))
                .FirstOrDefault("");
    }

    /// <summary>Whether the quota lets a new ID of the tenant through. Takes effect with <see cref="Settle"/>.</summary>
    /// <param name="tenant">The tenant.</param>
    /// <param name="timeMs">The record's time.</param>
    /// <param name="clocksMs">Clocks that IDs expire by, by window, this record included.</param>
    public bool Admits(string tenant, long timeMs, ReadOnlySpan<long> clocksMs)
    {
        _asked = null;
        if (_spec.Quota is not { } rules)
        {
            return true;
        }

        TenantQuota quota =
            rules.Tenants.FirstOrDefault(t => t.Key == tenant).Value ?? rules.Default;
        Used used = Of(tenant);
        if (Held(used, clocksMs) >= quota.Ids)
        {
            return false;
        }

        // A partition that waits lets everything through in the end.
        if (quota.Rate is not { } rate || quota.OverRate == RateAction.Throttle)
        {
            return true;
        }

        decimal left = used.Left;
        long atMs = used.LeftAtMs;
        if (atMs < 0)
        {
            (left, atMs) = (rate.Count, timeMs);
        }
        else if (timeMs > atMs)
        {
            // In whole parts of an ID, as many as the unit has ms.
            left = Math.Min(
                rate.Count,
                left + ((timeMs - atMs) * (decimal)rate.Count / rate.PerMs)
            );
            left = Math.Round(left * rate.PerMs) / rate.PerMs;
            atMs = timeMs;
        }

        bool hasOne = Math.Round(left * rate.PerMs) >= rate.PerMs;
        _asked = (tenant, hasOne ? left - 1 : left, atMs);
        return hasOne;
    }

    /// <summary>What was asked for last was judged, not refused by its topic.</summary>
    public void Settle()
    {
        if (_asked is { } asked)
        {
            Used used = Of(asked.Tenant);
            (used.Left, used.LeftAtMs) = (asked.Left, asked.AtMs);
            _asked = null;
        }
    }

    /// <summary>An ID of the tenant is remembered.</summary>
    public void Hold(string tenant, int windowClass, long seenMs) =>
        Of(tenant).Ids.Add((windowClass, seenMs));

    /// <summary>Counts a record.</summary>
    public void Count(string tenant, string verdict)
    {
        Used used = Of(tenant);
        used.Records++;
        used.Firsts += verdict == "first" ? 1 : 0;
        used.Duplicates += verdict == "duplicate" ? 1 : 0;
    }

    /// <summary>Counts a record that a quota did not let through.</summary>
    public void CountOver(string tenant) => Of(tenant).Over++;

    /// <summary>What a marker has to say.</summary>
    public string Text(long[] clocksMs) =>
        string.Join(
            "; ",
            _tenants
                .Where(static t => t.Value.Records > 0)
                .Select(t => Line(t.Key, t.Value, Held(t.Value, clocksMs)))
        );

    /// <summary>The same of a marker.</summary>
    public static string Text(Contracts.Changelog.MarkerUsage? usage) =>
        string.Join(
            "; ",
            (usage?.Tenants ?? []).Select(static t =>
                Line(
                    t.Text,
                    new Used
                    {
                        Records = t.Records,
                        Firsts = t.Firsts,
                        Duplicates = t.Duplicates,
                        Over = t.OverQuota,
                    },
                    t.Ids
                )
            )
        );

    private static string Line(string tenant, Used used, long held) =>
        $"'{tenant}' {used.Records} records, {used.Firsts} firsts, {used.Duplicates} duplicates, {used.Over} over, {held} held";

    /// <summary>IDs in slices of expiry that have not ended.</summary>
    private long Held(Used used, ReadOnlySpan<long> clocksMs)
    {
        long held = 0;
        foreach ((int windowClass, long seenMs) in used.Ids)
        {
            WindowClass window = _spec.Windows[windowClass];
            long slice = (seenMs + window.WindowMs + window.GraceMs) / window.BucketWidthMs;
            held += clocksMs[windowClass] < (slice + 1) * window.BucketWidthMs ? 1 : 0;
        }

        return held;
    }

    private Used Of(string tenant)
    {
        if (!_tenants.TryGetValue(tenant, out Used? used))
        {
            _tenants[tenant] = used = new Used();
        }

        return used;
    }

    private sealed class Used
    {
        public long Records;
        public long Firsts;
        public long Duplicates;
        public long Over;
        public decimal Left;
        public long LeftAtMs = -1;
        public List<(int Class, long SeenMs)> Ids { get; } = [];
    }
}
