using System.Runtime.CompilerServices;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Dedup.Acceptance.Brokers;
using Dedup.Host.Brokers;

[assembly: AssemblyFixture(typeof(RealKafka))]

namespace Dedup.Acceptance.Brokers;

/// <summary>
/// The broker of the whole test assembly, started by the first test that asks. Take it by a constructor parameter:
/// <c>public sealed class MainJob(RealKafka kafka)</c>, then <c>await kafka.BootstrapServersAsync()</c>.
/// </summary>
/// <remarks>A test that kills or freezes its broker starts its own with <see cref="StartOwnAsync"/>; topics get random names (<see cref="NewName"/>).</remarks>
public sealed class RealKafka : IAsyncDisposable
{
    private static readonly Lazy<Task<BrokerSearch>> Search = new(() => BrokerFinder.FindAsync());

    private readonly SemaphoreSlim _starting = new(1, 1);
    private IFoundBroker? _broker;

    /// <summary>The shared broker's host:port list; skips the calling test, with the reason, when this machine has none.</summary>
    public async Task<string> BootstrapServersAsync()
    {
        BrokerSearch found = await Search.Value;
        Assert.SkipWhen(found.Kind == BrokerKind.None, $"no Kafka here: {found.Summary}");
        await _starting.WaitAsync(TestContext.Current.CancellationToken);
        try
        {
            _broker ??= await BrokerFinder.StartAsync(
                found,
                new LocalKafkaOptions { HeapMiB = 768 },
                TestContext.Current.CancellationToken
            );
            return _broker.BootstrapServers;
        }
        finally
        {
            _ = _starting.Release();
        }
    }

    /// <summary>A cluster for one test alone, from KAFKA_HOME; skips the calling test where there is none. The test disposes of it.</summary>
    public static async Task<LocalKafka> StartOwnAsync(LocalKafkaOptions options)
    {
        try
        {
            return await LocalKafka.StartAsync(options, TestContext.Current.CancellationToken);
        }
        catch (LocalKafkaException e) when (e.NothingToStart)
        {
            Assert.Skip($"no Kafka distribution here: {e.Message}");
            throw;
        }
    }

    /// <summary>A name for a topic or group that nobody else uses: the test's member name and a random part.</summary>
    public static string NewName([CallerMemberName] string test = "") =>
        $"{test[..Math.Min(test.Length, 60)]}-{Guid.NewGuid().ToString("N")[..8]}";

    /// <summary>Makes a topic with the broker's defaults.</summary>
    public static async Task MakeTopicAsync(
        string bootstrap,
        string topic,
        int partitions,
        short replicas = 1
    )
    {
        using IAdminClient admin = new AdminClientBuilder(
            new AdminClientConfig { BootstrapServers = bootstrap }
        ).Build();
        await admin.CreateTopicsAsync([
            new TopicSpecification
            {
                Name = topic,
                NumPartitions = partitions,
                ReplicationFactor = replicas,
            },
        ]);
    }

    public async ValueTask DisposeAsync()
    {
        if (_broker is not null)
        {
            await _broker.DisposeAsync();
        }
        _starting.Dispose();
    }
}
