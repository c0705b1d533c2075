namespace Dedup.Host.Brokers;

/// <summary>Where a broker comes from, in the order in which they are looked for.</summary>
public enum BrokerKind
{
    /// <summary>None: the caller skips, or falls back to librdkafka's mock.</summary>
    None,

    /// <summary>KAFKA_BOOTSTRAP_SERVERS names a running cluster; it is used, never started or stopped.</summary>
    Running,

    /// <summary>KAFKA_HOME names a distribution; it is started as a child process.</summary>
    Distribution,

    /// <summary>A Docker engine answers; the image apache/kafka is started as a container.</summary>
    Docker,
}

/// <summary>What was found, and for everything that was looked at in vain the reason.</summary>
/// <param name="Kind">The kind that will be used.</param>
/// <param name="Where">Bootstrap servers, folder, or image; empty for None.</param>
/// <param name="Notes">One line for each place looked at, in order; the last one is the one taken.</param>
public sealed record BrokerSearch(BrokerKind Kind, string Where, IReadOnlyList<string> Notes)
{
    /// <summary>All notes in one line.</summary>
    public string Summary => string.Join("; ", Notes);
}

/// <summary>A broker to work with; disposing of it stops what was started for it and nothing else.</summary>
public interface IFoundBroker : IAsyncDisposable
{
    /// <summary>host:port list for clients.</summary>
    string BootstrapServers { get; }

    /// <summary>The cluster as started here; null when it is somebody else's or Docker's.</summary>
    LocalKafka? Local { get; }
}

/// <summary>Finds the best broker of this machine: KAFKA_BOOTSTRAP_SERVERS, then KAFKA_HOME, then Docker, else none.</summary>
public static class BrokerFinder
{
    /// <summary>Looks without starting anything; asking a Docker client without an engine takes up to 5 s.</summary>
    public static Task<BrokerSearch> FindAsync(CancellationToken cancellation = default) =>
        FindAsync(Environment.GetEnvironmentVariable, DockerKafka.WhyUnusableAsync, cancellation);

    /// <summary>Starts what <see cref="FindAsync(CancellationToken)"/> found.</summary>
    /// <exception cref="LocalKafkaException">It could not be started.</exception>
    /// <exception cref="InvalidOperationException">Nothing was found.</exception>
    public static async Task<IFoundBroker> StartAsync(
        BrokerSearch search,
        LocalKafkaOptions options,
        CancellationToken cancellation = default
    )
    {
        ArgumentNullException.ThrowIfNull(search);
        ArgumentNullException.ThrowIfNull(options);
        return search.Kind switch
        {
            BrokerKind.Running => new RunningBroker(search.Where),
            BrokerKind.Distribution => new StartedBroker(
                await LocalKafka.StartAsync(options with { KafkaHome = search.Where }, cancellation)
            ),
            BrokerKind.Docker => await DockerKafka.StartAsync(options.StartTimeout, cancellation),
            _ => throw new InvalidOperationException($"no broker here: {search.Summary}"),
        };
    }

    internal static async Task<BrokerSearch> FindAsync(
        Func<string, string?> environment,
        Func<CancellationToken, Task<string?>> whyDockerUnusable,
        CancellationToken cancellation
    )
    {
        var notes = new List<string>();
        // A named cluster is taken without a test: when it does not answer, silently working on another one would be worse than the error.
        if (environment("KAFKA_BOOTSTRAP_SERVERS") is { Length: > 0 } servers)
        {
            notes.Add($"KAFKA_BOOTSTRAP_SERVERS={servers}");
            return new BrokerSearch(BrokerKind.Running, servers, notes);
        }
        notes.Add("KAFKA_BOOTSTRAP_SERVERS is not set");

        string home = environment("KAFKA_HOME") ?? "";
        if (KafkaDistribution.WhyUnusable(home) is not { } homeReason)
        {
            notes.Add($"KAFKA_HOME={home}");
            return new BrokerSearch(BrokerKind.Distribution, home, notes);
        }
        notes.Add(homeReason);

        if (await whyDockerUnusable(cancellation) is not { } dockerReason)
        {
            notes.Add($"Docker, image {DockerKafka.Image}");
            return new BrokerSearch(BrokerKind.Docker, DockerKafka.Image, notes);
        }
        notes.Add(dockerReason);
        return new BrokerSearch(BrokerKind.None, "", notes);
    }

    private sealed class RunningBroker(string bootstrapServers) : IFoundBroker
    {
        public string BootstrapServers => bootstrapServers;

        public LocalKafka? Local => null;

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    private sealed class StartedBroker(LocalKafka cluster) : IFoundBroker
    {
        public string BootstrapServers => cluster.BootstrapServers;

        public LocalKafka? Local => cluster;

        public ValueTask DisposeAsync() => cluster.DisposeAsync();
    }
}
