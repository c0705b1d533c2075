using Dedup.Simulation.Chance;
using Dedup.Simulation.Worlds;

namespace Dedup.Simulation.Broker;

/// <summary>How slow the cluster is, in ms. Drawn from the seed.</summary>
public sealed record ClusterPace
{
    /// <summary>A request and its answer take at most this.</summary>
    public int RoundTripMs { get; init; } = 2;

    /// <summary>From the decision of a transaction to the marker in a partition: at most this, for each partition apart.</summary>
    public int MarkerMs { get; init; } = 5;

    /// <summary>transaction.abort.timed.out.transaction.cleanup.interval.ms: how often transactions that time out are looked for.</summary>
    public int TransactionSweepMs { get; init; } = 10_000;

    /// <summary>From the completion of a join to a member's hearing of it: at most this, for each member apart.</summary>
    public int JoinMs { get; init; } = 20;
}

/// <summary>The brokers of a cluster as one: topics, the transaction coordinator, the group coordinators.</summary>
public sealed class ModelCluster
{
    private readonly SortedDictionary<string, ModelTopic> _topics = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, GroupCoordinator> _groups = new(
        StringComparer.Ordinal
    );
    private int _made;

    /// <summary>Makes an empty cluster.</summary>
    public ModelCluster(World world, ulong seed, ClusterPace? pace = null)
    {
        World = world;
        Pace = pace ?? new ClusterPace();
        Chance = Rng.For(seed, 0xB70CE5);
        Transactions = new TransactionCoordinator(this);
    }

    /// <summary>The world that it runs in.</summary>
    public World World { get; }

    /// <summary>How slow it is.</summary>
    public ClusterPace Pace { get; set; }

    /// <summary>Its own randomness: delays and orders.</summary>
    public Rng Chance { get; }

    /// <summary>Cluster id.</summary>
    public string Id { get; init; } = "model-cluster";

    /// <summary>The transaction coordinator.</summary>
    public TransactionCoordinator Transactions { get; }

    /// <summary>All topics by name.</summary>
    public IReadOnlyDictionary<string, ModelTopic> Topics => _topics;

    /// <summary>All groups by name.</summary>
    public IReadOnlyDictionary<string, GroupCoordinator> Groups => _groups;

    /// <summary>CreateTopics; under a name that exists, the old topic is deleted first and the new one has another id.</summary>
    public ModelTopic MakeTopic(string name, int partitions)
    {
        int number = ++_made;
        var topic = new ModelTopic(World, name, number, $"topic-{number}", partitions);
        _topics[name] = topic;
        World.Trace.Mix(Point.Topic, number, partitions);
        return topic;
    }

    /// <summary>A topic that exists.</summary>
    public ModelTopic Topic(string name) => _topics[name];

    /// <summary>A partition, or null when there is none.</summary>
    public ModelLog? Log(string topic, int partition) =>
        _topics.TryGetValue(topic, out ModelTopic? t) && partition >= 0 && partition < t.Logs.Count
            ? t.Logs[partition]
            : null;

    /// <summary>The group of that name; made when first asked for.</summary>
    public GroupCoordinator Group(string name)
    {
        if (!_groups.TryGetValue(name, out GroupCoordinator? group))
        {
            _groups[name] = group = new GroupCoordinator(this, name, _groups.Count);
        }

        return group;
    }
}
