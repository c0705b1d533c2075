using Dedup.Acceptance.Brokers;
using Dedup.Acceptance.Faults;
using Dedup.Audit.Reports;
using Shouldly;

namespace Dedup.Acceptance.Hostile;

/// <summary>Whatever producers send goes through the whole pipeline on a real broker, for every kind of recipe.</summary>
public sealed class HostileInputTests(RealKafka kafka, ITestOutputHelper output)
{
    /// <summary>Records of a round; DEDUP_LONG: 10 M in all, in rounds whose topics go before the next.</summary>
    private static readonly long Records = FaultSeed.IsLong ? 500_000 : 150_000;

    private static readonly int Rounds = FaultSeed.IsLong ? 20 : 1;

    /// <summary>No crash; each record is in one place: clean + duplicates + quarantine = consumed; and the audit is sound.</summary>
    [Fact]
    public async Task Hostile_input_crashes_nothing_and_the_ledger_adds_up_for_every_kind_of_recipe()
    {
        var seed = new FaultSeed(output);
        for (int round = 0; round < Rounds; round++)
        {
            await RoundAsync(seed);
        }
    }

    private async Task RoundAsync(FaultSeed seed)
    {
        await using HostilePipelines pipelines = await HostilePipelines.StartAsync(
            await kafka.BootstrapServersAsync(),
            RealKafka.NewName("hostile")
        );
        var records = new HostileRecords(seed, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());
        pipelines.Produce(records, Records).ShouldBe(0);
        await pipelines.DrainAsync();
        await pipelines.StopAsync();
        foreach ((string name, AuditReport report) in await pipelines.AuditAsync())
        {
            AuditCounts counts = report.Counts;
            output.WriteLine($"{name}: {counts} {string.Join("; ", report.Notes)}");
            report.IsSound.ShouldBeTrue(
                $"{name}\n"
                    + string.Join(
                        '\n',
                        report.Findings.Select(static f => $"{f.Kind} {f.Count}: {f.Shown[0]}")
                    )
            );
            report.UnknownTotal.ShouldBe(0, name);
            counts.In.ShouldBe(Records, name);
            (counts.Clean + counts.InDuplicatesTopic + counts.InQuarantineTopic).ShouldBe(
                Records,
                name
            );
            // Each way was taken.
            counts.Clean.ShouldBeGreaterThan(Records / 100, name);
            counts.InDuplicatesTopic.ShouldBeGreaterThan(Records / 100, name);
            counts.InQuarantineTopic.ShouldBeGreaterThan(Records / 1_000, name);
            counts.Late.ShouldBeGreaterThan(0, name);
        }
    }
}
