using System.Collections.Immutable;

namespace Dedup.Host.Guards;

/// <summary>What the cluster says of a topic.</summary>
public sealed record TopicFacts
{
    /// <summary>Name.</summary>
    public required string Name { get; init; }

    /// <summary>Whether it exists.</summary>
    public required bool Exists { get; init; }

    /// <summary>Why nothing could be learnt of it (for example a missing right); null when something could.</summary>
    public string? Denied { get; init; }

    /// <summary>Its id: a topic made anew under the same name has another one. Empty on old brokers.</summary>
    public string Id { get; init; } = "";

    /// <summary>Number of partitions.</summary>
    public int Partitions { get; init; }

    /// <summary>The smallest number of replicas of a partition.</summary>
    public int Replicas { get; init; }

    /// <summary>Configuration; null when it may not be read.</summary>
    public ImmutableDictionary<string, string>? Configs { get; init; }

    /// <summary>Names of the properties that were set for this topic rather than taken from the broker's defaults.</summary>
    public ImmutableHashSet<string> OwnConfigs { get; init; } = [];

    /// <summary>What this client may do to it (READ, WRITE, …); null when the broker does not say.</summary>
    public ImmutableHashSet<string>? Allowed { get; init; }
}

/// <summary>What the cluster says of a consumer group.</summary>
/// <param name="Name">Name.</param>
/// <param name="Denied">Why nothing could be learnt of it; null when something could.</param>
/// <param name="Allowed">What this client may do to it; null when the broker does not say.</param>
public sealed record GroupFacts(string Name, string? Denied, ImmutableHashSet<string>? Allowed);

/// <summary>What the cluster says, taken once, judged apart.</summary>
public sealed record ClusterFacts
{
    /// <summary>Why the cluster could not be asked; null when it could.</summary>
    public Finding? Unreachable { get; init; }

    /// <summary>Whether asking again later may help: no broker answered, rather than one that refused.</summary>
    public bool MayComeBack { get; init; }

    /// <summary>Whether it was asked for names and partitions only: librdkafka's mock answers no admin questions.</summary>
    public bool IsLimited { get; init; }

    /// <summary>Its id.</summary>
    public string ClusterId { get; init; } = "";

    /// <summary>Brokers alive.</summary>
    public int Brokers { get; init; }

    /// <summary>Topics by name: all that were asked for.</summary>
    public ImmutableDictionary<string, TopicFacts> Topics { get; init; } =
        ImmutableDictionary<string, TopicFacts>.Empty;

    /// <summary>Groups by name.</summary>
    public ImmutableDictionary<string, GroupFacts> Groups { get; init; } =
        ImmutableDictionary<string, GroupFacts>.Empty;

    /// <summary>Pipelines whose transactional ids are refused to this user, each with the broker's words.</summary>
    public ImmutableDictionary<string, string> TransactionsDenied { get; init; } =
        ImmutableDictionary<string, string>.Empty;
}
