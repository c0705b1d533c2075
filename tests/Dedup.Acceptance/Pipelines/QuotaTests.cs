using System.Text;
using Confluent.Kafka;
using Dedup.Acceptance.Brokers;
using Dedup.Kafka.Lanes;
using Dedup.Kafka.Running;
using Dedup.Topology.Identify;
using Dedup.Topology.Identify.Scopes;
using Dedup.Topology.Identify.Sources;
using Dedup.Topology.Tenants;
using Dedup.Topology.Windows;
using Shouldly;

namespace Dedup.Acceptance.Pipelines;

/// <summary>Quotas by tenant on a real Kafka. Window one hour, grace one hour.</summary>
public sealed class QuotaTests(RealKafka kafka)
{
    private const long HourMs = 3_600_000;

    // Ten IDs of which each comes twice; the quota is four. What was refused comes again, and is refused again.
    [Theory]
    [InlineData(true, false)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    public async Task Beyond_its_quota_a_tenant_goes_to_quarantine_also_after_a_restart_and_no_other_notices(
        bool native,
        bool diskLost
    )
    {
        await using PipelineUnderTest pipeline = await MakeAsync(
            new TenantQuota(Ids: 4),
            partitions: 1
        );
        pipeline.UseNative = native;
        long then = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() - (9 * HourMs);
        pipeline.Produce([
            .. Enumerable.Range(0, 10).Select(i => Record("flood", i, then)),
            .. Enumerable.Range(0, 4).Select(i => Record("calm", i, then)),
            .. Enumerable.Range(0, 10).Select(i => Record("flood", i, then)),
        ]);
        await RunAsync(pipeline);
        Names(pipeline, pipeline.Spec.Clean)
            .ShouldBe(["flood 0 1 2 3", "calm 0 1 2 3"], ignoreOrder: true);
        List<ConsumeResult<byte[]?, byte[]?>> refused = pipeline.ReadAll(pipeline.Spec.Quarantine);
        refused.Select(NumberOf).ShouldBe([4, 5, 6, 7, 8, 9, 4, 5, 6, 7, 8, 9]);
        Header(refused[0], "tenant").ShouldBe("flood");
        Header(refused[0], "dedup.reason").ShouldBe($"over-quota {pipeline.Spec.Input}/0/4/{then}");
        refused.ShouldAllBe(static r =>
            Header(r, "dedup.reason").StartsWith("over-quota ", StringComparison.Ordinal)
        );

        if (diskLost)
        {
            Directory.Delete(
                Path.Combine(pipeline.StateDirectory, pipeline.Spec.Name),
                recursive: true
            );
        }

        // One more is refused still; three hours later all that it held has expired.
        pipeline.Produce([
            Record("flood", 20, then),
            Record("flood", 0, then),
            Record("calm", 0, then),
            Record("flood", 21, then + (3 * HourMs)),
        ]);
        await RunAsync(pipeline);
        Names(pipeline, pipeline.Spec.Clean)
            .ShouldBe(["flood 0 1 2 3 21", "calm 0 1 2 3"], ignoreOrder: true);
        NumberOf(pipeline.ReadAll(pipeline.Spec.Quarantine)[^1]).ShouldBe(20);
    }

    // 40 new IDs at 5 for 250 ms: two seconds and no less, since the bucket is full at first and 35 have to be waited for.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task With_throttle_a_partition_waits_and_says_so_while_the_lane_goes_on_with_others(
        bool native
    )
    {
        await using PipelineUnderTest pipeline = await MakeAsync(
            new TenantQuota(Rate: new RateLimit(5, 250), OverRate: RateAction.Throttle),
            partitions: 2,
            lanes: 1
        );
        pipeline.Spec = pipeline.Spec with
        {
            Quota = pipeline.Spec.Quota! with { Tenants = [new("calm", TenantQuota.None)] },
        };
        pipeline.UseNative = native;
        long now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        pipeline.Produce([
            .. Enumerable.Range(0, 40).Select(i => Record("fast", i, now)),
            .. Enumerable.Range(0, 2_000).Select(i => Record("calm", i, now, partition: 1)),
        ]);
        pipeline.Start();
        await pipeline.UntilAsync(static lanes =>
        {
            PartitionSnapshot[] partitions = [.. lanes.SelectMany(static l => l.Partitions)];
            return partitions.Any(static p => p is { Partition: 1, Consumed: 2_000 })
                && partitions.Any(static p => p is { Partition: 0, ThrottledBy: "fast" })
                && lanes.All(static l => l.State == LaneState.Running);
        });
        await pipeline.DrainAsync();
        (await pipeline.StopAsync()).ShouldBe(RuntimeEnd.Stopped);

        List<ConsumeResult<byte[]?, byte[]?>> clean = pipeline.ReadAll(pipeline.Spec.Clean);
        clean
            .Where(static r => r.Partition.Value == 0)
            .Select(NumberOf)
            .ShouldBe(Enumerable.Range(0, 40));
        clean.Count.ShouldBe(2_040);
        pipeline.ReadAll(pipeline.Spec.Quarantine).ShouldBeEmpty();
        RuntimeEvent said = pipeline.Events.First(static e => e.Name == "task.throttled");
        said.Text.ShouldContain($"{pipeline.Spec.Input}-0 waits for the rate of tenant 'fast'");
        pipeline.Events.ShouldNotContain(static e => e.Level == EventLevel.Error);
    }

    // By-id with one partition between the hops: 12 IDs of one tenant in four input partitions meet there.
    [Fact]
    public async Task By_id_a_quota_counts_what_meets_between_the_hops()
    {
        await using PipelineUnderTest pipeline = await MakeAsync(
            new TenantQuota(Ids: 5),
            partitions: 4,
            between: 1
        );
        long now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        pipeline.Produce([
            .. Enumerable.Range(0, 12).Select(i => Record("flood", i, now, partition: i % 4)),
            .. Enumerable.Range(0, 5).Select(i => Record("calm", i, now, partition: i % 4)),
            .. Enumerable.Range(0, 5).Select(i => Record("calm", i, now, partition: 3 - (i % 4))),
        ]);
        await RunAsync(pipeline);
        List<ConsumeResult<byte[]?, byte[]?>> clean = pipeline.ReadAll(pipeline.Spec.Clean);
        clean.Count(static r => Header(r, "tenant") == "flood").ShouldBe(5);
        clean
            .Where(static r => Header(r, "tenant") == "calm")
            .Select(NumberOf)
            .Order()
            .ShouldBe([0, 1, 2, 3, 4]);
        pipeline.ReadAll(pipeline.Spec.Quarantine).Count.ShouldBe(7);
    }

    private async Task<PipelineUnderTest> MakeAsync(
        TenantQuota quota,
        int partitions,
        int? between = null,
        int lanes = 2
    )
    {
        PipelineUnderTest pipeline = await PipelineUnderTest.MakeAsync(
            await kafka.BootstrapServersAsync(),
            RealKafka.NewName(),
            partitions,
            between
        );
        pipeline.Lanes = lanes;
        pipeline.Spec = pipeline.Spec with
        {
            Recipe = new Recipe(
                [new KeySource()],
                new Scope(new ScopePart(new HeaderSource("tenant")), null, null)
            ),
            Windows = [new WindowClass(0, "", HourMs, HourMs)],
            MaxFutureMs = HourMs / 4,
            Quota = new QuotaRules(quota, []),
        };
        return pipeline;
    }

    private static async Task RunAsync(PipelineUnderTest pipeline)
    {
        pipeline.Start();
        await pipeline.DrainAsync();
        (await pipeline.StopAsync()).ShouldBe(RuntimeEnd.Stopped);
    }

    /// <summary>Each tenant with its numbers in the order of the topic.</summary>
    private static IEnumerable<string> Names(PipelineUnderTest pipeline, string topic) =>
        pipeline
            .ReadAll(topic)
            .GroupBy(static r => Header(r, "tenant"))
            .Select(static g => $"{g.Key} {string.Join(' ', g.Select(NumberOf))}");

    private static int NumberOf(ConsumeResult<byte[]?, byte[]?> record) =>
        int.Parse(
            Encoding.UTF8.GetString(record.Message.Key!),
            System.Globalization.CultureInfo.InvariantCulture
        );

    private static string Header(ConsumeResult<byte[]?, byte[]?> record, string name) =>
        Encoding.UTF8.GetString(record.Message.Headers.GetLastBytes(name));

    private static (int Partition, Message<byte[]?, byte[]?> Message) Record(
        string tenant,
        int number,
        long ms,
        int partition = 0
    ) =>
        (
            partition,
            new Message<byte[]?, byte[]?>
            {
                Key = Encoding.UTF8.GetBytes($"{number}"),
                Value = "v"u8.ToArray(),
                Headers = new Headers { { "tenant", Encoding.UTF8.GetBytes(tenant) } },
                Timestamp = new Timestamp(ms, TimestampType.CreateTime),
            }
        );
}
