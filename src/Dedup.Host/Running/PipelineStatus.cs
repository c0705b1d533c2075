using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Dedup.Kafka.Lanes;
using Dedup.Kafka.Running;
using Dedup.Kafka.Tasks;
using Dedup.Topology.Pipelines;

namespace Dedup.Host.Running;

/// <summary>One pipeline of this process as of now: sums over its lanes and partitions.</summary>
internal sealed record PipelineStatus
{
    /// <summary>Pipeline.</summary>
    public required string Pipeline { get; init; }

    /// <summary>Lanes in all.</summary>
    public int Lanes { get; init; }

    /// <summary>Lanes that run.</summary>
    public int LanesRunning { get; init; }

    /// <summary>Partitions that this process owns.</summary>
    public int Partitions { get; init; }

    /// <summary>Of those, partitions being restored.</summary>
    public int Restoring { get; init; }

    /// <summary>Records committed since the start of this process.</summary>
    public long Records { get; init; }

    /// <summary>Records a second since the last look.</summary>
    public double RecordsPerSecond { get; init; }

    /// <summary>Sent to clean, since the state was made.</summary>
    public long Clean { get; init; }

    /// <summary>Duplicates suppressed.</summary>
    public long Duplicates { get; init; }

    /// <summary>Quarantined.</summary>
    public long Quarantined { get; init; }

    /// <summary>Late, wherever they went.</summary>
    public long Late { get; init; }

    /// <summary>Records not judged yet in partitions whose end is known.</summary>
    public long Lag { get; init; }

    /// <summary>Whether the ends of all partitions are known.</summary>
    public bool LagIsKnown { get; init; }

    /// <summary>IDs held.</summary>
    public long Ids { get; init; }

    /// <summary>Memory of the stores.</summary>
    public long StoreBytes { get; init; }

    /// <summary>Usage by tenant, since the state was made; null where the scope has none.</summary>
    public TenantsSnapshot? Tenants { get; init; }

    /// <summary>Partitions that wait for a tenant's rate, with the tenant.</summary>
    public ImmutableArray<(int Partition, string Tenant)> Throttled { get; init; } = [];

    /// <summary>One line for people.</summary>
    public string Text =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{Pipeline}: {RecordsPerSecond:#,0}/s, lag {(LagIsKnown ? Lag.ToString("#,0", CultureInfo.InvariantCulture) : "unknown")}, clean {Clean:#,0}, duplicates {Duplicates:#,0}, quarantined {Quarantined:#,0}, late {Late:#,0}, IDs {Ids:#,0} in {StoreBytes / 1048576.0:0} MiB, partitions {Partitions}{(Restoring > 0 ? $" ({Restoring} restoring)" : "")}, lanes {LanesRunning}/{Lanes}{TenantStatus.Text(this)}"
        );

    /// <summary>The same for machines.</summary>
    public void WriteFields(Utf8JsonWriter json)
    {
        json.WriteString("pipeline", Pipeline);
        json.WriteNumber("records", Records);
        json.WriteNumber("recordsPerSecond", Math.Round(RecordsPerSecond, 1));
        if (LagIsKnown)
        {
            json.WriteNumber("lag", Lag);
        }
        else
        {
            json.WriteNull("lag");
        }

        json.WriteNumber("clean", Clean);
        json.WriteNumber("duplicates", Duplicates);
        json.WriteNumber("quarantined", Quarantined);
        json.WriteNumber("late", Late);
        json.WriteNumber("ids", Ids);
        json.WriteNumber("storeBytes", StoreBytes);
        json.WriteNumber("partitions", Partitions);
        json.WriteNumber("restoring", Restoring);
        json.WriteNumber("lanes", Lanes);
        json.WriteNumber("lanesRunning", LanesRunning);
        TenantStatus.WriteFields(this, json);
    }

    /// <summary>Sums up a snapshot.</summary>
    /// <param name="lanes">All lanes of the process.</param>
    /// <param name="before">Records of each pipeline at the last look.</param>
    /// <param name="elapsed">Time since then.</param>
    public static ImmutableArray<PipelineStatus> Of(
        ImmutableArray<LaneSnapshot> lanes,
        IReadOnlyDictionary<string, long> before,
        TimeSpan elapsed
    ) =>
        [
            .. lanes
                .GroupBy(static l => l.Pipeline)
                .Select(p => Of(p.Key, [.. p], before.GetValueOrDefault(p.Key), elapsed)),
        ];

    private static PipelineStatus Of(
        string pipeline,
        LaneSnapshot[] lanes,
        long before,
        TimeSpan elapsed
    )
    {
        // Lag and restores are those of both hops of by-id; records and verdicts are the second one's.
        PartitionSnapshot[] all = [.. lanes.SelectMany(static l => l.Partitions)];
        LaneSnapshot[] judging = [.. lanes.Where(static l => l.Hop != Hop.Rekey)];
        PartitionSnapshot[] partitions = [.. judging.SelectMany(static l => l.Partitions)];
        long records = judging.Sum(static l => l.Records);
        PartitionSnapshot[] known =
        [
            .. all.Where(static p => p is { EndOffset: >= 0, CommittedOffset: >= 0 }),
        ];
        return new PipelineStatus
        {
            Pipeline = pipeline,
            Lanes = lanes.Length,
            LanesRunning = lanes.Count(static l => l.State is LaneState.Running),
            Partitions = partitions.Length,
            Restoring = all.Count(static p => p.State is TaskState.Restoring or TaskState.Assigned),
            Records = records,
            RecordsPerSecond =
                elapsed > TimeSpan.Zero ? (records - before) / elapsed.TotalSeconds : 0,
            Clean = partitions.Sum(static p => p.Clean),
            Duplicates = partitions.Sum(static p => p.Duplicates),
            Quarantined = partitions.Sum(static p => p.Quarantined),
            Late = partitions.Sum(static p => p.Late),
            Lag = known.Sum(static p => Math.Max(0, p.EndOffset - p.CommittedOffset)),
            LagIsKnown = known.Length == all.Length,
            Ids = partitions.Sum(static p => p.Ids),
            StoreBytes = partitions.Sum(static p => p.StoreBytes),
            Tenants = TenantStatus.Sum(partitions),
            Throttled =
            [
                .. partitions
                    .Where(static p => p.ThrottledBy is not null)
                    .Select(static p => (p.Partition, p.ThrottledBy!)),
            ],
        };
    }
}
