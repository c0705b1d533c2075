using System.Buffers.Binary;
using System.Diagnostics;
using System.Text;
using Confluent.Kafka;
using Dedup.Acceptance.Brokers;
using Dedup.Acceptance.Cli;
using Dedup.Acceptance.Pipelines;
using Shouldly;

namespace Dedup.Acceptance.Schemas;

/// <summary><c>validate: true</c> with a real registry, a real Kafka, and the program as a user runs it.</summary>
public sealed class ValidationTests(RealKafka kafka)
{
    private const string Schema =
        """{"$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "properties": {"amount": {"type": "number"}}, "required": ["amount"]}""";

    [Fact]
    public async Task Payloads_are_validated_also_while_the_registry_is_away_and_no_partition_waits_for_it()
    {
        string bootstrap = await kafka.BootstrapServersAsync();
        using RealRegistry registry = await RealRegistry.StartAsync();
        int id = await registry.RegisterAsync("orders-value", Schema);
        await using PipelineUnderTest topics = await PipelineUnderTest.MakeAsync(
            bootstrap,
            RealKafka.NewName("schemas"),
            partitions: 1
        );
        string config = Path.Combine(topics.StateDirectory, "dedup.yaml");
        await File.WriteAllTextAsync(
            config,
            $"""
            kafka: {"{"} bootstrap.servers: "{bootstrap}" {"}"}
            state: {"{"} directory: {topics.StateDirectory} {"}"}
            lanes: 1
            pipelines:
              {topics.Spec.Name}:
                input: {topics.Spec.Input}
                clean: {topics.Spec.Clean}
                id: key
                schema-registry: {registry.Address}
                validate: true
                on-unavailable: quarantine
            """,
            TestContext.Current.CancellationToken
        );
        (int checkedWith, string findings, _) = CliProcess.Run("check", "--config", config);
        checkedWith.ShouldBe(0, findings);

        using Process run = CliProcess.Start("run", "--config", config, "--log", "json");
        Task<string> log = run.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        try
        {
            Produce(
                topics,
                ("good", Framed(id, """{"amount": 1}""")),
                ("bad", Framed(id, """{"amount": "1"}""")),
                ("unknown", Framed(987_654, "{}")),
                ("unframed", "{}"u8.ToArray()),
                ("tombstone", null),
                ("good", Framed(id, """{"amount": 1}"""))
            );
            await topics.DrainAsync();
            registry.Kill();
            Produce(
                topics,
                ("good-2", Framed(id, """{"amount": 2}""")),
                ("bad-2", Framed(id, "{}")),
                ("new", Framed(id + 1, "{}")),
                ("good-3", Framed(id, """{"amount": 3}"""))
            );
            await topics.DrainAsync();
        }
        finally
        {
            CliProcess.Terminate(run);
            run.WaitForExit(TimeSpan.FromSeconds(20)).ShouldBeTrue();
        }

        Keys(topics, topics.Spec.Clean).ShouldBe(["good", "tombstone", "good-2", "good-3"]);
        topics
            .ReadAll(topics.Spec.Quarantine)
            .Select(static r =>
                $"{Key(r)}: {Encoding.UTF8.GetString(r.Message.Headers.GetLastBytes("dedup.reason"))}"
            )
            .ShouldBe([
                "bad: schema-invalid",
                "unknown: schema-invalid",
                "unframed: schema-invalid",
                "bad-2: schema-invalid",
                "new: schema-unavailable",
            ]);
        (await log).ShouldContain("schema-registry.away");

        (checkedWith, findings, _) = CliProcess.Run("check", "--config", config);
        checkedWith.ShouldBe(0, "a registry that is away is a warning: " + findings);
        findings.ShouldContain("does not answer");
        (int verified, string report, string error) = CliProcess.Run("verify", "--config", config);
        verified.ShouldBe(0, report + error);
    }

    private static void Produce(
        PipelineUnderTest topics,
        params (string Key, byte[]? Value)[] records
    ) =>
        topics.Produce(
            records.Select(static r =>
                (
                    0,
                    new Message<byte[]?, byte[]?>
                    {
                        Key = Encoding.UTF8.GetBytes(r.Key),
                        Value = r.Value,
                    }
                )
            )
        );

    private static string[] Keys(PipelineUnderTest topics, string topic) =>
        [.. topics.ReadAll(topic).Select(Key)];

    private static string Key(ConsumeResult<byte[]?, byte[]?> record) =>
        Encoding.UTF8.GetString(record.Message.Key!);

    private static byte[] Framed(int id, string json)
    {
        byte[] framed = [0, 0, 0, 0, 0, .. Encoding.UTF8.GetBytes(json)];
        BinaryPrimitives.WriteInt32BigEndian(framed.AsSpan(1), id);
        return framed;
    }
}
