using System.ComponentModel;
using System.Diagnostics;
using System.Security.Cryptography;
using Confluent.Kafka;

namespace Dedup.Host.Brokers;

/// <summary>One broker in a container, through Docker's command line; removed at Dispose and at this process's death.</summary>
/// <remarks>Never run where this was written (no engine there): its command line follows the image's documentation.</remarks>
internal sealed class DockerKafka : IFoundBroker
{
    /// <summary>The image; DEDUP_KAFKA_IMAGE names another one, e.g. from a mirror.</summary>
    public static string Image =>
        Environment.GetEnvironmentVariable("DEDUP_KAFKA_IMAGE") is { Length: > 0 } named
            ? named
            : "apache/kafka:4.1.0";

    // `docker info` answers in 0.1 s where an engine runs; a client whose engine is far away may hang.
    private static readonly TimeSpan InfoTimeout = TimeSpan.FromSeconds(5);

    // The first run pulls some 400 MB.
    private static readonly TimeSpan PullTimeout = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(200);

    private readonly OrphanGuard _guard;

    private DockerKafka(OrphanGuard guard, int port)
    {
        _guard = guard;
        BootstrapServers = $"127.0.0.1:{port}";
    }

    public string BootstrapServers { get; }

    public LocalKafka? Local => null;

    /// <summary>Null when an engine answers, else the reason in one line.</summary>
    public static async Task<string?> WhyUnusableAsync(CancellationToken cancellation)
    {
        try
        {
            (int exitCode, string output) = await RunAsync(
                InfoTimeout,
                cancellation,
                "info",
                "--format",
                "{{.ServerVersion}}"
            );
            return exitCode == 0 && output.Trim().Length > 0
                ? null
                : "the Docker client is here but no engine answers";
        }
        catch (Win32Exception)
        {
            return "Docker is not installed";
        }
        catch (TimeoutException)
        {
            return $"`docker info` did not answer within {InfoTimeout.TotalSeconds:0} s";
        }
    }

    public static async Task<DockerKafka> StartAsync(
        TimeSpan startTimeout,
        CancellationToken cancellation
    )
    {
        int port = LoopbackPorts.Pick(1)[0];
        string name = $"dedup-kafka-{RandomNumberGenerator.GetHexString(10, lowercase: true)}";
        var broker = new DockerKafka(
            OrphanGuard.ForCommand("docker", "rm", "--force", "--volumes", name),
            port
        );
        try
        {
            (int exitCode, string output) = await RunAsync(
                PullTimeout,
                cancellation,
                [.. RunArguments(name, port)]
            );
            if (exitCode != 0)
            {
                throw new LocalKafkaException(
                    $"docker run {Image} ended with {exitCode}: {output.Trim()}"
                );
            }
            await broker.WaitUntilAnsweringAsync(startTimeout, cancellation);
            return broker;
        }
        catch
        {
            await broker.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync() => await Task.Run(_guard.Dispose);

    // One variable set makes the image drop all its defaults, so this is a whole configuration.
    internal static IEnumerable<string> RunArguments(string name, int port)
    {
        string[] settings =
        [
            "PROCESS_ROLES=broker,controller",
            "NODE_ID=1",
            "CONTROLLER_QUORUM_VOTERS=1@localhost:9093",
            $"LISTENERS=PLAINTEXT://:{port},CONTROLLER://:9093",
            $"ADVERTISED_LISTENERS=PLAINTEXT://127.0.0.1:{port}",
            "LISTENER_SECURITY_PROTOCOL_MAP=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "CONTROLLER_LISTENER_NAMES=CONTROLLER",
            "INTER_BROKER_LISTENER_NAME=PLAINTEXT",
            "AUTO_CREATE_TOPICS_ENABLE=false",
            "OFFSETS_TOPIC_REPLICATION_FACTOR=1",
            "OFFSETS_TOPIC_NUM_PARTITIONS=4",
            "TRANSACTION_STATE_LOG_REPLICATION_FACTOR=1",
            "TRANSACTION_STATE_LOG_MIN_ISR=1",
            "TRANSACTION_STATE_LOG_NUM_PARTITIONS=4",
            "GROUP_INITIAL_REBALANCE_DELAY_MS=0",
        ];
        string[] head =
        [
            "run",
            "--detach",
            "--rm",
            "--name",
            name,
            "--publish",
            $"127.0.0.1:{port}:{port}",
        ];
        return
        [
            .. head,
            .. settings.SelectMany(setting => (string[])["--env", $"KAFKA_{setting}"]),
            Image,
        ];
    }

    private async Task WaitUntilAnsweringAsync(TimeSpan timeout, CancellationToken cancellation)
    {
        var waited = Stopwatch.StartNew();
        var config = new AdminClientConfig
        {
            BootstrapServers = BootstrapServers,
            ReconnectBackoffMaxMs = 200,
        };
        using IAdminClient admin = new AdminClientBuilder(config)
            .SetLogHandler((_, _) => { })
            .SetErrorHandler((_, _) => { })
            .Build();
        while (true)
        {
            try
            {
                _ = await Task.Run(() => admin.GetMetadata(TimeSpan.FromSeconds(2)), cancellation);
                return;
            }
            catch (KafkaException e)
            {
                if (waited.Elapsed > timeout)
                {
                    throw new LocalKafkaException(
                        $"the container of {Image} did not answer within {timeout.TotalSeconds:0} s: {e.Error.Reason}"
                    );
                }
                await Task.Delay(PollInterval, cancellation);
            }
        }
    }

    private static async Task<(int ExitCode, string Output)> RunAsync(
        TimeSpan timeout,
        CancellationToken cancellation,
        params string[] arguments
    )
    {
        var start = new ProcessStartInfo("docker", arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process =
            Process.Start(start) ?? throw new Win32Exception("docker did not start");
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(timeout);
        try
        {
            Task<string> output = process.StandardOutput.ReadToEndAsync(limit.Token);
            Task<string> errors = process.StandardError.ReadToEndAsync(limit.Token);
            await process.WaitForExitAsync(limit.Token);
            return (process.ExitCode, await output + await errors);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            cancellation.ThrowIfCancellationRequested();
            throw new TimeoutException(
                $"docker {arguments[0]} did not end within {timeout.TotalSeconds:0} s"
            );
        }
    }
}
