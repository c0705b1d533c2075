using System.Collections.Immutable;
using Dedup.Host.Schemas;
using Dedup.Topology.Pipelines;

namespace Dedup.Host.Configuration;

/// <summary>How lanes are members of their consumer group.</summary>
public enum Membership
{
    /// <summary>A restart within the session time-out moves no partitions; a scale-in takes effect after it.</summary>
    Static,

    /// <summary>Every start and stop moves partitions, at once.</summary>
    Dynamic,
}

/// <summary>A property that goes to librdkafka as it is.</summary>
/// <param name="Name">librdkafka's name.</param>
/// <param name="Value">Its value.</param>
/// <param name="IsSecret">Whether the value must not be printed.</param>
public sealed record KafkaProperty(string Name, string Value, bool IsSecret)
{
    /// <summary>The value as it may be printed.</summary>
    public string Shown => IsSecret ? "***" : Value;

    /// <summary>Name and masked value; a record's own text would print the secret.</summary>
    public override string ToString() => $"{Name}={Shown}";
}

/// <summary>How to reach the cluster.</summary>
/// <param name="Properties">librdkafka properties, in the order of writing; bootstrap.servers is among them.</param>
public sealed record KafkaSettings(ImmutableArray<KafkaProperty> Properties)
{
    /// <summary>A property's value, null when it is not set.</summary>
    public string? this[string name] => Properties.FirstOrDefault(p => p.Name == name)?.Value;

    /// <summary>The properties as Confluent.Kafka takes them.</summary>
    public Dictionary<string, string> ToDictionary() =>
        Properties.ToDictionary(static p => p.Name, static p => p.Value);
}

/// <summary>Where and how much is remembered on this machine.</summary>
/// <param name="Directory">Absolute path of the state directory.</param>
/// <param name="MemoryBytes">Bound over filters, recent tables, block cache, and prefetch of all pipelines.</param>
public sealed record StateSettings(string Directory, long MemoryBytes);

/// <summary>When a transaction ends.</summary>
/// <param name="IntervalMs">Longest time a record waits for its commit, in ms.</param>
/// <param name="MaxRecords">Most records in a transaction.</param>
/// <param name="MaxBytes">Most bytes in a transaction.</param>
public sealed record CommitSettings(int IntervalMs, int MaxRecords, long MaxBytes);

/// <summary>Everything that a user configures, checked as far as that goes without asking the cluster. Immutable.</summary>
public sealed record DedupConfig
{
    /// <summary>How to reach the cluster.</summary>
    public required KafkaSettings Kafka { get; init; }

    /// <summary>State on this machine.</summary>
    public required StateSettings State { get; init; }

    /// <summary>Threads that each own a consumer and a transactional producer.</summary>
    public required int Lanes { get; init; }

    /// <summary>When a transaction ends.</summary>
    public required CommitSettings Commit { get; init; }

    /// <summary>Static or dynamic members.</summary>
    public required Membership Membership { get; init; }

    /// <summary>Pipelines in the order of writing.</summary>
    public required ImmutableArray<PipelineSpec> Pipelines { get; init; }

    /// <summary>How payloads are validated, by the name of the pipeline; those that do not validate are left out.</summary>
    public ImmutableDictionary<string, ValidationSettings> Validation { get; init; } =
        ImmutableDictionary<string, ValidationSettings>.Empty;

    /// <summary>Where each setting was written, by its path (<c>pipelines.orders.input</c>), for messages.</summary>
    public required ImmutableDictionary<string, Place> Places { get; init; }

    /// <summary>Where a setting was written, or the nearest thing above it that was.</summary>
    public Place PlaceOf(string path)
    {
        for (string at = path; at.Length > 0; at = at[..Math.Max(0, at.LastIndexOf('.'))])
        {
            if (Places.TryGetValue(at, out Place place))
            {
                return place;
            }
        }

        return Places.GetValueOrDefault("", new Place("configuration", 0));
    }
}
