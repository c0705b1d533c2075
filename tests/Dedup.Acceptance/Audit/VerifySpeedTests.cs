using System.Diagnostics;
using Confluent.Kafka;
using Dedup.Acceptance.Brokers;
using Dedup.Audit.Reports;
using Shouldly;
using static Dedup.Acceptance.Audit.AuditTopicPair;

namespace Dedup.Acceptance.Audit;

/// <summary>How fast `dedup verify` reads. The bound is far below what the machine does, so that a busy one does not fail.</summary>
public sealed class VerifySpeedTests(RealKafka kafka, ITestOutputHelper output)
{
    /// <summary>500,000 by default; DEDUP_VERIFY_RECORDS for a real measurement.</summary>
    private static readonly int Records = int.TryParse(
        Environment.GetEnvironmentVariable("DEDUP_VERIFY_RECORDS"),
        out int n
    )
        ? n
        : 500_000;

    [Fact]
    public async Task Half_a_million_records_of_200_bytes_are_audited_in_seconds_also_with_little_memory()
    {
        using AuditTopicPair pair = await MakeAsync(
            await kafka.BootstrapServersAsync(),
            "speed",
            4
        );
        Fill(pair);
        Show("in memory", pair.Audit());
        AuditReport little = pair.Audit(r => r with { MemoryBytes = 1 });
        Show("with the least memory", little);
    }

    private void Show(string what, AuditReport report)
    {
        double cpu = Process.GetCurrentProcess().TotalProcessorTime.TotalSeconds;
        output.WriteLine($"{what}: {Print(report)}(process CPU so far {cpu:0.0} s)");
        report.IsSound.ShouldBeTrue();
        report.Counts.In.ShouldBe(Records);
        report.RecordsPerSecond.ShouldBeGreaterThan(50_000);
    }

    private static void Fill(AuditTopicPair pair)
    {
        long now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        string body = new('x', 150);
        for (int i = 0; i < Records; i++)
        {
            // Every tenth repeats the one nine before it in its partition.
            bool repeats = i / 4 % 10 == 9;
            int id = repeats ? i - 36 : i;
            Message<byte[]?, byte[]?> record = Record(
                $"order-0123456789-0123456789-{id:d9}",
                body,
                now + (i / 1000)
            );
            pair.ToInput(record, i % 4);
            if (!repeats)
            {
                pair.ToClean(record, i % 4);
            }

            if (i % 100_000 == 0)
            {
                pair.Flush();
            }
        }
    }
}
