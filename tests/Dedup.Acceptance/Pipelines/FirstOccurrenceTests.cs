using System.Text;
using Confluent.Kafka;
using Dedup.Acceptance.Brokers;
using Dedup.Contracts.Headers;
using Dedup.Kafka.Running;
using Shouldly;

namespace Dedup.Acceptance.Pipelines;

/// <summary>The main job on a real Kafka, in this process: what comes out is the subsequence of first occurrences.</summary>
public sealed class FirstOccurrenceTests(RealKafka kafka)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Only_first_occurrences_reach_the_clean_topic_in_order_by_either_transport(
        bool native
    )
    {
        await using PipelineUnderTest pipeline = await PipelineUnderTest.MakeAsync(
            await kafka.BootstrapServersAsync(),
            RealKafka.NewName()
        );
        pipeline.UseNative = native;
        long now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        // 20,000 records over 4 partitions; the ID repeats every 7th record of its partition.
        (int Partition, string Key, string Value, long Ms)[] records =
        [
            .. Enumerable
                .Range(0, 20_000)
                .Select(i => (i % 4, $"k{i % 4}-{i / 4 * 6 / 7}", $"v{i}", now + i)),
        ];
        pipeline.Produce(
            records.Select(static r => (r.Partition, (string?)r.Key, (string?)r.Value, r.Ms))
        );
        pipeline.Start();
        await pipeline.DrainAsync();
        (await pipeline.StopAsync()).ShouldBe(RuntimeEnd.Stopped);

        List<ConsumeResult<byte[]?, byte[]?>> clean = pipeline.ReadAll(pipeline.Spec.Clean);
        for (int p = 0; p < 4; p++)
        {
            string[] expected =
            [
                .. records
                    .Where(r => r.Partition == p)
                    .DistinctBy(static r => r.Key)
                    .Select(static r => r.Value),
            ];
            string[] actual =
            [
                .. clean
                    .Where(r => r.Partition.Value == p)
                    .Select(static r => Encoding.UTF8.GetString(r.Message.Value!)),
            ];
            actual.ShouldBe(expected);
        }
    }

    [Fact]
    public async Task A_restart_remembers_what_was_seen_and_loses_nothing()
    {
        await using PipelineUnderTest pipeline = await PipelineUnderTest.MakeAsync(
            await kafka.BootstrapServersAsync(),
            RealKafka.NewName()
        );
        long now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        (int, string?, string?, long)[] half =
        [
            .. Enumerable
                .Range(0, 5_000)
                .Select(i => (i % 4, (string?)$"k{i}", (string?)$"v{i}", now + i)),
        ];
        pipeline.Produce(half);
        pipeline.Start();
        await pipeline.DrainAsync();
        (await pipeline.StopAsync()).ShouldBe(RuntimeEnd.Stopped);
        pipeline.Produce(half);
        pipeline.Produce([(0, "new", "new", now)]);
        pipeline.Start();
        await pipeline.DrainAsync();
        (await pipeline.StopAsync()).ShouldBe(RuntimeEnd.Stopped);
        Directory.Delete(
            Path.Combine(pipeline.StateDirectory, pipeline.Spec.Name),
            recursive: true
        );
        pipeline.Produce(half);
        pipeline.Produce([(1, "newer", "newer", now)]);
        pipeline.Start();
        await pipeline.DrainAsync();
        (await pipeline.StopAsync()).ShouldBe(RuntimeEnd.Stopped);
        pipeline.ReadAll(pipeline.Spec.Clean).Count.ShouldBe(5_002);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_cannot_be_judged_goes_to_quarantine_and_everything_else_stays_byte_for_byte(
        bool native
    )
    {
        await using PipelineUnderTest pipeline = await PipelineUnderTest.MakeAsync(
            await kafka.BootstrapServersAsync(),
            RealKafka.NewName(),
            partitions: 1
        );
        pipeline.UseNative = native;
        long now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        byte[] hostile = [0xFF, 0x00, 0xC3, 0x28];
        var headers = new Headers
        {
            { "a", hostile },
            { "a", null },
            { "b", [] },
            { "a", hostile },
        };
        (int, Message<byte[]?, byte[]?>)[] records =
        [
            (0, Record(null, [1], now)),
            (0, Record([1], null, now)),
            (0, Record([2], [], now)),
            (0, Record([], [3], now)),
            (0, Record([4], hostile, now, headers)),
            (0, Record([5], [5], now + 7_200_000)),
            (0, Record([6], new byte[3 << 20], now)),
            (0, Record([7], [7], now)),
        ];
        pipeline.Produce(records.Where(static r => r.Item2.Value is not { Length: > 1 << 20 }));
        pipeline.Start();
        await pipeline.DrainAsync();
        List<ConsumeResult<byte[]?, byte[]?>> clean = pipeline.ReadAll(pipeline.Spec.Clean);
        clean
            .Select(static r => r.Message.Key)
            .ShouldBe([
                [1],
                [2],
                [],
                [4],
                [7],
            ]);
        clean[0].Message.Value.ShouldBeNull();
        clean[1].Message.Value.ShouldBe([]);
        clean[3]
            .Message.Headers.Select(static h => (h.Key, Hex(h.GetValueBytes())))
            .ShouldBe([("a", Hex(hostile)), ("a", "null"), ("b", ""), ("a", Hex(hostile))]);
        clean.ShouldAllBe(r => r.Message.Timestamp.UnixTimestampMs == now);
        List<ConsumeResult<byte[]?, byte[]?>> quarantine = pipeline.ReadAll(
            pipeline.Spec.Quarantine
        );
        quarantine
            .Select(static r =>
                Encoding.UTF8.GetString(r.Message.Headers.GetLastBytes(HeaderNames.Reason))
            )
            .ShouldBe(["null-key", "timestamp-too-far-in-future"]);
        quarantine[0].Message.Value.ShouldBe([1]);
        Encoding
            .UTF8.GetString(quarantine[1].Message.Headers.GetLastBytes(HeaderNames.SourceTimestamp))
            .ShouldBe($"{now + 7_200_000}");
    }

    private static string Hex(byte[]? bytes) => bytes is null ? "null" : Convert.ToHexString(bytes);

    private static Message<byte[]?, byte[]?> Record(
        byte[]? key,
        byte[]? value,
        long ms,
        Headers? headers = null
    ) =>
        new()
        {
            Key = key,
            Value = value,
            Headers = headers ?? [],
            Timestamp = new Timestamp(ms, TimestampType.CreateTime),
        };
}
