using System.Globalization;
using System.Security.Cryptography;

namespace Dedup.Host.Demo;

/// <summary>What a demo does: how many orders, under which names.</summary>
internal sealed record DemoPlan
{
    /// <summary>Every so many orders one repeats an earlier one: 10 %.</summary>
    public const int DuplicateEvery = 10;

    /// <summary>How far back a repeated order lies at most.</summary>
    public const int RepeatWithin = 5_000;

    /// <summary>Input partitions; also what the mock makes by itself.</summary>
    public const int Partitions = 4;

    /// <summary>Orders to send.</summary>
    public required int Orders { get; init; }

    /// <summary>Orders a second: slow enough to be watched, fast enough for a demo.</summary>
    public required int OrdersPerSecond { get; init; }

    /// <summary>Whether the broker is librdkafka's mock.</summary>
    public required bool IsMock { get; init; }

    /// <summary>Pipeline; a random part, so that a demo on a shared cluster is in nobody's way.</summary>
    public string Pipeline { get; } =
        $"demo-{RandomNumberGenerator.GetHexString(6, lowercase: true)}";

    /// <summary>Input topic.</summary>
    public string Input => $"{Pipeline}-orders";

    /// <summary>Clean topic.</summary>
    public string Clean => $"{Input}.clean";

    /// <summary>Quarantine topic.</summary>
    public string Quarantine => $"{Input}.quarantine";

    /// <summary>Changelog topic.</summary>
    public string Changelog => $"dedup-{Pipeline}-changelog";

    /// <summary>Consumer group.</summary>
    public string Group => $"dedup-{Pipeline}";

    /// <summary>All topics.</summary>
    public string[] Topics => [Input, Clean, Quarantine, Changelog];

    /// <summary>Duplicates among the orders.</summary>
    public int Duplicates => Orders / DuplicateEvery;

    /// <summary>The configuration that the worker runs with.</summary>
    public string Yaml(string bootstrap, string stateDirectory) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $$"""
            kafka: { bootstrap.servers: "{{bootstrap}}" }
            state: { directory: "{{stateDirectory}}", memory: 128MiB }
            lanes: 2
            pipelines:
              {{Pipeline}}:
                input: {{Input}}
                clean: {{Clean}}
                quarantine: {{Quarantine}}
                id: key
                window: 24h

            """
        );
}
