using System.Globalization;
using System.Text;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Dedup.Audit;
using Dedup.Audit.Reports;
using Dedup.Host.Brokers;
using Dedup.Host.Commands;
using Dedup.Topology.Identify;

namespace Dedup.Host.CrashTest;

/// <summary>How the pipeline of a crash test is set.</summary>
internal sealed record CrashSettings
{
    /// <summary>librdkafka's properties; bootstrap.servers is among them.</summary>
    public required IReadOnlyDictionary<string, string> Kafka { get; init; }

    /// <summary>Begins the names of all topics.</summary>
    public required string Prefix { get; init; }

    /// <summary>Partitions of the topics.</summary>
    public int Partitions { get; init; } = 4;

    /// <summary>Lanes of each worker.</summary>
    public int Lanes { get; init; } = 2;

    /// <summary>Partitions of the repartition topic, and with it partitioning: by-id; null: by-input.</summary>
    public int? RepartitionPartitions { get; init; }

    /// <summary>Window.</summary>
    public TimeSpan Window { get; init; } = TimeSpan.FromHours(24);

    /// <summary>state.memory; the least that is allowed seals after some 63,000 IDs.</summary>
    public string Memory { get; init; } = "64MiB";

    /// <summary>
    /// Records so much older than the wall clock are refused by the clean topic, so that transactions fail; null: none are.
    /// </summary>
    public TimeSpan? CleanRefusesOlderThan { get; init; }
}

/// <summary>Topics and files of a crash test: made for it, and gone with it, also when this process is killed (the files).</summary>
internal sealed class CrashTopics : IAsyncDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    private readonly CrashSettings _settings;
    private readonly OrphanGuard _guard;

    private CrashTopics(CrashSettings settings)
    {
        _settings = settings;
        // Readable by this user alone: configurations may hold passwords.
        Directory = System.IO.Directory.CreateTempSubdirectory("dedup-crash-").FullName;
        _ = System.IO.Directory.CreateDirectory(PidDirectory);
        _guard = OrphanGuard.ForDirectory(Directory);
    }

    /// <summary>The program beside this assembly, whoever has loaded it.</summary>
    public static string Program { get; } = Path.Combine(AppContext.BaseDirectory, "dedup");

    /// <summary>Temporary directory of states, configurations, and logs.</summary>
    public string Directory { get; }

    /// <summary>PIDs of the workers.</summary>
    public string PidDirectory => Path.Combine(Directory, "pids");

    /// <summary>The pipeline's name and its input topic.</summary>
    public string Input => _settings.Prefix;

    /// <summary>Clean topic.</summary>
    public string Clean => Input + ".clean";

    /// <summary>Quarantine topic.</summary>
    public string Quarantine => Input + ".quarantine";

    /// <summary>Consumer group that reads the input.</summary>
    public string Group => IsById ? "dedup-" + Input + "-rekey" : JudgeGroup;

    /// <summary>Consumer group that judges.</summary>
    public string JudgeGroup => "dedup-" + Input;

    /// <summary>Topic between the hops of by-id.</summary>
    public string Repartition => "dedup-" + Input + "-repartition";

    /// <summary>Whether partitioning is by-id: then an ID may come in any partition.</summary>
    public bool IsById => _settings.RepartitionPartitions is not null;

    /// <summary>Partitions of the input.</summary>
    public int Partitions => _settings.Partitions;

    /// <summary>librdkafka's properties.</summary>
    public IReadOnlyDictionary<string, string> Kafka => _settings.Kafka;

    /// <summary>Makes directory and topics, the latter by <c>dedup topics --apply</c> as a user does.</summary>
    /// <exception cref="ProblemException">They could not be made.</exception>
    public static async Task<CrashTopics> MakeAsync(
        CrashSettings settings,
        CancellationToken cancellation
    )
    {
        var topics = new CrashTopics(settings);
        try
        {
            await topics.ApplyAsync(cancellation);
            return topics;
        }
        catch
        {
            await topics.DisposeAsync();
            throw;
        }
    }

    /// <summary>Writes a worker's configuration; returns its path.</summary>
    /// <param name="worker">Name of the worker.</param>
    /// <param name="stateDirectory">Its state directory.</param>
    /// <param name="isStatic">Static or dynamic membership.</param>
    /// <param name="own">Properties of this worker that win over those of all.</param>
    public string WriteConfig(
        string worker,
        string stateDirectory,
        bool isStatic,
        IReadOnlyDictionary<string, string>? own = null
    )
    {
        string path = Path.Combine(Directory, worker + ".yaml");
        var kafka = new StringBuilder();
        var properties = new Dictionary<string, string>(_settings.Kafka);
        foreach ((string name, string value) in own ?? new Dictionary<string, string>())
        {
            properties[name] = value;
        }

        foreach ((string name, string value) in properties)
        {
            // Single quotes, and no variables: a password is taken as it is.
            _ = kafka.AppendLine(
                CultureInfo.InvariantCulture,
                $"  {name}: '{value.Replace("'", "''", StringComparison.Ordinal).Replace("${", "$${", StringComparison.Ordinal)}'"
            );
        }

        File.WriteAllText(
            path,
            string.Create(
                CultureInfo.InvariantCulture,
                $"""
                kafka:
                {kafka.ToString().TrimEnd()}
                state:
                  directory: {stateDirectory}
                  memory: {_settings.Memory}
                lanes: {_settings.Lanes}
                membership: {(isStatic ? "static" : "dynamic")}
                commit:
                  interval: 100ms
                pipelines:
                  {Input}:
                    input: {Input}
                    clean: {Clean}
                    quarantine: {Quarantine}
                    id: key
                    {(
                    IsById
                        ? $"partitioning: by-id\n    repartition: {{ partitions: {_settings.RepartitionPartitions} }}"
                        : "partitioning: by-input"
                )}
                    window: {_settings.Window.TotalSeconds:0}s

                """
            )
        );
        return path;
    }

    /// <summary>The audit from outside, up to what the group has committed.</summary>
    /// <exception cref="AuditException">It cannot be made.</exception>
    public AuditReport Audit(CancellationToken cancellation) =>
        KafkaAudit.Run(
            new AuditRequest
            {
                Kafka = _settings.Kafka,
                Input = Input,
                Clean = Clean,
                Quarantine = Quarantine,
                Group = Group,
                ById = IsById ? new ByIdRequest(Repartition, JudgeGroup) : null,
                TempDirectory = Directory,
                Rules = new AuditRules
                {
                    Recipe = Recipe.Key,
                    Window = new AuditWindow((long)_settings.Window.TotalMilliseconds),
                },
            },
            null,
            cancellation
        );

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await DeleteTopicsAsync();
        _guard.Dispose();
    }

    private async Task ApplyAsync(CancellationToken cancellation)
    {
        string config = WriteConfig("topics", Path.Combine(Directory, "none"), isStatic: true);
        string log = Path.Combine(Directory, "topics.log");
        using var child = ChildProcess.Start(
            log,
            "exec \"$@\"",
            [
                Program,
                "topics",
                "--config",
                config,
                "--apply",
                "--partitions",
                _settings.Partitions.ToString(CultureInfo.InvariantCulture),
            ],
            new Dictionary<string, string>()
        );
        await child.WaitForExitAsync(cancellation);
        if (child.ExitCode != ExitCode.Done)
        {
            string said = (await File.ReadAllTextAsync(log, cancellation))
                .ReplaceLineEndings(" ")
                .Trim();
            throw new ProblemException(
                ExitCode.Usage,
                $"the topics {Input}… could not be made: {said}",
                "see whether the broker answers, and allow CREATE to this user"
            );
        }

        if (_settings.CleanRefusesOlderThan is { } age)
        {
            using IAdminClient admin = Admin();
            await admin.IncrementalAlterConfigsAsync(
                new Dictionary<ConfigResource, List<ConfigEntry>>
                {
                    [new ConfigResource { Type = ResourceType.Topic, Name = Clean }] =
                    [
                        new ConfigEntry
                        {
                            Name = "message.timestamp.before.max.ms",
                            Value = age.TotalMilliseconds.ToString(
                                "0",
                                CultureInfo.InvariantCulture
                            ),
                            IncrementalOperation = AlterConfigOpType.Set,
                        },
                    ],
                }
            );
        }
    }

    private async Task DeleteTopicsAsync()
    {
        try
        {
            using IAdminClient admin = Admin();
            await admin.DeleteTopicsAsync(
                IsById
                    ?
                    [
                        Input,
                        Clean,
                        Quarantine,
                        Repartition,
                        Group + "-changelog",
                        JudgeGroup + "-changelog",
                    ]
                    : [Input, Clean, Quarantine, JudgeGroup + "-changelog"],
                new DeleteTopicsOptions { RequestTimeout = Timeout, OperationTimeout = Timeout }
            );
        }
        catch (KafkaException)
        {
            // Not made, or the broker is gone: there is nothing more that can be done here.
        }
    }

    private IAdminClient Admin() =>
        new AdminClientBuilder(_settings.Kafka)
            .SetLogHandler(static (_, _) => { })
            .SetErrorHandler(static (_, _) => { })
            .Build();
}
