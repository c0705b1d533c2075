using System.Diagnostics;
using System.Security.Cryptography;
using Confluent.Kafka;

namespace Dedup.Host.Brokers;

/// <summary>
/// A stock Kafka distribution started as child processes: KRaft, random loopback ports, a temporary directory.
/// Dispose stops the nodes and removes the directory; the death of this process does the same (see <see cref="OrphanGuard"/>).
/// </summary>
public sealed class LocalKafka : IAsyncDisposable, IDisposable
{
    // Another process may take a port between the choice and the broker's bind; three misses in a row are no accident.
    private const int MaxStartAttempts = 3;
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan MetadataTimeout = TimeSpan.FromSeconds(2);

    // For tools that live for half a second: the C1 compiler and the serial collector halve their time (1.1 → 0.6 s).
    private const string ShortLivedJvmFlags =
        "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto";

    private const string FormatScript = """
        set -e
        echo $$ >"$1"
        exec "$2" format -t "$3" -c "$4"
        """;

    private readonly LocalKafkaOptions _options;
    private readonly OrphanGuard _guard;
    private readonly LocalKafkaNode[] _nodes;
    private bool _disposed;

    private LocalKafka(LocalKafkaOptions options, string kafkaHome)
    {
        _options = options;
        KafkaHome = kafkaHome;
        DirectoryPath = MakeDirectory(options.TemporaryRoot ?? Path.GetTempPath());
        _ = Directory.CreateDirectory(Path.Combine(DirectoryPath, "pids"));
        _guard = OrphanGuard.ForDirectory(DirectoryPath);
        _nodes = LayOutNodes();
    }

    /// <summary>host:port list of the plain listeners.</summary>
    public string BootstrapServers =>
        string.Join(',', _nodes.Select(node => $"127.0.0.1:{node.Port}"));

    /// <summary>The nodes; index 0 has node.id 1.</summary>
    public IReadOnlyList<LocalKafkaNode> Nodes => _nodes;

    /// <summary>The temporary directory with the nodes' data, configuration, and logs.</summary>
    public string DirectoryPath { get; }

    /// <summary>The distribution in use.</summary>
    public string KafkaHome { get; }

    /// <summary>Starts a cluster and waits until every node answers.</summary>
    /// <exception cref="LocalKafkaException">No distribution or Java here, or a node ended or did not answer in time; the message has the end of its log.</exception>
    public static async Task<LocalKafka> StartAsync(
        LocalKafkaOptions options,
        CancellationToken cancellation = default
    )
    {
        ArgumentNullException.ThrowIfNull(options);
        string home = options.KafkaHome ?? Environment.GetEnvironmentVariable("KAFKA_HOME") ?? "";
        if (KafkaDistribution.WhyUnusable(home) is { } reason)
        {
            throw new LocalKafkaException(reason) { NothingToStart = true };
        }
        for (int attempt = 1; ; attempt++)
        {
            var cluster = new LocalKafka(options, Path.GetFullPath(home));
            try
            {
                await cluster.StartNodesAsync(cancellation);
                return cluster;
            }
            catch (LocalKafkaException e) when (attempt < MaxStartAttempts && e.PortTaken)
            {
                await cluster.DisposeAsync();
            }
            catch
            {
                await cluster.DisposeAsync();
                throw;
            }
        }
    }

    /// <summary>host:port list of an extra listener, as clients are told it (the proxy's ports, where they were given).</summary>
    public string BootstrapServersOf(string listener)
    {
        ExtraListener extra = _options.ExtraListeners[ListenerIndex(listener)];
        return string.Join(
            ',',
            _nodes.Select(
                (node, i) =>
                    $"127.0.0.1:{(extra.AdvertisedPorts.Count == 0 ? node.PortOf(listener) : extra.AdvertisedPorts[i])}"
            )
        );
    }

    /// <summary>Kills all nodes (nobody reads their data afterwards) and removes the directory.</summary>
    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }
        _disposed = true;
        foreach (LocalKafkaNode node in _nodes)
        {
            node.Kill();
        }
        _guard.Dispose();
    }

    /// <inheritdoc cref="Dispose"/>
    public async ValueTask DisposeAsync() => await Task.Run(Dispose);

    internal int ListenerIndex(string listener)
    {
        for (int i = 0; i < _options.ExtraListeners.Count; i++)
        {
            if (_options.ExtraListeners[i].Name == listener)
            {
                return i;
            }
        }
        throw new ArgumentException($"this cluster has no listener '{listener}'", nameof(listener));
    }

    internal Dictionary<string, string> JvmEnvironment(
        string nodeDirectory,
        bool shortLived = false
    ) =>
        new(StringComparer.Ordinal)
        {
            ["KAFKA_HEAP_OPTS"] = shortLived
                ? "-Xmx256m"
                : $"-Xms{Math.Min(128, _options.HeapMiB)}m -Xmx{_options.HeapMiB}m",
            ["KAFKA_JVM_PERFORMANCE_OPTS"] = shortLived ? ShortLivedJvmFlags : _options.JvmFlags,
            // Without these the start scripts write into the distribution's own folder, open a JMX port, or read the caller's agents.
            ["LOG_DIR"] = nodeDirectory,
            ["KAFKA_LOG4J_OPTS"] = KafkaDistribution.LogOptions(DirectoryPath),
            ["EXTRA_ARGS"] = "-name dedup-local",
            ["KAFKA_JMX_OPTS"] = " ",
            ["KAFKA_OPTS"] = "",
        };

    internal async Task WaitUntilAnsweringAsync(
        IReadOnlyList<LocalKafkaNode> nodes,
        CancellationToken cancellation
    )
    {
        var waited = Stopwatch.StartNew();
        string bootstrap = string.Join(',', nodes.Select(node => $"127.0.0.1:{node.Port}"));
        var config = new AdminClientConfig
        {
            BootstrapServers = bootstrap,
            SocketTimeoutMs = 5_000,
            ReconnectBackoffMs = 20,
            ReconnectBackoffMaxMs = 100,
        };
        // Refused connections are what one expects of a broker that is still starting: nothing to print.
        using IAdminClient admin = new AdminClientBuilder(config)
            .SetLogHandler((_, _) => { })
            .SetErrorHandler((_, _) => { })
            .Build();
        while (!await Task.Run(() => AllAnswer(admin, nodes), cancellation))
        {
            foreach (LocalKafkaNode node in nodes)
            {
                if (!node.IsRunning)
                {
                    throw LocalKafkaException.ForNode(node, "ended while it was starting");
                }
            }
            if (waited.Elapsed > _options.StartTimeout)
            {
                throw LocalKafkaException.ForNode(
                    nodes[0],
                    $"did not answer within {_options.StartTimeout.TotalSeconds:0} s"
                );
            }
            await Task.Delay(PollInterval, cancellation);
        }
    }

    private static bool AllAnswer(IAdminClient admin, IReadOnlyList<LocalKafkaNode> nodes)
    {
        try
        {
            // Not only "some broker answers": each of these must have registered with the controller.
            List<BrokerMetadata> known = admin.GetMetadata(MetadataTimeout).Brokers;
            return nodes.All(node => known.Any(broker => broker.BrokerId == node.Id));
        }
        catch (KafkaException)
        {
            return false;
        }
    }

    private static string MakeDirectory(string root)
    {
        string path = Path.Combine(
            Path.GetFullPath(root),
            $"dedup-kafka-{RandomNumberGenerator.GetHexString(10, lowercase: true)}"
        );
        return Directory.CreateDirectory(path).FullName;
    }

    private LocalKafkaNode[] LayOutNodes()
    {
        int portsPerNode = 2 + _options.ExtraListeners.Count;
        IReadOnlyList<int> free = LoopbackPorts.Pick(portsPerNode * _options.Nodes);
        NodePorts[] ports =
        [
            .. free.Chunk(portsPerNode)
                .Select(chunk => new NodePorts(chunk[0], chunk[1], chunk[2..])),
        ];
        KafkaDistribution.WriteLogConfiguration(DirectoryPath);
        var nodes = new LocalKafkaNode[ports.Length];
        for (int i = 0; i < nodes.Length; i++)
        {
            string directory = Path.Combine(DirectoryPath, $"node-{i + 1}");
            _ = Directory.CreateDirectory(directory);
            nodes[i] = new LocalKafkaNode(this, i + 1, ports[i], directory);
            File.WriteAllText(
                nodes[i].PropertiesFile,
                ServerProperties.Render(_options, ports, i, nodes[i].DataDirectory)
            );
        }
        return nodes;
    }

    private async Task StartNodesAsync(CancellationToken cancellation)
    {
        string clusterId = Convert
            .ToBase64String(RandomNumberGenerator.GetBytes(16))
            .TrimEnd('=')
            .Replace('+', '-')
            .Replace('/', '_');
        // kafka-storage.sh takes a leading '-' for an option.
        clusterId = clusterId[0] == '-' ? $"A{clusterId[1..]}" : clusterId;
        await Task.WhenAll(_nodes.Select(node => FormatAsync(node, clusterId, cancellation)));
        foreach (LocalKafkaNode node in _nodes)
        {
            node.Start();
        }
        await WaitUntilAnsweringAsync(_nodes, cancellation);
    }

    private async Task FormatAsync(
        LocalKafkaNode node,
        string clusterId,
        CancellationToken cancellation
    )
    {
        string tool = Path.Combine(KafkaHome, "bin", "kafka-storage.sh");
        string directory = Path.GetDirectoryName(node.PropertiesFile)!;
        Dictionary<string, string> environment = JvmEnvironment(directory, shortLived: true);
        using Process format = ChildProcess.Start(
            node.LogFile,
            FormatScript,
            [
                Path.Combine(DirectoryPath, "pids", $"format-{node.Id}"),
                tool,
                clusterId,
                node.PropertiesFile,
            ],
            environment
        );
        await format.WaitForExitAsync(cancellation);
        if (format.ExitCode != 0)
        {
            throw LocalKafkaException.ForNode(
                node,
                $"could not be formatted (kafka-storage.sh ended with {format.ExitCode})"
            );
        }
    }
}
