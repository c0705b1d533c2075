using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Confluent.Kafka;
using Dedup.Acceptance.Brokers;
using Shouldly;

namespace Dedup.Acceptance.Cli;

/// <summary>A pipeline with quotas as a user runs it: what the status, the changelog, and the audit say of it.</summary>
public sealed class QuotaTests(RealKafka kafka) : IDisposable
{
    private readonly string _state = Directory.CreateTempSubdirectory("dedup-cli-test-").FullName;

    public void Dispose() => Directory.Delete(_state, recursive: true);

    // Of the flood's 1,000 IDs 100 pass, and each of the 300 repeats is of one that did; the calm tenant has 50.
    [Fact]
    public async Task Usage_by_tenant_is_in_status_and_changelog_and_what_is_over_quota_is_not_lost()
    {
        string bootstrap = await kafka.BootstrapServersAsync();
        string name = RealKafka.NewName("quota");
        string config = Path.Combine(_state, "dedup.yaml");
        await File.WriteAllTextAsync(
            config,
            $$"""
            kafka:
              bootstrap.servers: {{bootstrap}}
            state:
              directory: {{_state}}/state
            lanes: 1
            pipelines:
              {{name}}:
                input: {{name}}
                clean: {{name}}.clean
                quarantine: {{name}}.quarantine
                id: key
                scope: { tenant: { header: tenant } }
                quota: { tenant: { ids: 100 } }
            """,
            TestContext.Current.CancellationToken
        );
        string[] args = ["--config", config];
        CliProcess.Run(["topics", .. args, "--partitions", "1", "--apply"]).Code.ShouldBe(0);
        CliProcess.Run(["check", .. args]).Code.ShouldBe(0);
        await Produce(bootstrap, name);
        using (
            Process run = CliProcess.Start(["run", .. args, "--log", "json", "--status", "100ms"])
        )
        {
            JsonElement flood = Tenant(WaitForTenants(run, 1_350), "flood");
            (
                Number(flood, "firsts"),
                Number(flood, "duplicates"),
                Number(flood, "overQuota")
            ).ShouldBe((100, 300, 900));
            Number(flood, "ids").ShouldBe(100);
            CliProcess.Terminate(run);
            _ = await run.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            run.WaitForExit(TimeSpan.FromSeconds(15)).ShouldBeTrue();
        }

        (int code, string output, string error) = CliProcess.Run(["verify", .. args, "--json"]);
        code.ShouldBe(0, output + error);
        JsonElement report = JsonDocument.Parse(output).RootElement.GetProperty("pipelines")[0];
        Number(report, "first").ShouldBe(150);
        Number(report, "duplicates").ShouldBe(300);
        Number(report, "quarantined").ShouldBe(900);

        (code, output, _) = CliProcess.Run(["changelog", .. args, "--partition", "0"]);
        code.ShouldBe(0);
        output.ShouldContain(
            "tenant 'flood': records 1300, firsts 100, duplicates 300, over quota 900, IDs 100"
        );
        output.ShouldContain("tenant 'calm': records 50, firsts 50");
    }

    private static async Task Produce(string bootstrap, string topic)
    {
        using IProducer<string, string> producer = new ProducerBuilder<string, string>(
            new ProducerConfig { BootstrapServers = bootstrap, LingerMs = 5 }
        ).Build();
        for (int i = 0; i < 1_350; i++)
        {
            bool isCalm = i is >= 1_000 and < 1_050;
            producer.Produce(
                topic,
                new Message<string, string>
                {
                    Key = $"k{(i < 1_050 ? i : i % 100)}",
                    Value = $"v{i}",
                    Headers = new Headers
                    {
                        { "tenant", Encoding.UTF8.GetBytes(isCalm ? "calm" : "flood") },
                    },
                }
            );
        }

        await Task.Run(() => producer.Flush(TestContext.Current.CancellationToken));
    }

    private static JsonElement WaitForTenants(Process run, long records)
    {
        var seen = new List<string>();
        long begun = Stopwatch.GetTimestamp();
        while (
            Stopwatch.GetElapsedTime(begun) < TimeSpan.FromSeconds(60)
            && run.StandardOutput.ReadLine() is { } line
        )
        {
            seen.Add(line);
            JsonElement e = JsonDocument.Parse(line).RootElement;
            if (
                e.GetProperty("event").GetString() == "status"
                && e.TryGetProperty("tenants", out JsonElement tenants)
                && tenants.EnumerateArray().Sum(static t => Number(t, "records")) == records
            )
            {
                return e;
            }
        }

        run.Kill();
        throw new TimeoutException(string.Join('\n', seen.TakeLast(20)));
    }

    private static JsonElement Tenant(JsonElement status, string name) =>
        status
            .GetProperty("tenants")
            .EnumerateArray()
            .Single(t => t.GetProperty("tenant").GetString() == name);

    private static long Number(JsonElement element, string name) =>
        element.GetProperty(name).GetInt64();
}
