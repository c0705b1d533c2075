using System.Diagnostics;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Dedup.Host.Brokers;
using Shouldly;

namespace Dedup.Acceptance.Brokers;

/// <summary>The brokers that all other acceptance tests stand on: they start, come back with their data, and leave nothing behind.</summary>
public sealed class LocalKafkaTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_killed_node_comes_back_on_its_port_with_its_data_and_leaves_nothing_after_dispose()
    {
        string directory;
        int processId;
        await using (LocalKafka kafka = await RealKafka.StartOwnAsync(new LocalKafkaOptions()))
        {
            directory = kafka.DirectoryPath;
            string topic = RealKafka.NewName("orders");
            await RealKafka.MakeTopicAsync(
                kafka.BootstrapServers,
                topic,
                partitions: 1,
                replicas: 1
            );
            Produce(kafka.BootstrapServers, topic, "before");

            kafka.Nodes[0].Kill();
            kafka.Nodes[0].IsRunning.ShouldBeFalse();
            await kafka.Nodes[0].RestartAsync(TestContext.Current.CancellationToken);

            Produce(kafka.BootstrapServers, topic, "after");
            Consume(kafka.BootstrapServers, topic, count: 2).ShouldBe(["before", "after"]);
            processId = kafka.Nodes[0].ProcessId;
            processId.ShouldBeGreaterThan(0);
        }
        Directory.Exists(directory).ShouldBeFalse();
        Directory.Exists($"/proc/{processId}").ShouldBeFalse();
    }

    [Fact]
    public async Task A_cleanly_stopped_node_starts_again()
    {
        await using LocalKafka kafka = await RealKafka.StartOwnAsync(new LocalKafkaOptions());
        await kafka.Nodes[0].StopAsync(TestContext.Current.CancellationToken);
        kafka.Nodes[0].IsRunning.ShouldBeFalse();
        await kafka.Nodes[0].RestartAsync(TestContext.Current.CancellationToken);
        kafka.Nodes[0].IsRunning.ShouldBeTrue();
    }

    [Fact]
    public async Task An_extra_listener_advertises_the_port_it_was_given()
    {
        // Nobody listens on the advertised port: a client that comes through the real one is sent there.
        int proxyPort = LoopbackPorts.Pick(1)[0];
        await using LocalKafka kafka = await RealKafka.StartOwnAsync(
            new LocalKafkaOptions
            {
                ExtraListeners = [new ExtraListener("TOXIC", "PLAINTEXT", [proxyPort])],
            }
        );
        kafka.BootstrapServersOf("TOXIC").ShouldBe($"127.0.0.1:{proxyPort}");
        var config = new AdminClientConfig
        {
            BootstrapServers = $"127.0.0.1:{kafka.Nodes[0].PortOf("TOXIC")}",
        };
        using IAdminClient admin = new AdminClientBuilder(config)
            .SetLogHandler((_, _) => { })
            .Build();
        admin.GetMetadata(Patience).Brokers.Select(broker => broker.Port).ShouldBe([proxyPort]);
    }

    [Fact]
    public async Task A_listener_with_a_password_lets_in_only_those_who_know_it()
    {
        const string users =
            "org.apache.kafka.common.security.plain.PlainLoginModule required user_alice=\"secret\";";
        await using LocalKafka kafka = await RealKafka.StartOwnAsync(
            new LocalKafkaOptions
            {
                ExtraListeners = [new ExtraListener("SASL", "SASL_PLAINTEXT", [])],
                ExtraProperties = new Dictionary<string, string>
                {
                    ["sasl.enabled.mechanisms"] = "PLAIN",
                    ["listener.name.sasl.plain.sasl.jaas.config"] = users,
                },
            }
        );
        string servers = kafka.BootstrapServersOf("SASL");
        CanLogIn(servers, "secret").ShouldBeTrue();
        CanLogIn(servers, "wrong").ShouldBeFalse();
    }

    [Fact]
    public async Task Three_nodes_serve_on_when_one_is_killed()
    {
        await using LocalKafka kafka = await RealKafka.StartOwnAsync(
            new LocalKafkaOptions { Nodes = 3, HeapMiB = 256 }
        );
        string topic = RealKafka.NewName("orders");
        await RealKafka.MakeTopicAsync(kafka.BootstrapServers, topic, partitions: 1, replicas: 3);
        Produce(kafka.BootstrapServers, topic, "before");
        kafka.Nodes[1].Kill();
        Produce(kafka.BootstrapServers, topic, "after");
        Consume(kafka.BootstrapServers, topic, count: 2).ShouldBe(["before", "after"]);
    }

    [Fact]
    public async Task A_wrong_property_fails_the_start_with_the_brokers_own_words()
    {
        var options = new LocalKafkaOptions
        {
            ExtraProperties = new Dictionary<string, string> { ["log.retention.ms"] = "soon" },
        };
        LocalKafkaException? error = null;
        try
        {
            await using LocalKafka _ = await RealKafka.StartOwnAsync(options);
        }
        catch (LocalKafkaException e)
        {
            error = e;
        }
        error.ShouldNotBeNull().Message.ShouldContain("log.retention.ms");
    }

    [Fact]
    public async Task When_the_owner_is_killed_the_broker_and_its_directory_go_too()
    {
        // The owner is this very test program in another role (see OwnerProcess), since SIGKILL must hit the process that holds the guard's pipe.
        using Process owner = OwnerProcess.Start();
        try
        {
            string? line = await owner.StandardOutput.ReadLineAsync(
                TestContext.Current.CancellationToken
            );
            Assert.SkipWhen(line == OwnerProcess.NothingToStart, "no Kafka distribution here");
            string[] answer = line.ShouldNotBeNull().Split(' ');
            Directory.Exists($"/proc/{answer[0]}").ShouldBeTrue();

            owner.Kill();

            await Eventually(() =>
                !Directory.Exists($"/proc/{answer[0]}") && !Directory.Exists(answer[1])
            );
        }
        finally
        {
            owner.Kill();
        }
    }

    private static bool CanLogIn(string servers, string password)
    {
        var config = new AdminClientConfig
        {
            BootstrapServers = servers,
            SecurityProtocol = SecurityProtocol.SaslPlaintext,
            SaslMechanism = SaslMechanism.Plain,
            SaslUsername = "alice",
            SaslPassword = password,
        };
        using var refused = new ManualResetEventSlim();
        using IAdminClient admin = new AdminClientBuilder(config)
            .SetLogHandler(
                (_, message) =>
                {
                    if (
                        message.Message.Contains(
                            "Invalid username or password",
                            StringComparison.Ordinal
                        )
                    )
                    {
                        refused.Set();
                    }
                }
            )
            .Build();
        var waited = Stopwatch.StartNew();
        while (!refused.IsSet && waited.Elapsed < Patience)
        {
            try
            {
                return admin.GetMetadata(TimeSpan.FromSeconds(1)).Brokers.Count > 0;
            }
            catch (KafkaException) when (!refused.IsSet)
            {
                // Neither in nor refused yet: the broker was slow.
            }
            catch (KafkaException)
            {
                return false;
            }
        }
        refused.IsSet.ShouldBeTrue("neither let in nor refused");
        return false;
    }

    private static async Task Eventually(Func<bool> condition)
    {
        var waited = Stopwatch.StartNew();
        while (!condition())
        {
            waited.Elapsed.ShouldBeLessThan(Patience);
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }

    private static void Produce(string bootstrap, string topic, string value)
    {
        using IProducer<Null, string> producer = new ProducerBuilder<Null, string>(
            new ProducerConfig
            {
                BootstrapServers = bootstrap,
                EnableIdempotence = true,
                MessageTimeoutMs = 30_000,
            }
        ).SetLogHandler((_, _) => { }).Build();
        producer.Produce(
            topic,
            new Message<Null, string> { Value = value },
            report => report.Error.IsError.ShouldBeFalse(report.Error.Reason)
        );
        producer.Flush(Patience).ShouldBe(0);
    }

    private static List<string> Consume(string bootstrap, string topic, int count)
    {
        var config = new ConsumerConfig
        {
            BootstrapServers = bootstrap,
            GroupId = topic,
            AutoOffsetReset = AutoOffsetReset.Earliest,
        };
        using IConsumer<Null, string> consumer = new ConsumerBuilder<Null, string>(config)
            .SetLogHandler((_, _) => { })
            .Build();
        consumer.Assign(new TopicPartitionOffset(topic, 0, Offset.Beginning));
        var values = new List<string>();
        var waited = Stopwatch.StartNew();
        while (values.Count < count && waited.Elapsed < Patience)
        {
            if (consumer.Consume(TimeSpan.FromSeconds(1)) is { } result)
            {
                values.Add(result.Message.Value);
            }
        }
        consumer.Close();
        return values;
    }
}
