using System.Diagnostics;
using System.Text.Json;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Dedup.Acceptance.Brokers;
using Dedup.Host.Brokers;
using Shouldly;

namespace Dedup.Acceptance.Cli;

/// <summary>check, topics, run, changelog, and verify on a real Kafka, as a user would type them.</summary>
public sealed class CommandTests(RealKafka kafka) : IDisposable
{
    private readonly string _state = Directory.CreateTempSubdirectory("dedup-cli-test-").FullName;

    public void Dispose() => Directory.Delete(_state, recursive: true);

    [Fact]
    public async Task From_no_topics_to_a_verified_pipeline()
    {
        string[] pipeline = await Pipeline();
        (int code, string output, _) = CliProcess.Run(["check", .. pipeline]);
        code.ShouldBe(1, output);
        output.ShouldContain("does not exist");
        CliProcess.Run(["topics", .. pipeline]).Code.ShouldBe(1);
        CliProcess.Run(["topics", .. pipeline, "--partitions", "4", "--apply"]).Code.ShouldBe(0);
        CliProcess.Run(["topics", .. pipeline]).Code.ShouldBe(0);
        CliProcess.Run(["check", .. pipeline]).Code.ShouldBe(0);
        await Produce(pipeline, 10_000);

        using Process run = CliProcess.Start([
            "run",
            .. pipeline,
            "--log",
            "json",
            "--status",
            "100ms",
        ]);
        WaitForStatus(
            run,
            static s =>
                s.GetProperty("clean").GetInt64() + s.GetProperty("duplicates").GetInt64() == 10_000
        );
        (int second, _, string refusal) = CliProcess.Run(["run", .. pipeline]);
        second.ShouldBe(2);
        refusal.ShouldContain($"is used by another process, PID {run.Id}");
        CliProcess.Terminate(run);
        _ = await run.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        run.WaitForExit(TimeSpan.FromSeconds(15)).ShouldBeTrue("SIGTERM ends it within 10 s");
        run.ExitCode.ShouldBe(0);

        (code, output, string error) = CliProcess.Run(["verify", .. pipeline, "--json"]);
        code.ShouldBe(0, output + error);
        JsonElement report = JsonDocument.Parse(output).RootElement.GetProperty("pipelines")[0];
        report.GetProperty("in").GetInt64().ShouldBe(10_000);
        report.GetProperty("first").GetInt64().ShouldBe(8_000);
        report.GetProperty("duplicates").GetInt64().ShouldBe(2_000);
        await TheLedgerAddsUpUntilSomebodyElseWritesToClean(pipeline);
        (code, output, _) = CliProcess.Run([
            "changelog",
            .. pipeline,
            "--partition",
            "0",
            "--json",
        ]);
        code.ShouldBe(0);
        string[] kinds =
        [
            .. output
                .Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(static l =>
                    JsonDocument.Parse(l).RootElement.GetProperty("kind").GetString()!
                ),
        ];
        kinds.ShouldContain("chunk");
        kinds[^1].ShouldBe("marker");
    }

    private static async Task TheLedgerAddsUpUntilSomebodyElseWritesToClean(string[] pipeline)
    {
        (int code, string output, string error) = CliProcess.Run([
            "verify",
            .. pipeline,
            "--ledger",
            "--json",
        ]);
        code.ShouldBe(0, output + error);
        JsonElement report = JsonDocument.Parse(output).RootElement.GetProperty("pipelines")[0];
        report.GetProperty("unknown").GetArrayLength().ShouldBe(0, output);
        JsonElement sum = report.GetProperty("sum");
        sum.GetProperty("consumed").GetInt64().ShouldBe(10_000);
        sum.GetProperty("clean").GetInt64().ShouldBe(8_000);
        sum.GetProperty("duplicates").GetInt64().ShouldBe(2_000);

        using IProducer<string, string> stranger = new ProducerBuilder<string, string>(
            new ProducerConfig { BootstrapServers = Value(pipeline, "--bootstrap") }
        ).Build();
        string clean = Value(pipeline, "--clean");
        _ = await stranger.ProduceAsync(
            new TopicPartition(clean, new Partition(2)),
            new Message<string, string> { Key = "x", Value = "y" },
            TestContext.Current.CancellationToken
        );
        (code, output, _) = CliProcess.Run(["verify", .. pipeline, "--ledger", "--json"]);
        code.ShouldBe(1, output);
        JsonElement mismatch = JsonDocument
            .Parse(output)
            .RootElement.GetProperty("pipelines")[0]
            .GetProperty("mismatches")
            .EnumerateArray()
            .ShouldHaveSingleItem();
        mismatch.GetProperty("partition").GetInt32().ShouldBe(2);
        mismatch
            .GetProperty("found")
            .GetInt64()
            .ShouldBe(mismatch.GetProperty("ledger").GetInt64() + 1);
    }

    [Fact]
    public async Task Wrong_topics_are_refused_all_together_by_check_and_run()
    {
        string[] pipeline = await Pipeline();
        string input = Value(pipeline, "--input");
        using IAdminClient admin = new AdminClientBuilder(
            new AdminClientConfig { BootstrapServers = Value(pipeline, "--bootstrap") }
        ).Build();
        await admin.CreateTopicsAsync([
            new TopicSpecification
            {
                Name = input,
                NumPartitions = 4,
                ReplicationFactor = 1,
            },
            new TopicSpecification
            {
                Name = input + ".clean",
                NumPartitions = 2,
                ReplicationFactor = 1,
            },
            new TopicSpecification
            {
                Name = $"dedup-{input}-changelog",
                NumPartitions = 4,
                ReplicationFactor = 1,
                Configs = new Dictionary<string, string> { ["cleanup.policy"] = "compact,delete" },
            },
        ]);
        (int code, string output, string error) = CliProcess.Run(["run", .. pipeline]);
        code.ShouldBe(2, output);
        error.ShouldContain("has 2 partitions, the input 4");
        error.ShouldContain($"quarantine topic '{input}.quarantine' does not exist");
        error.ShouldContain("has cleanup.policy=compact,delete");
        error
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .ShouldAllBe(static l => l.Contains("; fix: ", StringComparison.Ordinal));
        CliProcess.Run(["check", .. pipeline]).Code.ShouldBe(1);
        CliProcess.Run(["topics", .. pipeline, "--apply"]).Code.ShouldBe(0);
        CliProcess.Run(["check", .. pipeline]).Code.ShouldBe(0);
    }

    [Fact]
    public async Task State_of_a_topic_that_was_made_anew_is_refused_with_both_ids()
    {
        string[] pipeline = await Pipeline();
        string input = Value(pipeline, "--input");
        CliProcess.Run(["topics", .. pipeline, "--partitions", "1", "--apply"]).Code.ShouldBe(0);
        using (
            Process run = CliProcess.Start([
                "run",
                .. pipeline,
                "--log",
                "json",
                "--status",
                "100ms",
            ])
        )
        {
            WaitForStatus(run, static s => s.GetProperty("partitions").GetInt32() == 1);
            CliProcess.Terminate(run);
            _ = await run.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            run.WaitForExit(TimeSpan.FromSeconds(15)).ShouldBeTrue();
        }

        using IAdminClient admin = new AdminClientBuilder(
            new AdminClientConfig { BootstrapServers = Value(pipeline, "--bootstrap") }
        ).Build();
        await admin.DeleteTopicsAsync([input]);
        await Task.Delay(1000, TestContext.Current.CancellationToken);
        CliProcess.Run(["topics", .. pipeline, "--partitions", "1", "--apply"]).Code.ShouldBe(0);
        (int code, _, string error) = CliProcess.Run(["run", .. pipeline]);
        code.ShouldBe(2);
        error.ShouldContain($"'{input}' was made anew (id ");
        error.ShouldContain($"--accept-loss {input}");
    }

    [Fact]
    public void A_broker_that_is_not_there_is_said_in_one_line()
    {
        (int code, string output, _) = CliProcess.Run(
            "check",
            "--bootstrap",
            "127.0.0.1:1",
            "--input",
            "a",
            "--clean",
            "b",
            "--id",
            "key",
            "--state",
            _state
        );
        code.ShouldBe(1);
        output.ShouldContain("--bootstrap: error: no broker at 127.0.0.1:1 answers");
        output.ShouldContain("Connection refused; fix: start the broker");
    }

    private async Task<string[]> Pipeline() =>
        Pipeline(await kafka.BootstrapServersAsync(), RealKafka.NewName("cli"));

    private string[] Pipeline(string bootstrap, string name) =>
        [
            "--bootstrap",
            bootstrap,
            "--input",
            name,
            "--clean",
            name + ".clean",
            "--id",
            "key",
            "--window",
            "24h",
            "--state",
            _state,
        ];

    private static string Value(string[] args, string name) => args[Array.IndexOf(args, name) + 1];

    // Every fifth record repeats an ID.
    private static async Task Produce(string[] pipeline, int count)
    {
        using IProducer<string, string> producer = new ProducerBuilder<string, string>(
            new ProducerConfig { BootstrapServers = Value(pipeline, "--bootstrap"), LingerMs = 5 }
        ).Build();
        for (int i = 0; i < count; i++)
        {
            string id = i % 5 == 4 ? $"k{i - 4}" : $"k{i}";
            producer.Produce(
                Value(pipeline, "--input"),
                new Message<string, string> { Key = id, Value = $"v{i}" }
            );
        }

        await Task.Run(() => producer.Flush(TestContext.Current.CancellationToken));
    }

    private static void WaitForStatus(Process run, Func<JsonElement, bool> enough)
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
            if (e.GetProperty("event").GetString() == "status" && enough(e))
            {
                return;
            }
        }

        run.Kill();
        throw new TimeoutException(string.Join('\n', seen.TakeLast(20)));
    }
}
