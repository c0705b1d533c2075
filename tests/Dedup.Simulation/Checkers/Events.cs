using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Dedup.Contracts.Identity;
using Dedup.Simulation.Broker;
using Dedup.Simulation.Scenarios;
using Dedup.Topology.Identify;
using Dedup.Topology.Pipelines;

namespace Dedup.Simulation.Checkers;

/// <summary>
/// ID, time, and side of a record as the simulated recipes and policies define them, said once more without the product's code:
/// the ID is the key or the value, the time is the timestamp or a number in the value.
/// </summary>
internal static class Events
{
    /// <summary>Whether IDs are content, with time buckets.</summary>
    public static bool IsContent(Scenario scenario) => scenario.BucketMs > 0;

    /// <summary>Why the record has no ID.</summary>
    public static Reason WithoutId(Scenario scenario, ModelRecord record) =>
        IsContent(scenario)
            ? record.Value is null or { Length: 0 }
                ? Reason.NoId
                : Reason.None
            : record.Key is null
                ? Reason.NullKey
                : Reason.None;

    /// <summary>The ID of a record that has one.</summary>
    public static string IdOf(Scenario scenario, ModelRecord record) =>
        Convert.ToHexString((IsContent(scenario) ? record.Value : record.Key)!);

    /// <summary>
    /// The time that windows go by, as far as it can be read; of a record without an ID its timestamp. Values are written by
    /// <see cref="Workloads.Values"/>.
    /// </summary>
    public static (Reason Reason, long TimeMs) TimeOf(Scenario scenario, ModelRecord record)
    {
        if (
            scenario.Spec.Time.Payload is null
            || record.TimestampMs <= 0
            || WithoutId(scenario, record) != Reason.None
        )
        {
            return (Reason.None, record.TimestampMs);
        }

        if (record.Value is null)
        {
            return (Reason.TimestampMissing, 0);
        }

        try
        {
            using JsonDocument json = JsonDocument.Parse(record.Value);
            return
                json.RootElement.ValueKind == JsonValueKind.Object
                && json.RootElement.TryGetProperty("at", out JsonElement at)
                && at.TryGetInt64(out long timeMs)
                && timeMs > 0
                ? (Reason.None, timeMs)
                : (Reason.TimestampMissing, 0);
        }
        catch (JsonException)
        {
            return (Reason.MalformedJson, 0);
        }
    }

    /// <summary>The partition between the hops that the record belongs to.</summary>
    public static int RouteOf(Scenario scenario, ModelRecord record, int partition) =>
        WithoutId(scenario, record) != Reason.None
            ? partition % scenario.Spec.RepartitionPartitions
            : (int)(UnkeyedHash(scenario, record).Low % (ulong)scenario.Spec.RepartitionPartitions);

    /// <summary>
    /// Whether the record goes where its verdict says: in percent when the unkeyed hash of its ID lies in the first N hundredths
    /// of all hashes.
    /// </summary>
    public static bool IsEnforced(Scenario scenario, ModelRecord record, PipelineMode mode) =>
        mode.Kind switch
        {
            ModeKind.Enforce => true,
            ModeKind.Percent => WithoutId(scenario, record) == Reason.None
                && UnkeyedHash(scenario, record).High / Math.Pow(2, 64) * 100 < mode.Percent,
            _ => false,
        };

    /// <summary>The hash over scope, kind, and bytes of the ID; simulated recipes with a side or a route have a tenant at most.</summary>
    private static EventKey UnkeyedHash(Scenario scenario, ModelRecord record)
    {
        byte[] id = IsContent(scenario) ? SHA256.HashData(record.Value!) : record.Key!;
        byte kind = (byte)(IsContent(scenario) ? IdKind.Content : IdKind.Bytes);
        if (scenario.Spec.Quota is null)
        {
            return new SipHash(0, 0).Hash([kind, .. id]);
        }

        byte[] tenant = Encoding.UTF8.GetBytes(ReferenceQuotas.TenantOf(scenario, record));
        byte[] length = [(byte)tenant.Length, 0, 0, 0];
        byte[] rest = new byte[8];
        return new SipHash(0, 0).Hash([(byte)(0x80 | kind), .. length, .. tenant, .. rest, .. id]);
    }

    /// <summary>Headers that the pipeline adds behind a clean record's own.</summary>
    public static ModelHeader[] Added(Scenario scenario, ModelRecord record, string verdict)
    {
        var added = new List<ModelHeader>();
        if (scenario.Spec.Headers.HasFlag(HeaderSets.Standard))
        {
            string tenant = ReferenceQuotas.TenantOf(scenario, record);
            if (tenant.Length > 0)
            {
                Add("tenant-id", Encoding.UTF8.GetBytes(tenant));
                tenant += ":";
            }

            if (WithoutId(scenario, record) == Reason.None)
            {
                string hash = Convert.ToHexStringLower(
                    SHA256.HashData(IsContent(scenario) ? record.Value! : record.Key!)
                );
                Add("dedupe-key", Encoding.UTF8.GetBytes($"{tenant}dedup:::{hash}"));
                Add("event-id", IsContent(scenario) ? Encoding.UTF8.GetBytes(hash) : record.Key!);
            }

            // Also of a record without an ID: its payload may have a time.
            (Reason unread, long timeMs) = TimeOf(scenario, WithKey(record));
            DateTimeOffset time = DateTimeOffset.FromUnixTimeMilliseconds(
                unread == Reason.None ? timeMs : record.TimestampMs
            );
            Add("event-topic", Encoding.UTF8.GetBytes(scenario.Spec.Input));
            Add("event-created-at", Encoding.UTF8.GetBytes($"{time:yyyy-MM-ddTHH:mm:ss.fffZ}"));
            Add("retry-count", "0"u8.ToArray());
            Add("processing-attempt", "1"u8.ToArray());
        }

        if (scenario.Spec.Headers.HasFlag(HeaderSets.Verdict) && verdict != "unjudged")
        {
            Add("dedup.verdict", Encoding.UTF8.GetBytes(verdict));
        }

        return [.. added];

        void Add(string name, byte[] value) =>
            added.Add(new ModelHeader(Encoding.UTF8.GetBytes(name), value));
    }

    private static ModelRecord WithKey(ModelRecord record) =>
        new()
        {
            Key = record.Key ?? [],
            Value = record.Value,
            TimestampMs = record.TimestampMs,
        };
}
