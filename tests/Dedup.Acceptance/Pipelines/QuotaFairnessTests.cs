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
/// What one tenant far over its quota costs the others: the same input goes through with no quota, where all of it is
/// forwarded, and with one of 1,000 IDs, where nearly all of that tenant's ends in quarantine.
/// </summary>
/// <remarks>
/// Everything, broker included, is on this machine and busy. What is held to the bound is the CPU of the process for each
/// record, which is what a full machine divides; the rate tells more of who else is on it.
/// </remarks>
public sealed class QuotaFairnessTests(RealKafka kafka, ITestOutputHelper output)
{
    private const int Records = 2_000_000;
    private const int Rounds = 3;
    private const double MostSlower = 1.10;

    /// <summary>For a half of all records, which is more than the goal speaks of: with six headers it was 1.5.</summary>
    private const double MostSlowerByHalf = 1.45;

    // An eighth first, so that neither variant pays for compiling; then in turns, each as often first as the other. A fifth of
    // all records is as much as five of the 20 others have together.
    [Fact]
    public async Task A_tenant_far_over_its_quota_with_a_fifth_of_all_records_slows_the_others_by_at_most_a_tenth()
    {
        Assert.SkipUnless(
            FaultSeed.IsLong,
            "a measurement that wants the machine for itself; DEDUP_LONG=1 runs it"
        );
        double half = await CompareAsync(oneIn: 2);
        double fifth = await CompareAsync(oneIn: 5);
        half.ShouldBeLessThan(MostSlowerByHalf);
        fifth.ShouldBeLessThan(MostSlower);
    }

    /// <summary>CPU for each record with a quota by CPU without.</summary>
    /// <param name="oneIn">One in so many records is the flood's.</param>
    private async Task<double> CompareAsync(int oneIn)
    {
        string bootstrap = await kafka.BootstrapServersAsync();
        await using PipelineUnderTest small = await LoadAsync(bootstrap, Records / 8, oneIn);
        await using PipelineUnderTest full = await LoadAsync(bootstrap, Records, oneIn);
        _ = await MeasureAsync(small, oneIn, withQuota: false);
        _ = await MeasureAsync(small, oneIn, withQuota: true);
        List<Measured> without = [];
        List<Measured> with = [];
        for (int round = 0; round < Rounds; round++)
        {
            foreach (bool withQuota in round % 2 == 0 ? [false, true] : new[] { true, false })
            {
                (withQuota ? with : without).Add(await MeasureAsync(full, oneIn, withQuota));
            }
        }

        Say($"1 in {oneIn} records by the flood, without a quota", without);
        Say($"1 in {oneIn} records by the flood, over its quota", with);
        return Median(with, static m => m.MicrosecondsPerRecord)
            / Median(without, static m => m.MicrosecondsPerRecord);
    }

    private void Say(string what, List<Measured> runs) =>
        output.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{what}: records of others {Median(runs, static m => m.OthersPerSecond):#,0}/s, CPU {Median(runs, static m => m.MicrosecondsPerRecord):0.00} µs per record; each of {Rounds}: {string.Join(", ", runs.Select(static m => string.Create(CultureInfo.InvariantCulture, $"{m.OthersPerSecond:#,0}/s {m.MicrosecondsPerRecord:0.00} µs")))}"
            )
        );

    /// <summary>A flood of new IDs by one tenant between the records of 20 others; 200 bytes each.</summary>
    private static async Task<PipelineUnderTest> LoadAsync(string bootstrap, int records, int oneIn)
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
                        i / oneIn % 2,
                        new Message<byte[]?, byte[]?>
                        {
                            Key = Encoding.UTF8.GetBytes($"order-{i:00000000}"),
                            Value = value,
                            Headers = new Headers
                            {
                                { "tenant", i % oneIn == 0 ? flood : tenants[i / oneIn % 20] },
                            },
                            Timestamp = new Timestamp(now, TimestampType.CreateTime),
                        }
                    )
                )
        );
        input.Produced = records;
        return input;
    }

    /// <summary>
    /// Runs the input through topics and state of its own. The rate is that from a tenth of the records on, so that starting
    /// and joining the group is no part of it.
    /// </summary>
    private static async Task<Measured> MeasureAsync(
        PipelineUnderTest input,
        int oneIn,
        bool withQuota
    )
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
        // A transaction costs some ms whatever is in it: ended by their number of records, they are as many however busy the
        // machine is.
        pipeline.LaneOptions = pipeline.LaneOptions with
        {
            CommitIntervalMs = 10_000,
        };
        long records = input.Produced;
        using var process = Process.GetCurrentProcess();
        TimeSpan before = process.TotalProcessorTime;
        pipeline.Start();
        long first = 0;
        await pipeline.UntilAsync(lanes => (first = Consumed(lanes)) >= records / 10);
        long begun = Stopwatch.GetTimestamp();
        await pipeline.UntilAsync(lanes => Consumed(lanes) == records);
        double seconds = Stopwatch.GetElapsedTime(begun).TotalSeconds;
        process.Refresh();
        double cpu = (process.TotalProcessorTime - before).TotalMicroseconds;
        IReadOnlyList<PartitionSnapshot> partitions = await pipeline.LastAsync();
        // In each of two partitions all but 1,000 of the flood.
        partitions
            .Sum(static p => p.Quarantined)
            .ShouldBe(withQuota ? (records / oneIn) - 2_000 : 0);
        long others = (records - first) * (oneIn - 1) / oneIn;
        return new Measured(others / seconds, cpu / records);
    }

    private static long Consumed(IReadOnlyList<LaneSnapshot> lanes) =>
        lanes.Sum(static l => l.Partitions.Sum(static p => p.Consumed));

    private static double Median(List<Measured> runs, Func<Measured, double> of) =>
        runs.Select(of).Order().ElementAt(runs.Count / 2);

    private readonly record struct Measured(double OthersPerSecond, double MicrosecondsPerRecord);
}
