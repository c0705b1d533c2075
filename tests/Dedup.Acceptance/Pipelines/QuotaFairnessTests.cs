using System.Diagnostics;
using System.Globalization;
using System.Text;
using Confluent.Kafka;
using Dedup.Acceptance.Brokers;
using Dedup.Acceptance.Faults;
using Dedup.Kafka.Running;
using Dedup.Topology.Identify;
using Dedup.Topology.Identify.Scopes;
using Dedup.Topology.Identify.Sources;
using Dedup.Topology.Tenants;
using Shouldly;

namespace Dedup.Acceptance.Pipelines;

/// <summary>
/// What one tenant far over its quota costs the others: half of the input is one tenant's, and the same input goes through
/// with no quota, where all of it is forwarded, and with one of 1,000 IDs, where that half ends in quarantine.
/// </summary>
/// <remarks>CPU of the whole process for each record, since rates tell more of who else is on the machine.</remarks>
public sealed class QuotaFairnessTests(RealKafka kafka, ITestOutputHelper output)
{
    private const int Records = 600_000;
    private const int Rounds = 3;
    private const double MostSlower = 1.10;

    // An eighth first, so that neither variant pays for compiling; then in turns, each as often first as the other.
    [Fact]
    public async Task A_tenant_far_over_its_quota_slows_the_others_by_at_most_a_tenth()
    {
        Assert.SkipUnless(
            FaultSeed.IsLong,
            "a measurement that wants the machine for itself; DEDUP_LONG=1 runs it"
        );
        string bootstrap = await kafka.BootstrapServersAsync();
        await using PipelineUnderTest small = await LoadAsync(bootstrap, Records / 8);
        await using PipelineUnderTest full = await LoadAsync(bootstrap, Records);
        _ = await MeasureAsync(small, withQuota: false);
        _ = await MeasureAsync(small, withQuota: true);
        List<double> without = [];
        List<double> with = [];
        for (int round = 0; round < Rounds; round++)
        {
            foreach (bool withQuota in round % 2 == 0 ? [false, true] : new[] { true, false })
            {
                (withQuota ? with : without).Add(await MeasureAsync(full, withQuota));
            }
        }

        double ratio = Median(with) / Median(without);
        output.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"µs CPU per record, median of {Rounds}: {Median(without):0.00} without a quota, {Median(with):0.00} with half of the records over it: {ratio:0.00}"
            )
        );
        ratio.ShouldBeLessThan(MostSlower);
    }

    /// <summary>A flood of new IDs by one tenant between the records of 20 others; 200 bytes each.</summary>
    private static async Task<PipelineUnderTest> LoadAsync(string bootstrap, int records)
    {
        PipelineUnderTest input = await PipelineUnderTest.MakeAsync(
            bootstrap,
            RealKafka.NewName(),
            partitions: 2
        );
        long now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        byte[] value = new byte[160];
        byte[][] tenants =
        [
            .. Enumerable.Range(0, 20).Select(static i => Encoding.UTF8.GetBytes($"tenant-{i:00}")),
        ];
        byte[] flood = Encoding.UTF8.GetBytes("flood");
        input.Produce(
            Enumerable
                .Range(0, records)
                .Select(i =>
                    (
                        i / 2 % 2,
                        new Message<byte[]?, byte[]?>
                        {
                            Key = Encoding.UTF8.GetBytes($"order-{i:00000000}"),
                            Value = value,
                            Headers = new Headers
                            {
                                { "tenant", i % 2 == 0 ? flood : tenants[i / 2 % 20] },
                            },
                            Timestamp = new Timestamp(now, TimestampType.CreateTime),
                        }
                    )
                )
        );
        return input;
    }

    /// <summary>Runs the input through topics and state of its own; µs of CPU for each record.</summary>
    private static async Task<double> MeasureAsync(PipelineUnderTest input, bool withQuota)
    {
        await using PipelineUnderTest pipeline = await PipelineUnderTest.MakeAsync(
            input.Bootstrap,
            RealKafka.NewName(),
            partitions: 2
        );
        pipeline.Spec = pipeline.Spec with
        {
            Input = input.Spec.Input,
            Recipe = new Recipe(
                [new KeySource()],
                new Scope(new ScopePart(new HeaderSource("tenant")), null, null)
            ),
            Quota = withQuota
                ? new QuotaRules(TenantQuota.None, [new("flood", new TenantQuota(Ids: 1_000))])
                : null,
        };
        using var process = Process.GetCurrentProcess();
        TimeSpan before = process.TotalProcessorTime;
        pipeline.Start();
        await pipeline.DrainAsync();
        process.Refresh();
        double cpu = (process.TotalProcessorTime - before).TotalMicroseconds;
        IReadOnlyList<PartitionSnapshot> partitions = await pipeline.LastAsync();
        long records = partitions.Sum(static p => p.Consumed);
        // In each of two partitions all but 1,000 of the flood.
        partitions.Sum(static p => p.Quarantined).ShouldBe(withQuota ? (records / 2) - 2_000 : 0);
        return cpu / records;
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
