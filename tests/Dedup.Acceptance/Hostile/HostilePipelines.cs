using System.Diagnostics;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Dedup.Acceptance.Faults;
using Dedup.Audit;
using Dedup.Audit.Reports;
using Dedup.Host.Brokers;
using Dedup.Host.Configuration;
using Dedup.Host.CrashTest;
using Dedup.Host.Verify;
using Dedup.Kafka.Transport;
using Dedup.Topology.Pipelines;
using Shouldly;

namespace Dedup.Acceptance.Hostile;

/// <summary>
/// One `dedup run` with a pipeline for each kind of recipe, all on the same hostile input, its topics and files; gone with
/// the test.
/// </summary>
internal sealed class HostilePipelines : IAsyncDisposable
{
    private const int Partitions = 2;

    private const string RunScript = """
        set -e
        echo $$ >"$1"; shift
        exec "$@"
        """;

    private static readonly (string Name, string Recipe)[] Recipes =
    [
        ("key", "id: key"),
        ("header", "id: { header: Event-Id }\n    partitioning: by-input"),
        (
            "json",
            "id: { json: $.id }\n    partitioning: by-input\n    scope: { tenant: { header: tenant }, type: { json: $.type } }"
        ),
        ("content", "id: { content: { on-missing: quarantine } }\n    partitioning: by-input"),
        (
            "chain",
            "id: [ { join: [ key, { json: '$.a.b[0].id' } ] }, { header: Event-Id }, content ]\n    partitioning: by-input"
        ),
    ];

    private static readonly TimeSpan DrainLimit = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(60);

    private readonly string _directory = Directory
        .CreateTempSubdirectory("dedup-hostile-")
        .FullName;
    private readonly OrphanGuard _guard;
    private readonly string _bootstrap;
    private readonly string _input;
    private readonly DedupConfig _config;
    private readonly IAdminClient _admin;
    private Process? _process;

    private HostilePipelines(string bootstrap, string input)
    {
        _guard = OrphanGuard.ForDirectory(_directory);
        _ = Directory.CreateDirectory(Path.Combine(_directory, "pids"));
        _bootstrap = bootstrap;
        _input = input;
        File.WriteAllText(ConfigFile, Yaml());
        ConfigResult result = ConfigLoader.LoadFile(ConfigFile, static _ => null);
        _config = result.Config.ShouldNotBeNull(
            string.Join('\n', result.Findings.Select(static f => $"{f.Where}: {f.What}"))
        );
        _admin = new AdminClientBuilder(
            new AdminClientConfig { BootstrapServers = bootstrap }
        ).Build();
    }

    private string ConfigFile => Path.Combine(_directory, "dedup.yaml");

    private string LogFile => Path.Combine(_directory, "dedup.log");

    private Dictionary<string, string> Kafka => new() { ["bootstrap.servers"] = _bootstrap };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Makes topics and starts the process.</summary>
    public static async Task<HostilePipelines> StartAsync(string bootstrap, string input)
    {
        var pipelines = new HostilePipelines(bootstrap, input);
        try
        {
            await pipelines.MakeTopicsAsync();
            pipelines._process = pipelines.Run("run", []);
            await pipelines.StartedAsync();
            return pipelines;
        }
        catch
        {
            await pipelines.DisposeAsync();
            throw;
        }
    }

    private async Task StartedAsync()
    {
        long begun = Stopwatch.GetTimestamp();
        while (!File.ReadAllText(LogFile).Contains("process.started", StringComparison.Ordinal))
        {
            (
                _process is { HasExited: true } || Stopwatch.GetElapsedTime(begun) > StopLimit
            ).ShouldBeFalse(Tail());
            await Task.Delay(20, Cancellation);
        }
    }

    /// <summary>Sends so many hostile records; how many of them the client itself refused.</summary>
    public long Produce(HostileRecords records, long count)
    {
        using IProducer<byte[]?, byte[]?> producer = new ProducerBuilder<byte[]?, byte[]?>(
            new ProducerConfig(Kafka)
            {
                EnableIdempotence = true,
                EnableDeliveryReports = true,
                DeliveryReportFields = "none",
                QueueBufferingMaxMessages = 100_000,
                LingerMs = 20,
                MessageMaxBytes = 8 << 20,
                // As large as the input takes, a batch holds more than clean takes without compression.
                CompressionType = CompressionType.Lz4,
            }
        ).SetKeySerializer(NullableBytes.Instance).SetValueSerializer(NullableBytes.Instance).Build();
        long failed = 0;
        for (long i = 0; i < count; i++)
        {
            Message<byte[]?, byte[]?> message = records.Next();
            // Where an ID lies has to follow from it, or the partitions would be different pipelines: here all of a kind go by turns.
            var target = new TopicPartition(_input, (int)(i / 1_000 % Partitions));
            bool sent = false;
            while (!sent)
            {
                try
                {
                    producer.Produce(
                        target,
                        message,
                        report => failed += report.Error.IsError ? 1 : 0
                    );
                    sent = true;
                }
                catch (ProduceException<byte[]?, byte[]?> e)
                    when (e.Error.Code == ErrorCode.Local_QueueFull)
                {
                    _ = producer.Poll(TimeSpan.FromMilliseconds(20));
                }
            }
        }

        producer.Flush(DrainLimit).ShouldBe(0);
        return failed;
    }

    /// <summary>Waits until every pipeline has committed the end of the input, with the process alive all the time.</summary>
    public async Task DrainAsync()
    {
        foreach (PipelineSpec spec in _config.Pipelines)
        {
            using var offsets = new Host.CrashTest.CommittedOffsets(
                Kafka,
                spec.Input,
                spec.Group,
                Partitions
            );
            (
                await offsets.DrainedAsync(
                    DrainLimit,
                    () => _process is { HasExited: false },
                    Cancellation
                )
            ).ShouldBeTrue($"{spec.Name} is not drained\n{Tail()}");
        }
    }

    /// <summary>SIGTERM: it ends with 0.</summary>
    public async Task StopAsync()
    {
        Process process = _process.ShouldNotBeNull();
        _ = ChildProcess.Signal(process, ChildProcess.SignalTerminate);
        await process.WaitForExitAsync(Cancellation).WaitAsync(StopLimit, Cancellation);
        process.ExitCode.ShouldBe(0, Tail());
    }

    /// <summary>The audit of each pipeline.</summary>
    public async Task<IReadOnlyList<(string Name, AuditReport Report)>> AuditAsync()
    {
        var reports = new List<(string, AuditReport)>();
        foreach (PipelineSpec spec in _config.Pipelines)
        {
            AuditRequest request = await VerifyRequests.Of(
                _config,
                spec,
                new VerifyOptions { TempDirectory = _directory }
            );
            reports.Add(
                (
                    spec.Name,
                    await Task.Run(() => KafkaAudit.Run(request, null, Cancellation), Cancellation)
                )
            );
        }

        return reports;
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false } process)
        {
            process.Kill();
            await process.WaitForExitAsync(CancellationToken.None);
        }

        _process?.Dispose();
        try
        {
            await _admin.DeleteTopicsAsync([_input, .. Outputs(changelogs: true)]);
        }
        catch (KafkaException)
        {
            // Not made: nothing is left either.
        }

        _admin.Dispose();
        _guard.Dispose();
    }

    private IEnumerable<string> Outputs(bool changelogs) =>
        _config.Pipelines.SelectMany(p =>
            (string[])
                [
                    p.Clean,
                    p.Quarantine,
                    p.Duplicates!,
                    .. changelogs ? [p.Changelog] : Array.Empty<string>(),
                ]
        );

    private async Task MakeTopicsAsync()
    {
        await _admin.CreateTopicsAsync([
            new TopicSpecification
            {
                Name = _input,
                NumPartitions = Partitions,
                ReplicationFactor = 1,
                Configs = new Dictionary<string, string>
                {
                    // By itself Kafka refuses what is more than an hour ahead, and deletes what is a week old.
                    ["message.timestamp.after.max.ms"] = $"{long.MaxValue}",
                    ["retention.ms"] = "-1",
                },
            },
        ]);
        using Process topics = Run("topics", ["--apply"]);
        await topics.WaitForExitAsync(Cancellation);
        topics.ExitCode.ShouldBe(0, Tail());
        await _admin.IncrementalAlterConfigsAsync(
            Outputs(changelogs: false)
                .ToDictionary(
                    static t => new ConfigResource { Type = ResourceType.Topic, Name = t },
                    static _ => new List<ConfigEntry> { Set("retention.ms", "-1") }
                )
        );
    }

    private static ConfigEntry Set(string name, string value) =>
        new()
        {
            Name = name,
            Value = value,
            IncrementalOperation = AlterConfigOpType.Set,
        };

    private Process Run(string command, string[] more) =>
        ChildProcess.Start(
            LogFile,
            RunScript,
            [
                Path.Combine(_directory, "pids", command),
                CrashTopics.Program,
                command,
                "--config",
                ConfigFile,
                .. more,
            ],
            new Dictionary<string, string>()
        );

    private string Tail() =>
        File.Exists(LogFile) ? string.Join('\n', File.ReadLines(LogFile).TakeLast(20)) : "";

    private string Yaml() =>
        $"""
            kafka:
              bootstrap.servers: {_bootstrap}
            state:
              directory: {_directory}/state
              memory: 128MiB
            lanes: 1
            pipelines:

            """
        + string.Concat(
            Recipes.Select(r =>
                $"""
                      {_input}-{r.Name}:
                        input: {_input}
                        clean: {_input}-{r.Name}.clean
                        duplicates: {_input}-{r.Name}.duplicates
                        quarantine: {_input}-{r.Name}.quarantine
                        window: 1h
                        {r.Recipe}

                    """
            )
        );
}
