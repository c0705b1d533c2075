using System.Globalization;
using System.Text;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Dedup.Acceptance.Brokers;
using Dedup.Audit;
using Dedup.Audit.Ledger;
using Dedup.Contracts.Headers;
using Dedup.Kafka.Running;
using Dedup.Topology.Pipelines;
using Dedup.Topology.Windows;
using Shouldly;

namespace Dedup.Acceptance.Pipelines;

/// <summary>partitioning: by-id on a real Kafka, both hops in this process: 4 input partitions, 3 between the hops.</summary>
public sealed class ByIdTests(RealKafka kafka)
{
    private const int Between = 3;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_duplicate_is_found_in_whichever_partition_it_arrives_and_order_holds_where_it_is_promised(
        bool native
    )
    {
        await using PipelineUnderTest pipeline = await MakeAsync();
        pipeline.UseNative = native;
        long now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        // 20,000 records; every ID comes twice, in neighbouring partitions.
        (int Partition, string Key, string Value, long Ms)[] records =
        [
            .. Enumerable
                .Range(0, 20_000)
                .Select(i => (i % 4, $"k{i / 2}", $"v{i}", now - 20_000 + i)),
        ];
        pipeline.Produce(
            records.Select(static r => (r.Partition, (string?)r.Key, (string?)r.Value, r.Ms))
        );
        pipeline.Start();
        await pipeline.DrainAsync();
        (await pipeline.StopAsync()).ShouldBe(RuntimeEnd.Stopped);

        List<ConsumeResult<byte[]?, byte[]?>> clean = pipeline.ReadAll(pipeline.Spec.Clean);
        clean.Select(Key).Distinct().Count().ShouldBe(10_000);
        clean.Count.ShouldBe(10_000);
        // Each record is where its original is, byte for byte, with its timestamp.
        Dictionary<string, (int Partition, string Key, string Value, long Ms)> byValue =
            records.ToDictionary(static r => r.Value);
        foreach (ConsumeResult<byte[]?, byte[]?> r in clean)
        {
            (r.Partition.Value, Key(r), Value(r), r.Message.Timestamp.UnixTimestampMs).ShouldBe(
                byValue[Value(r)]
            );
        }

        // Records of one input partition that went through the same partition between the hops keep their order.
        foreach (
            IGrouping<(int, int), ConsumeResult<byte[]?, byte[]?>> path in clean.GroupBy(r =>
                (r.Partition.Value, PartitionBetween(r))
            )
        )
        {
            int[] order =
            [
                .. path.Select(static r => int.Parse(Value(r)[1..], CultureInfo.InvariantCulture)),
            ];
            order.ShouldBe([.. order.Order()]);
        }

        LedgerReport ledger = KafkaLedger.Run(
            new AuditRequest
            {
                Kafka = new Dictionary<string, string>
                {
                    ["bootstrap.servers"] = pipeline.Bootstrap,
                },
                Input = pipeline.Spec.Input,
                Clean = pipeline.Spec.Clean,
                Quarantine = pipeline.Spec.Quarantine,
                Group = pipeline.Spec.RekeyHop(Between).Group,
                ById = new ByIdRequest(pipeline.Spec.Repartition, pipeline.Spec.Group),
                Rules = new AuditRules
                {
                    Recipe = pipeline.Spec.Recipe,
                    Window = new AuditWindow(pipeline.Spec.Windows[0].WindowMs),
                },
            },
            [pipeline.Spec.RekeyHop(Between).Changelog, pipeline.Spec.Changelog],
            beginsAtZero: true,
            cancellation: TestContext.Current.CancellationToken
        );
        ledger.Mismatches.ShouldBeEmpty();
        ledger.Unknown.ShouldBeEmpty();
        (ledger.Sum.Consumed, ledger.Sum.Clean, ledger.Sum.Duplicates).ShouldBe(
            (20_000, 10_000, 10_000)
        );
    }

    [Fact]
    public async Task Duplicates_name_the_first_occurrence_and_quarantined_records_their_source_by_input_coordinates()
    {
        await using PipelineUnderTest pipeline = await MakeAsync();
        pipeline.Spec = pipeline.Spec with { Duplicates = pipeline.Spec.Quarantine + "2" };
        using (IAdminClient admin = pipeline.Admin())
        {
            await admin.CreateTopicsAsync([
                new()
                {
                    Name = pipeline.Spec.Duplicates,
                    NumPartitions = 4,
                    ReplicationFactor = 1,
                },
            ]);
        }

        long now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        pipeline.Produce([
            (2, "filler", "f", now),
            (2, "a", "first", now),
            (2, null, "no key", now),
        ]);
        pipeline.Start();
        await pipeline.DrainAsync();
        pipeline.Produce([(0, "a", "again", now + 5)]);
        await pipeline.DrainAsync();

        ConsumeResult<byte[]?, byte[]?> duplicate = pipeline
            .ReadAll(pipeline.Spec.Duplicates)
            .ShouldHaveSingleItem();
        (duplicate.Partition.Value, Key(duplicate), Value(duplicate)).ShouldBe((0, "a", "again"));
        Header(duplicate, HeaderNames.SourceTopic).ShouldBe(pipeline.Spec.Input);
        Header(duplicate, HeaderNames.SourcePartition).ShouldBe("0");
        Header(duplicate, HeaderNames.SourceOffset).ShouldBe("0");
        Header(duplicate, HeaderNames.FirstTopic).ShouldBe(pipeline.Spec.Input);
        Header(duplicate, HeaderNames.FirstPartition).ShouldBe("2");
        Header(duplicate, HeaderNames.FirstOffset).ShouldBe("1");
        Header(duplicate, HeaderNames.FirstTimestamp).ShouldBe($"{now}");
        ConsumeResult<byte[]?, byte[]?> invalid = pipeline
            .ReadAll(pipeline.Spec.Quarantine)
            .ShouldHaveSingleItem();
        (invalid.Partition.Value, invalid.Message.Key, Value(invalid)).ShouldBe(
            (2, null, "no key")
        );
        Header(invalid, HeaderNames.Reason).ShouldBe("null-key");
        Header(invalid, HeaderNames.SourceTopic).ShouldBe(pipeline.Spec.Input);
        Header(invalid, HeaderNames.SourcePartition).ShouldBe("2");
        Header(invalid, HeaderNames.SourceOffset).ShouldBe("2");
    }

    /// <summary>
    /// Window and grace 10 minutes, partition 3 six hours behind the others; late records would be in quarantine, duplicates on
    /// clean. A restart in the middle, once with the stores lost: its clock is not forgotten.
    /// </summary>
    [Fact]
    public async Task An_input_partition_hours_behind_the_others_loses_nothing_and_is_judged_completely()
    {
        await using PipelineUnderTest pipeline = await MakeAsync();
        pipeline.Spec = pipeline.Spec with
        {
            Windows = [new WindowClass(0, "", 600_000, 600_000)],
            MaxFutureMs = 60_000,
            Late = LatePolicy.Quarantine,
        };
        long now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        for (int round = 0; round < 3; round++)
        {
            // Each minute of its own time every partition has 50 IDs; partition 3's come twice, five minutes apart.
            var records = new List<(int, string?, string?, long)>();
            for (int minute = round * 30; minute < (round * 30) + 30; minute++)
            {
                for (int i = 0; i < 50; i++)
                {
                    for (int p = 0; p < 3; p++)
                    {
                        records.Add(
                            (p, $"{p}-{minute}-{i}", "v", now - 5_400_000 + (minute * 60_000))
                        );
                    }

                    long behind = now - 27_000_000 + (minute * 60_000);
                    records.Add((3, $"3-{minute}-{i}", "v", behind));
                    records.Add((3, $"3-{minute - 5}-{i}", "v", behind));
                }
            }

            pipeline.Produce(records);
            pipeline.Start();
            await pipeline.DrainAsync();
            (await pipeline.StopAsync()).ShouldBe(RuntimeEnd.Stopped);
            if (round == 1)
            {
                Directory.Delete(
                    Path.Combine(pipeline.StateDirectory, pipeline.Spec.Name),
                    recursive: true
                );
            }
        }

        pipeline.ReadAll(pipeline.Spec.Quarantine).ShouldBeEmpty();
        // 90 minutes of 4 partitions, and five minutes before the first of partition 3.
        List<string> keys = [.. pipeline.ReadAll(pipeline.Spec.Clean).Select(Key)];
        keys.Count.ShouldBe(keys.Distinct().Count());
        keys.Count.ShouldBe(50 * ((90 * 4) + 5));
    }

    [Fact]
    public async Task What_was_judged_is_no_lag_and_is_deleted_from_the_topic_between_the_hops()
    {
        await using PipelineUnderTest pipeline = await MakeAsync();
        pipeline.LaneOptions = pipeline.LaneOptions with { PurgeIntervalMs = 100 };
        long now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        pipeline.Produce(
            Enumerable.Range(0, 1_000).Select(i => (i % 4, (string?)$"k{i}", (string?)"v", now + i))
        );
        pipeline.Start();
        await pipeline.DrainAsync();
        // Nobody commits past the control records that the log between the hops ends in, and yet nothing is left to do.
        await pipeline.UntilAsync(static lanes =>
            lanes.SelectMany(static l => l.Partitions).ToArray() is var all
            && all.Length == 4 + Between
            && all.All(static p => p.EndOffset >= 0 && p.EndOffset <= p.CommittedOffset)
        );
        using var queries = new Dedup.Kafka.Transport.LogQueries(pipeline.Admin());
        long until = Environment.TickCount64 + (long)PipelineUnderTest.Patience.TotalMilliseconds;
        for (int p = 0; p < Between; )
        {
            Topology.Ports.BoundsLookup bounds = queries.Bounds(
                pipeline.Spec.Repartition,
                p,
                1_000
            );
            // All but the control records that end the last transactions of the lanes.
            if (
                bounds.Status == Topology.Ports.LookupStatus.Found
                && bounds.Bounds.Low > 0
                && bounds.Bounds.Low >= bounds.Bounds.High - 8
            )
            {
                p++;
            }
            else
            {
                (Environment.TickCount64 < until).ShouldBeTrue(
                    $"{pipeline.Spec.Repartition}-{p}: {bounds}"
                );
                await Task.Delay(50, TestContext.Current.CancellationToken);
            }
        }

        (await pipeline.StopAsync()).ShouldBe(RuntimeEnd.Stopped);
        pipeline.Produce([(1, "k0", "again", now)]);
        pipeline.Start();
        await pipeline.DrainAsync();
        pipeline.ReadAll(pipeline.Spec.Clean).Count.ShouldBe(1_000);
    }

    private async Task<PipelineUnderTest> MakeAsync() =>
        await PipelineUnderTest.MakeAsync(
            await kafka.BootstrapServersAsync(),
            RealKafka.NewName(),
            repartitionPartitions: Between
        );

    private static int PartitionBetween(ConsumeResult<byte[]?, byte[]?> record)
    {
        // The recipe is the key: its frame is one tag byte and the key.
        byte[] frame = [(byte)Topology.Identify.IdKind.Bytes, .. record.Message.Key!];
        return Topology.Rekey.Rekeyer.PartitionOf(
            new Topology.Identify.SipHash(0, 0).Hash(frame),
            Between
        );
    }

    private static string Key(ConsumeResult<byte[]?, byte[]?> record) =>
        Encoding.UTF8.GetString(record.Message.Key!);

    private static string Value(ConsumeResult<byte[]?, byte[]?> record) =>
        Encoding.UTF8.GetString(record.Message.Value!);

    private static string Header(ConsumeResult<byte[]?, byte[]?> record, string name) =>
        Encoding.UTF8.GetString(record.Message.Headers.GetLastBytes(name));
}
