using Confluent.Kafka;
using Dedup.Host.Brokers;

namespace Dedup.Host.Demo;

/// <summary>The best broker of this machine, or librdkafka's embedded mock.</summary>
internal sealed class DemoBroker : IAsyncDisposable
{
    private static readonly TimeSpan MockTimeout = TimeSpan.FromSeconds(10);

    private readonly IFoundBroker? _found;
    private readonly IAdminClient? _mock;

    private DemoBroker(
        IFoundBroker? found,
        IAdminClient? mock,
        string bootstrap,
        string name,
        bool isShared
    )
    {
        _found = found;
        _mock = mock;
        Bootstrap = bootstrap;
        Name = name;
        IsShared = isShared;
    }

    /// <summary>host:port list.</summary>
    public string Bootstrap { get; }

    /// <summary>What it is, in words.</summary>
    public string Name { get; }

    /// <summary>Whether it stays when the demo ends, so that topics have to be removed.</summary>
    public bool IsShared { get; }

    /// <summary>Whether it is the mock.</summary>
    public bool IsMock => _mock is not null;

    /// <summary>Finds and starts one.</summary>
    public static async Task<DemoBroker> StartAsync(
        bool forceMock,
        Action<string> say,
        CancellationToken cancellation
    )
    {
        BrokerSearch search = forceMock
            ? new BrokerSearch(BrokerKind.None, "", ["--mock"])
            : await BrokerFinder.FindAsync(cancellation);
        foreach (string note in search.Notes)
        {
            say($"broker: {note}");
        }

        if (search.Kind == BrokerKind.None)
        {
            return Mock();
        }

        IFoundBroker found = await BrokerFinder.StartAsync(
            search,
            new LocalKafkaOptions(),
            cancellation
        );
        string name = search.Kind switch
        {
            BrokerKind.Running => "the cluster of KAFKA_BOOTSTRAP_SERVERS",
            BrokerKind.Distribution => $"a broker started from {search.Where}",
            _ => $"a broker in Docker ({search.Where})",
        };
        return new DemoBroker(
            found,
            null,
            found.BootstrapServers,
            name,
            search.Kind == BrokerKind.Running
        );
    }

    public async ValueTask DisposeAsync()
    {
        _mock?.Dispose();
        if (_found is not null)
        {
            await _found.DisposeAsync();
        }
    }

    // The mock lives in the client that asks for it; others reach it by the addresses that its metadata name.
    private static DemoBroker Mock()
    {
        IAdminClient client = new AdminClientBuilder(
            new Dictionary<string, string>
            {
                ["bootstrap.servers"] = "mock",
                ["test.mock.num.brokers"] = "1",
            }
        )
            .SetLogHandler(static (_, _) => { })
            .SetErrorHandler(static (_, _) => { })
            .Build();
        Metadata metadata = client.GetMetadata(MockTimeout);
        string bootstrap = string.Join(
            ',',
            metadata.Brokers.Select(static b => $"{b.Host}:{b.Port}")
        );
        return new DemoBroker(
            null,
            client,
            bootstrap,
            "librdkafka's embedded mock",
            isShared: false
        );
    }
}
