using System.Text;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Dedup.Acceptance.Brokers;
using Dedup.Kafka.Running;
using Dedup.Topology.Identify;
using Dedup.Topology.Identify.Scopes;
using Dedup.Topology.Identify.Sources;
using Dedup.Topology.Pipelines;
using Dedup.Topology.Windows;
using Shouldly;

namespace Dedup.Acceptance.Pipelines;

/// <summary>Policies on a real Kafka: what goes where with which headers, and what a restart with others remembers.</summary>
public sealed class PolicyTests(RealKafka kafka)
{
    private const long HourMs = 3_600_000;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Windows_by_type_conflicts_duplicates_and_headers_by_either_transport(
        bool native
    )
    {
        await using PipelineUnderTest pipeline = await PipelineUnderTest.MakeAsync(
            await kafka.BootstrapServersAsync(),
            RealKafka.NewName(),
            partitions: 1
        );
        pipeline.UseNative = native;
        string duplicates = pipeline.Spec.Name + ".duplicates";
        using (IAdminClient admin = pipeline.Admin())
        {
            await admin.CreateTopicsAsync([
                new TopicSpecification
                {
                    Name = duplicates,
                    NumPartitions = 1,
                    ReplicationFactor = 1,
                },
            ]);
        }

        pipeline.Spec = pipeline.Spec with
        {
            Duplicates = duplicates,
            Recipe = new Recipe(
                [new KeySource()],
                new Scope(null, null, new ScopePart(new HeaderSource("type"))),
                new Fingerprint()
            ).WithTypes(new TypePatterns(["beat*"])),
            Windows =
            [
                new WindowClass(0, "", 24 * HourMs, 24 * HourMs),
                new WindowClass(1, "beat*", HourMs / 2, HourMs / 2),
            ],
            Headers = HeaderSets.Standard | HeaderSets.Verdict,
        };
        long then = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() - (5 * HourMs);
        pipeline.Produce([
            (0, Record("a", "1", "order", then)),
            (0, Record("a", "1", "beat.eu", then)),
            (0, Record("a", "1", "order", then + HourMs)),
            (0, Record("a", "1", "beat.eu", then + HourMs)),
            (0, Record("a", "2", "order", then + HourMs)),
        ]);
        pipeline.Start();
        await pipeline.DrainAsync();
        (await pipeline.StopAsync()).ShouldBe(RuntimeEnd.Stopped);

        List<ConsumeResult<byte[]?, byte[]?>> clean = pipeline.ReadAll(pipeline.Spec.Clean);
        clean
            .Select(static r => (Header(r, "type"), Header(r, "dedup.verdict")))
            .ShouldBe([("order", "first"), ("beat.eu", "first"), ("beat.eu", "first")]);
        Header(clean[0], "event-id").ShouldBe("a");
        Header(clean[0], "event-topic").ShouldBe(pipeline.Spec.Input);
        Header(clean[0], "dedupe-key").ShouldStartWith("dedup::order:");
        ConsumeResult<byte[]?, byte[]?> duplicate = pipeline
            .ReadAll(duplicates)
            .ShouldHaveSingleItem();
        (
            Header(duplicate, "dedup.source.offset"),
            Header(duplicate, "dedup.first.offset")
        ).ShouldBe(("2", "0"));
        ConsumeResult<byte[]?, byte[]?> conflict = pipeline
            .ReadAll(pipeline.Spec.Quarantine)
            .ShouldHaveSingleItem();
        Header(conflict, "dedup.reason").ShouldBe("conflict");
        Header(conflict, "dedup.first.offset").ShouldBe("0");
        Header(conflict, "dedup.detail").ShouldNotBeEmpty();
        conflict.Message.Value.ShouldBe("2"u8.ToArray());
    }

    // From shadow with an hour, to enforce with a day, to enforce with ten minutes; the window counts from then, three hours ago.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_restart_with_another_mode_and_window_knows_what_was_seen_also_from_the_changelog_alone(
        bool diskLost
    )
    {
        await using PipelineUnderTest pipeline = await PipelineUnderTest.MakeAsync(
            await kafka.BootstrapServersAsync(),
            RealKafka.NewName(),
            partitions: 1
        );
        long then = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() - (3 * HourMs);
        await RunAsync(
            pipeline,
            HourMs,
            ModeKind.Shadow,
            diskLost,
            (0, "a", "first", then),
            (0, "a", "forwarded by shadow", then + 1)
        );
        await RunAsync(
            pipeline,
            24 * HourMs,
            ModeKind.Enforce,
            diskLost,
            (0, "a", "suppressed: two hours are within a day", then + (2 * HourMs)),
            (0, "b", "first", then + (2 * HourMs))
        );
        await RunAsync(
            pipeline,
            HourMs / 6,
            ModeKind.Enforce,
            diskLost,
            (0, "b", "suppressed", then + (2 * HourMs) + 1),
            (0, "a", "first again: ten minutes are over", then + (3 * HourMs))
        );
        pipeline
            .ReadAll(pipeline.Spec.Clean)
            .Select(static r => Encoding.UTF8.GetString(r.Message.Value!))
            .ShouldBe([
                "first",
                "forwarded by shadow",
                "first",
                "first again: ten minutes are over",
            ]);
        pipeline.ReadAll(pipeline.Spec.Quarantine).ShouldBeEmpty();
    }

    private static async Task RunAsync(
        PipelineUnderTest pipeline,
        long windowMs,
        ModeKind mode,
        bool diskLost,
        params (int, string?, string?, long)[] records
    )
    {
        pipeline.Spec = pipeline.Spec with
        {
            Windows = [new WindowClass(0, "", windowMs, windowMs)],
            Mode = new PipelineMode(mode),
        };
        pipeline.Produce(records);
        pipeline.Start();
        await pipeline.DrainAsync();
        (await pipeline.StopAsync()).ShouldBe(RuntimeEnd.Stopped);
        if (diskLost)
        {
            Directory.Delete(
                Path.Combine(pipeline.StateDirectory, pipeline.Spec.Name),
                recursive: true
            );
        }
    }

    private static string Header(ConsumeResult<byte[]?, byte[]?> record, string name) =>
        Encoding.UTF8.GetString(record.Message.Headers.GetLastBytes(name));

    private static Message<byte[]?, byte[]?> Record(
        string key,
        string value,
        string type,
        long ms
    ) =>
        new()
        {
            Key = Encoding.UTF8.GetBytes(key),
            Value = Encoding.UTF8.GetBytes(value),
            Headers = new Headers { { "type", Encoding.UTF8.GetBytes(type) } },
            Timestamp = new Timestamp(ms, TimestampType.CreateTime),
        };
}
