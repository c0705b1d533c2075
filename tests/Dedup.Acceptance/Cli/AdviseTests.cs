using System.Text;
using System.Text.Json;
using Confluent.Kafka;
using Dedup.Acceptance.Brokers;
using Shouldly;

namespace Dedup.Acceptance.Cli;

/// <summary><c>dedup advise</c> on a real Kafka, on a topic with a known truth.</summary>
public sealed class AdviseTests(RealKafka kafka)
{
    private const int Events = 20_000;
    private const int EveryTwice = 20;

    [Fact]
    public async Task The_recipe_of_a_topic_is_found_with_its_exact_counts_and_an_aborted_transaction_does_not_count()
    {
        string bootstrap = await kafka.BootstrapServersAsync();
        string topic = RealKafka.NewName("advise");
        await RealKafka.MakeTopicAsync(bootstrap, topic, partitions: 3);
        Produce(bootstrap, topic);

        JsonElement whole = Advise(bootstrap, topic);
        whole.GetProperty("records").GetInt64().ShouldBe(Events + (Events / EveryTwice));
        JsonElement best = whole.GetProperty("candidates")[0];
        best.GetProperty("recipe").GetString().ShouldBe("json:$.event_id");
        best.GetProperty("repeats").GetInt64().ShouldBe(Events / EveryTwice);
        best.GetProperty("conflicts").GetInt64().ShouldBe(0);
        best.GetProperty("elsewhere").GetInt64().ShouldBe(0);
        best.GetProperty("farthest-ms").GetInt64().ShouldBe(5000);
        JsonElement advice = whole.GetProperty("advice");
        advice.GetProperty("partitioning").GetString().ShouldBe("by-input");

        // The newest part of it, cut by time. The offsets of the 1,000 aborted records are part of it; nobody can know before
        // reading that there is nothing to read.
        JsonElement part = Advise(bootstrap, topic, "--sample", "5k");
        part.GetProperty("whole").GetBoolean().ShouldBeFalse();
        part.GetProperty("records").GetInt64().ShouldBeInRange(3_900, 4_000);
        part.GetProperty("candidates")[0]
            .GetProperty("recipe")
            .GetString()
            .ShouldBe("json:$.event_id");

        // What it prints is a configuration that the other commands take.
        string file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(
                file,
                advice.GetProperty("yaml").GetString(),
                TestContext.Current.CancellationToken
            );
            (int code, string output, string error) = CliProcess.Run(
                "check",
                "--offline",
                "--config",
                file
            );
            code.ShouldBe(0, output + error);
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static JsonElement Advise(string bootstrap, string topic, params string[] more)
    {
        (int code, string output, string error) = CliProcess.Run([
            "advise",
            "--bootstrap",
            bootstrap,
            "--topic",
            topic,
            "--json",
            .. more,
        ]);
        code.ShouldBe(0, error);
        return JsonDocument.Parse(output).RootElement;
    }

    // One event a second, every twentieth once more 5 s later in the same partition; then many repeats that are aborted.
    private static void Produce(string bootstrap, string topic)
    {
        using IProducer<string, string> producer = new ProducerBuilder<string, string>(
            new ProducerConfig
            {
                BootstrapServers = bootstrap,
                TransactionalId = topic,
                LingerMs = 5,
            }
        ).Build();
        producer.InitTransactions(TimeSpan.FromSeconds(60));
        long start = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() - (Events * 1000L) - 60_000;
        producer.BeginTransaction();
        for (int i = 0; i < Events; i++)
        {
            Send(i, start + (i * 1000L));
            if (i % EveryTwice == 0)
            {
                Send(i, start + (i * 1000L) + 5000);
            }
        }

        producer.CommitTransaction();
        producer.BeginTransaction();
        for (int i = 0; i < 1000; i++)
        {
            Send(i, start + (Events * 1000L));
        }

        producer.Flush(TimeSpan.FromSeconds(60));
        producer.AbortTransaction();

        void Send(int i, long timestampMs) =>
            producer.Produce(
                new TopicPartition(topic, i % 3),
                new Message<string, string>
                {
                    Key = $"customer-{i % 100}",
                    Value = $$"""{"event_id": "e{{i}}", "type": "order.created", "n": {{i}} }""",
                    Timestamp = new Timestamp(timestampMs, TimestampType.CreateTime),
                    Headers = new Headers
                    {
                        { "trace", Encoding.UTF8.GetBytes($"{Guid.NewGuid()}") },
                    },
                }
            );
    }
}
