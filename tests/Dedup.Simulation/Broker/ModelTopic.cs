using Dedup.Simulation.Worlds;

namespace Dedup.Simulation.Broker;

/// <summary>A topic. Made anew under the same name, it is another object with another id.</summary>
public sealed class ModelTopic
{
    private readonly World _world;
    private readonly List<ModelLog> _logs = [];

    /// <summary>Makes a topic with empty partitions.</summary>
    public ModelTopic(World world, string name, int number, string id, int partitions)
    {
        _world = world;
        Name = name;
        Number = number;
        Id = id;
        Grow(partitions);
    }

    /// <summary>Name.</summary>
    public string Name { get; }

    /// <summary>Number in the trace's hash.</summary>
    public int Number { get; }

    /// <summary>Topic id (KIP-516).</summary>
    public string Id { get; }

    /// <summary>Its partitions.</summary>
    public IReadOnlyList<ModelLog> Logs => _logs;

    /// <summary>max.message.bytes.</summary>
    public int MaxMessageBytes { get; set; } = 1_048_588;

    /// <summary>message.timestamp.before.max.ms; the default is without bound.</summary>
    public long TimestampBeforeMaxMs { get; set; } = long.MaxValue;

    /// <summary>message.timestamp.after.max.ms; Kafka's default is one hour, `dedup topics` sets the widest.</summary>
    public long TimestampAfterMaxMs { get; set; } = long.MaxValue;

    /// <summary>delete.retention.ms of the cleaner.</summary>
    public long DeleteRetentionMs { get; set; } = 86_400_000;

    /// <summary>How long followers take to have a record.</summary>
    public long ReplicationLagMs { get; set; }

    /// <summary>CreatePartitions: only ever more.</summary>
    public void Grow(int partitions)
    {
        while (_logs.Count < partitions)
        {
            _logs.Add(new ModelLog(_world, this, _logs.Count));
        }
    }

    /// <summary>LogValidator.validateTimestamp with message.timestamp.type=CreateTime; a missing timestamp (-1) is not checked.</summary>
    public bool AcceptsTimestamp(long timestampMs, long wallMs)
    {
        if (timestampMs < 0)
        {
            return true;
        }

        long ahead = timestampMs - wallMs;
        return ahead > 0 ? ahead <= TimestampAfterMaxMs : -ahead <= TimestampBeforeMaxMs;
    }
}
