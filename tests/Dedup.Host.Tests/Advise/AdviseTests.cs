using System.Text.Json;
using Dedup.Host.Advise;
using Dedup.Host.Samples;
using Dedup.Host.Tests.Configuration;
using Dedup.Topology.Identify.Sources;
using Dedup.Topology.Records;
using FsCheck;
using FsCheck.Fluent;

namespace Dedup.Host.Tests.Advise;

/// <summary>Topics made with a known truth, and what the advice says of them.</summary>
public sealed class AdviseTests
{
    private const long Second = 1000;
    private const long Minute = 60 * Second;

    [Fact]
    public void An_event_id_is_found_and_what_only_looks_like_one_is_not_taken_for_it()
    {
        using var topic = new MemoryTopic(4);
        for (int i = 0; i < 1000; i++)
        {
            // Every tenth is sent twice, 30 s later; the customer has many events, the trace is new with each try.
            Send(i, 0);
            if (i % 10 == 0)
            {
                Send(i, 30 * Second);
            }
        }

        SampleResult sample = topic.Read();
        var advice = Host.Advise.Advice.Of(sample.Tried, sample.SpanMs);
        RepeatCounts best = advice.Best.ShouldNotBeNull().Counts;
        advice.Best.Candidate.Name.ShouldBe("json:$.event_id");
        (
            best.Records,
            best.WithId,
            best.Distinct,
            best.Repeats,
            best.Conflicts,
            best.Elsewhere
        ).ShouldBe((1100, 1100, 1000, 100, 0, 0));
        best.FarthestMs.ShouldBe(30 * Second);
        best.Histogram[2].ShouldBe(100, "30 s lie between 10 s and 1 min");
        RepeatCounts key = Found(sample, "key");
        (key.Distinct, key.Repeats).ShouldBe((10, 1090));
        key.Conflicts.ShouldBeGreaterThan(1000);
        Found(sample, "json:$.customer.id").Conflicts.ShouldBe(key.Conflicts);
        Found(sample, "header:trace").Repeats.ShouldBe(0);
        Found(sample, "content").Repeats.ShouldBe(100);
        sample.Tried.ShouldNotContain(static t => t.Candidate.Name.Contains("amount"));
        advice.Next.ShouldBeNull();
        advice.NeedsById.ShouldBeFalse();
        advice.WindowMs.ShouldBe(24 * 60 * Minute);

        string yaml = RecipeYaml.Of(sample, advice, "localhost:9092");
        var spec = Load.Good(yaml).Pipelines.ShouldHaveSingleItem();
        spec.Recipe.Text.ShouldBe("json:$.event_id");
        spec.Input.ShouldBe("orders");

        void Send(int i, long laterMs) =>
            topic.Add(
                MemoryTopic.Start + (i * Second) + laterMs,
                $$"""{"event_id": "e{{i}}", "amount": 5, "n": {{i}}, "customer": {"id": "c{{i % 10}}"} }""",
                $"c{i % 10}",
                i % 4,
                ("trace", Guid.NewGuid().ToString())
            );
    }

    [Fact]
    public void Payloads_that_differ_only_in_when_they_were_sent_are_no_conflict()
    {
        using var topic = new MemoryTopic(1);
        for (int i = 0; i < 200; i++)
        {
            topic.Add(
                MemoryTopic.Start + i,
                $$"""{"id": {{i % 150}}, "sent_at": {{i}}, "meta": {"attempt": {{i / 150}} } }"""
            );
        }

        SampleResult sample = topic.Read();
        RepeatCounts id = Found(sample, "json:$.id");
        (id.Repeats, id.Conflicts).ShouldBe((50, 0));
        Found(sample, "content").Repeats.ShouldBe(0);
        Found(sample, "content without $.meta.attempt, $.sent_at").Repeats.ShouldBe(50);
        Host.Advise.Advice.Of(sample.Tried, sample.SpanMs)
            .Best!.Candidate.Name.ShouldBe("json:$.id");
    }

    [Fact]
    public void Repeats_in_another_partition_are_counted_and_need_by_id()
    {
        using var topic = new MemoryTopic(3);
        for (int i = 0; i < 100; i++)
        {
            string value = $$"""{"event_id": "e{{i}}"}""";
            topic.Add(MemoryTopic.Start + i, value, partition: 0);
            if (i < 20)
            {
                // Twice more in another partition (by-input misses one of these two), and once in its own.
                topic.Add(MemoryTopic.Start + i + 1000, value, partition: 2);
                topic.Add(MemoryTopic.Start + i + 2000, value, partition: 2);
                topic.Add(MemoryTopic.Start + i + 3000, value, partition: 0);
            }
        }

        SampleResult sample = topic.Read();
        var advice = Host.Advise.Advice.Of(sample.Tried, sample.SpanMs);
        RepeatCounts c = advice.Best!.Counts;
        (c.Repeats, c.Elsewhere, c.Largest).ShouldBe((60, 20, 4));
        advice.NeedsById.ShouldBeTrue();
        RecipeYaml.Of(sample, advice, null).ShouldContain("partitioning: by-id");
        advice.Why.ShouldContain(static w =>
            w.StartsWith("20 repeats came in another partition", StringComparison.Ordinal)
        );
    }

    [Fact]
    public void Where_no_id_finds_repeats_content_is_advised_with_its_doubt()
    {
        using var topic = new MemoryTopic(1);
        for (int i = 0; i < 300; i++)
        {
            topic.Add(
                MemoryTopic.Start + (i * Second),
                $$"""{"v": {{i % 200}}, "w": "text of two"}"""
            );
        }

        SampleResult sample = topic.Read();
        var advice = Host.Advise.Advice.Of(sample.Tried, sample.SpanMs);
        advice.Best!.Candidate.Name.ShouldBe("content");
        advice.Best.Counts.Repeats.ShouldBe(100);
        advice.Best.Counts.MedianMs.ShouldBe(200 * Second);
        advice.Why.ShouldContain(static w => w.Contains("bucket", StringComparison.Ordinal));
        advice.Why.ShouldContain(static w =>
            w.Contains("larger --sample", StringComparison.Ordinal)
        );
    }

    [Fact]
    public void Records_without_the_id_get_content_behind_it()
    {
        using var topic = new MemoryTopic(1);
        for (int i = 0; i < 100; i++)
        {
            string value = $$"""{"x": {{i % 90}}}""";
            (string, string)[] headers = i % 90 < 80 ? [("Idempotency-Key", $"k{i % 90}")] : [];
            topic.Add(MemoryTopic.Start + i, value, null, 0, headers);
        }

        SampleResult sample = topic.Read();
        var advice = Host.Advise.Advice.Of(sample.Tried, sample.SpanMs);
        advice.Best!.Candidate.Name.ShouldBe("header:Idempotency-Key");
        advice.Next!.Candidate.Name.ShouldBe("content");
        Load.Good(RecipeYaml.Of(sample, advice, "b:9092"))
            .Pipelines[0]
            .Recipe.Sources.Length.ShouldBe(2);
    }

    [Fact]
    public void Without_any_repeat_a_promising_name_is_advised_and_said_to_be_no_proof()
    {
        using var topic = new MemoryTopic(1);
        for (int i = 0; i < 100; i++)
        {
            topic.Add(
                MemoryTopic.Start + i,
                $$"""{"messageId": "{{Guid.NewGuid()}}", "created_at": "2026-01-01T00:00:{{i % 60:00}}.{{i:000}}Z"}"""
            );
        }

        SampleResult sample = topic.Read();
        var advice = Host.Advise.Advice.Of(sample.Tried, sample.SpanMs);
        advice.Best!.Candidate.Name.ShouldBe("json:$.messageId");
        advice.Why[0].ShouldContain("no proof");
        sample.Tried.ShouldNotContain(static t => t.Candidate.Name.Contains("created_at"));
    }

    [Fact]
    public void Where_every_id_conflicts_nothing_is_advised_and_it_is_said_why()
    {
        using var topic = new MemoryTopic(1);
        for (int i = 0; i < 100; i++)
        {
            topic.Add(MemoryTopic.Start + i, $$"""{"customer_id": "c{{i % 5}}", "n": {{i}}}""");
        }

        SampleResult sample = topic.Read();
        var advice = Host.Advise.Advice.Of(sample.Tried, sample.SpanMs);
        advice.Best.ShouldBeNull();
        advice
            .Why.ShouldHaveSingleItem()
            .ShouldContain("of the 95 repeats of json:$.customer_id, 95 have another payload");
    }

    [Fact]
    public void A_recipe_of_the_user_is_tried_as_well()
    {
        using var topic = new MemoryTopic(1);
        topic.Add(1, """{"a": {"b": 1}}""");
        topic.Add(2, """{"a": {"b": 1}, "c": 2}""");
        var given = new Candidate(
            CandidateKind.Given,
            "json:$.a",
            "json:$.a",
            Dedup.Topology.Identify.Parsing.RecipeParser.Parse("json:$.a").Recipe!
        );
        SampleResult sample = topic.Read(10, given);
        (Found(sample, "json:$.a").Repeats, Found(sample, "json:$.a").Conflicts).ShouldBe((1, 1));
    }

    [Fact]
    public void Payloads_that_are_no_json_tombstones_and_hostile_documents_do_no_harm()
    {
        using var topic = new MemoryTopic(2);
        string deep = new string('[', 5000) + new string(']', 5000);
        string wide =
            "{"
            + string.Join(",", Enumerable.Range(0, 5000).Select(static i => $"\"id{i}\":{i}"))
            + "}";
        foreach (
            string? value in (string?[])
                [
                    null,
                    "",
                    "text",
                    "{\"id\": ",
                    "{\"\\ud800\": 1}",
                    "{\"id\": \"\\ud800\"}",
                    deep,
                    wide,
                    "[1]",
                    "17",
                ]
        )
        {
            topic.Add(-1, value);
            topic.Add(MemoryTopic.Start, value, "k", 1, ("h", "\0"));
        }

        SampleResult sample = topic.Read();
        sample.Records.ShouldBe(20);
        sample.Tried.Count.ShouldBeLessThanOrEqualTo(CandidateFinder.MaxCandidates);
        _ = Host.Advise.Advice.Of(sample.Tried, sample.SpanMs);
        sample.RecordsPerSecond.ShouldBe(0, "one moment tells no rate");
    }

    [Fact]
    public void Counts_equal_those_of_a_model_for_any_records() =>
        Prop.ForAll(
                ArbMap.Default.ArbFor<(byte Id, byte Payload, byte Partition, short Time)[]>(),
                static rows =>
                {
                    using var topic = new MemoryTopic(3);
                    (int Id, int Payload, int Partition, long Time)[] records =
                    [
                        .. rows.Select(static r =>
                            (r.Id % 5, r.Payload % 2, r.Partition % 3, MemoryTopic.Start + r.Time)
                        ),
                    ];
                    foreach ((int id, int payload, int partition, long time) in records)
                    {
                        // ID 4 stands for none.
                        topic.Add(time, $"{payload}", id == 4 ? null : $"{id}", partition);
                    }

                    if (records.All(static r => r.Id == 4))
                    {
                        return true;
                    }

                    RepeatCounts c = Found(topic.Read(), "key");
                    // Partitions are read one after the other, each in its order.
                    var groups = records
                        .OrderBy(static r => r.Partition)
                        .Where(static r => r.Id != 4)
                        .GroupBy(
                            static r => r.Id,
                            (_, g) => g.OrderBy(static r => r.Time).ToArray()
                        )
                        .ToArray();
                    return c.WithId == groups.Sum(static g => g.Length)
                        && c.Distinct == groups.Length
                        && c.Conflicts
                            == groups.Sum(static g => g.Count(r => r.Payload != g[0].Payload))
                        && c.Elsewhere
                            == groups.Sum(static g =>
                                g.Select(static r => r.Partition).Distinct().Count() - 1
                            )
                        && c.FarthestMs == groups.Max(static g => g[^1].Time - g[0].Time)
                        && c.Histogram.Sum() == c.Repeats;
                }
            )
            .QuickCheckThrowOnFailure();

    [Fact]
    public void A_record_is_taken_in_without_allocating()
    {
        var batch = new SampleBatch([
            new SampleRecord
            {
                Key = "k"u8.ToArray(),
                Value =
                    """{"event_id": "e1", "sent_at": 5, "data": {"b": 1.5, "a": [1]}}"""u8.ToArray(),
            },
        ]);
        batch.Get(0, out RecordView record);
        var finder = new CandidateFinder();
        finder.See(record);
        var table = new SampleTable(finder.Candidates(), 2000);
        for (int i = 0; i < 1000; i++)
        {
            table.Add(record);
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            table.Add(record);
        }

        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);
        table.IsFull.ShouldBeTrue();
    }

    [Fact]
    public void Both_forms_of_output_carry_the_same_numbers()
    {
        using var topic = new MemoryTopic(1);
        for (int i = 0; i < 1000; i++)
        {
            topic.Add(MemoryTopic.Start + (i * Second), $$"""{"event_id": "e{{i % 900}}"}""");
        }

        SampleResult sample = topic.Read();
        var advice = Host.Advise.Advice.Of(sample.Tried, sample.SpanMs);
        string yaml = RecipeYaml.Of(sample, advice, null);
        using var output = new StringWriter();
        new AdvicePrinter(
            new Host.Commands.CliContext
            {
                Out = output,
                Error = TextWriter.Null,
                Environment = static _ => null,
                IsTerminal = false,
            },
            sample,
            advice
        ).Print(yaml);
        string text = output.ToString();
        text.ShouldStartWith(
            "orders: 1,000 records of 1 partitions (all of it); 16 min 39 s of record time, 1/s\n"
        );
        text.ShouldContain("advice: id: { json: $.event_id }\n");
        // 1.001/s × 90 % × 48 h × 8/7 = 177.9 k
        text.ShouldContain(
            "× 90 % firsts × 48h (window + grace) × 8/7 (buckets go as a whole) = 177.92 k"
        );
        text.ShouldContain(yaml);
        JsonElement json = JsonDocument.Parse(AdviceJson.Of(sample, advice, yaml)).RootElement;
        JsonElement best = json.GetProperty("candidates")[0];
        best.GetProperty("repeats").GetInt64().ShouldBe(100);
        json.GetProperty("advice").GetProperty("yaml").GetString().ShouldBe(yaml);
        json.GetProperty("advice").GetProperty("ids").GetDouble().ShouldBe(177_915, 1);
    }

    private static RepeatCounts Found(SampleResult sample, string name) =>
        sample
            .Tried.SingleOrDefault(t => t.Candidate.Name == name)
            .ShouldNotBeNull(string.Join(", ", sample.Tried.Select(static t => t.Candidate.Name)))
            .Counts;
}
