using System.Text;
using System.Text.Json;
using Confluent.Kafka;
using Dedup.Acceptance.Brokers;
using Shouldly;

namespace Dedup.Acceptance.Cli;

/// <summary><c>dedup id --topic</c> on a real Kafka.</summary>
public sealed class IdTests(RealKafka kafka)
{
    [Fact]
    public async Task The_newest_committed_records_of_a_topic_are_explained_evenly_over_its_partitions()
    {
        string bootstrap = await kafka.BootstrapServersAsync();
        string topic = RealKafka.NewName("id");
        await RealKafka.MakeTopicAsync(bootstrap, topic, partitions: 3);
        Produce(bootstrap, topic);

        (int code, string output, string error) = CliProcess.Run(
            "id",
            "--bootstrap",
            bootstrap,
            "--topic",
            topic,
            "--count",
            "6",
            "--id",
            "header:id|json:$.id",
            "--json"
        );
        code.ShouldBe(1, error);
        JsonElement[] found =
        [
            .. output
                .Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(static l => JsonDocument.Parse(l).RootElement),
        ];
        // Partition 2 is empty; of 0 and 1 the newest three each, the aborted one left out.
        found.Select(Where).ShouldBe(["0@97", "0@98", "0@99", "1@96", "1@97", "1@98"]);
        found[0].GetProperty("id").GetString().ShouldBe("p0-97");
        found[0].GetProperty("source").GetInt32().ShouldBe(0);
        found[3].GetProperty("by").GetString().ShouldBe("json:$.id");
        found[3].GetProperty("id").GetString().ShouldBe("p1-96");
        found[5].GetProperty("reason").GetString().ShouldBe("no-id");
    }

    [Fact]
    public async Task A_topic_that_is_not_there_is_said_in_one_line()
    {
        string bootstrap = await kafka.BootstrapServersAsync();
        (int code, string output, string error) = CliProcess.Run(
            "id",
            "--bootstrap",
            bootstrap,
            "--topic",
            "no-such-topic",
            "--id",
            "key"
        );
        code.ShouldBe(2);
        output.ShouldBeEmpty();
        error.TrimEnd('\n').ShouldNotContain('\n');
        error.ShouldContain("topic no-such-topic cannot be read");
        error.ShouldContain("; fix: ");
    }

    // 100 records each to partitions 0 (ID in a header) and 1 (ID in the payload, the last one without), then an aborted one.
    private static void Produce(string bootstrap, string topic)
    {
        using IProducer<byte[]?, byte[]?> producer = new ProducerBuilder<byte[]?, byte[]?>(
            new ProducerConfig
            {
                BootstrapServers = bootstrap,
                TransactionalId = topic,
                LingerMs = 5,
            }
        ).Build();
        producer.InitTransactions(TimeSpan.FromSeconds(30));
        producer.BeginTransaction();
        for (int i = 0; i < 100; i++)
        {
            var headers = new Headers { { "id", Encoding.UTF8.GetBytes($"p0-{i}") } };
            producer.Produce(
                new TopicPartition(topic, 0),
                new Message<byte[]?, byte[]?> { Value = "x"u8.ToArray(), Headers = headers }
            );
            if (i < 99)
            {
                string json = i < 98 ? $$"""{"id": "p1-{{i}}"}""" : "{}";
                producer.Produce(
                    new TopicPartition(topic, 1),
                    new Message<byte[]?, byte[]?> { Value = Encoding.UTF8.GetBytes(json) }
                );
            }
        }

        producer.CommitTransaction();
        producer.BeginTransaction();
        producer.Produce(
            new TopicPartition(topic, 0),
            new Message<byte[]?, byte[]?> { Value = "aborted"u8.ToArray() }
        );
        producer.Flush(TimeSpan.FromSeconds(30));
        producer.AbortTransaction();
    }

    private static string Where(JsonElement record) =>
        $"{record.GetProperty("partition").GetInt32()}@{record.GetProperty("offset").GetInt64()}";
}
