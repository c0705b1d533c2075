using System.Collections.Immutable;
using System.Text.Json;
using Dedup.Host.Running;
using Dedup.Kafka.Lanes;
using Dedup.Kafka.Running;
using Dedup.Kafka.Tasks;
using Dedup.Topology.Tenants;

namespace Dedup.Host.Tests.Running;

/// <summary>What the status of a pipeline says of its tenants, summed over partitions of several lanes.</summary>
public sealed class TenantStatusTests
{
    private static PartitionSnapshot Partition(
        int partition,
        ImmutableArray<TenantUsage>? tenants,
        string? throttledBy = null,
        long others = 0
    ) =>
        new(partition, TaskState.Active, 5, 5, 5, 5, 0, 0, 0, 0, 0, 0)
        {
            Tenants = tenants is { } largest
                ? new TenantsSnapshot(
                    largest,
                    new TenantUsage("", others, others, 0, 0, others),
                    others > 0
                )
                : null,
            ThrottledBy = throttledBy,
        };

    private static PipelineStatus Status(params PartitionSnapshot[] partitions) =>
        PipelineStatus
            .Of(
                [
                    .. partitions.Select(
                        static (p, i) =>
                            new LaneSnapshot("orders", i, LaneState.Running, null, 1, 5, [p])
                    ),
                ],
                new Dictionary<string, long>(),
                TimeSpan.Zero
            )
            .Single();

    private static JsonElement Json(PipelineStatus status)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            status.WriteFields(json);
            json.WriteEndObject();
        }

        using var document = JsonDocument.Parse(buffer.ToArray());
        return document.RootElement.Clone();
    }

    [Fact]
    public void Tenants_are_summed_over_partitions_and_the_largest_come_first()
    {
        PipelineStatus status = Status(
            Partition(0, [new("acme", 10, 6, 3, 1, 6), new("", 4, 4, 0, 0, 4)], others: 2),
            Partition(1, [new("beta", 30, 30, 0, 0, 30), new("acme", 2_000, 1_000, 900, 100, 7)])
        );
        status.Text.ShouldEndWith(
            ", tenants acme 2,010 (IDs 13, over quota 101) · beta 30 (IDs 30) · (none) 4 (IDs 4) · and others"
                + " (more than 1000 in a partition: quotas of the smallest count from when they came back)"
        );
        JsonElement json = Json(status);
        JsonElement acme = json.GetProperty("tenants")[0];
        acme.GetProperty("tenant").GetString().ShouldBe("acme");
        acme.GetProperty("records").GetInt64().ShouldBe(2_010);
        acme.GetProperty("firsts").GetInt64().ShouldBe(1_006);
        acme.GetProperty("duplicates").GetInt64().ShouldBe(903);
        acme.GetProperty("overQuota").GetInt64().ShouldBe(101);
        acme.GetProperty("ids").GetInt64().ShouldBe(13);
        json.GetProperty("otherTenants").GetProperty("ids").GetInt64().ShouldBe(2);
        json.GetProperty("throttled").GetArrayLength().ShouldBe(0);
    }

    [Fact]
    public void Partitions_that_wait_are_named_with_whom_they_wait_for_and_are_neither_restoring_nor_failed()
    {
        PipelineStatus status = Status(
            Partition(0, [new("acme", 1, 1, 0, 0, 1)], "acme"),
            Partition(1, [new("acme", 1, 1, 0, 0, 1)]),
            Partition(2, [new("acme", 1, 1, 0, 0, 1)], "acme"),
            Partition(3, [new("", 1, 1, 0, 0, 1)], "")
        );
        status.Text.ShouldEndWith(", throttled partitions 0 2 by acme · partition 3 by (none)");
        (status.Restoring, status.LanesRunning).ShouldBe((0, 4));
        JsonElement throttled = Json(status).GetProperty("throttled");
        throttled.GetArrayLength().ShouldBe(3);
        throttled[1].GetProperty("partition").GetInt32().ShouldBe(2);
        throttled[1].GetProperty("tenant").GetString().ShouldBe("acme");
    }

    [Fact]
    public void Machines_get_at_most_a_hundred_tenants_and_the_sum_of_the_rest()
    {
        PipelineStatus status = Status([
            .. Enumerable
                .Range(0, 3)
                .Select(static p =>
                    Partition(
                        p,
                        [
                            .. Enumerable
                                .Range(0, 50)
                                .Select(i => new TenantUsage($"{p}-{i}", 1, 1, 0, 0, 1)),
                        ]
                    )
                ),
        ]);
        JsonElement json = Json(status);
        json.GetProperty("tenants").GetArrayLength().ShouldBe(100);
        json.GetProperty("otherTenants").GetProperty("records").GetInt64().ShouldBe(50);
    }

    [Fact]
    public void Without_tenants_nothing_is_said_of_them()
    {
        PipelineStatus status = Status(Partition(0, null));
        status.Text.ShouldNotContain("tenant");
        Json(status).TryGetProperty("tenants", out _).ShouldBeFalse();
    }
}
