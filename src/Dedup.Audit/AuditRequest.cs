using System.Collections.Immutable;

namespace Dedup.Audit;

/// <summary>What there is besides in a pipeline with partitioning: by-id. <see cref="AuditRequest.Group"/> is that of the first hop.</summary>
/// <param name="Repartition">The topic between the hops.</param>
/// <param name="JudgeGroup">Consumer group of the second hop; null where none of the two has to be looked at.</param>
public sealed record ByIdRequest(string Repartition, string? JudgeGroup);

/// <summary>What to audit, on which cluster. The rules are <see cref="AuditRules"/>.</summary>
public sealed record AuditRequest
{
    /// <summary>librdkafka's properties: bootstrap.servers, security.*, sasl.*, ssl.*. What concerns groups or producers is ignored.</summary>
    public required IReadOnlyDictionary<string, string> Kafka { get; init; }

    /// <summary>Input topic.</summary>
    public required string Input { get; init; }

    /// <summary>Clean topic.</summary>
    public required string Clean { get; init; }

    /// <summary>What the pipeline promised.</summary>
    public required AuditRules Rules { get; init; }

    /// <summary>Quarantine topic; null: quarantined records are counted, not checked.</summary>
    public string? Quarantine { get; init; }

    /// <summary>Duplicates topic; null: suppressed duplicates are counted, not checked.</summary>
    public string? Duplicates { get; init; }

    /// <summary>
    /// The pipeline's consumer group: the input is audited up to its committed offsets, so that what is in flight is not
    /// called lost. Null: up to the end at the start of the audit.
    /// </summary>
    public string? Group { get; init; }

    /// <summary>Of a pipeline with partitioning: by-id: its topic between the hops and the group that judges. Null: by-input.</summary>
    public ByIdRequest? ById { get; init; }

    /// <summary>Where the pipeline's first run began, by partition, when that was not the input's beginning.</summary>
    public IReadOnlyDictionary<int, long>? Started { get; init; }

    /// <summary>How long to wait first until the group has no lag; null or zero: not at all. Needs <see cref="Group"/>.</summary>
    public TimeSpan? Wait { get; init; }

    /// <summary>Memory in bytes, roughly; beyond it records go to a temporary file. Default 1 GiB; about 400 MiB are used in any case.</summary>
    public long MemoryBytes { get; init; } = 1024L * 1024 * 1024;

    /// <summary>Directory of the temporary file; 80 bytes for each input and 48 for each clean record of the largest partition.</summary>
    public string TempDirectory { get; init; } = Path.GetTempPath();

    /// <summary>How long an open transaction on the clean topic is waited for. Default: 70 s, a bit more than the usual transaction time-out.</summary>
    public TimeSpan PendingTimeout { get; init; } = TimeSpan.FromSeconds(70);

    /// <summary>How long a broker may say nothing before the audit gives up. Default 30 s.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Whether topics are compacted, where that is known; null asks the cluster. Default: ask.</summary>
    public bool? Compacted { get; init; }

    /// <summary>Clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>All reasons why this cannot be audited, each with the fix; empty when it can.</summary>
    public ImmutableArray<string> Problems()
    {
        ImmutableArray<string>.Builder problems = ImmutableArray.CreateBuilder<string>();
        if (Input == Clean)
        {
            problems.Add($"input and clean are both {Input}: name two topics");
        }

        if (Wait > TimeSpan.Zero && Group is null)
        {
            problems.Add("wait needs the consumer group of the pipeline: name it");
        }

        if (Rules.Window.WindowMs < 1 || Rules.Window.GraceMs < 0)
        {
            problems.Add(
                $"window {Rules.Window.WindowMs} ms and grace {Rules.Window.GraceMs} ms: the window has to be positive and the grace not negative"
            );
        }

        if (!Kafka.ContainsKey("bootstrap.servers"))
        {
            problems.Add("bootstrap.servers is missing: name the cluster");
        }

        return problems.ToImmutable();
    }
}
