using System.Collections.Immutable;
using Dedup.Host.Configuration;
using Dedup.Host.Guards;
using Dedup.Host.Tests.Configuration;

namespace Dedup.Host.Tests.Guards;

/// <summary>A cluster as it should be, to be broken by tests.</summary>
internal static class Facts
{
    public const string Widest = "9223372036854775807";

    public static DedupConfig Config { get; } = Load.Good(Load.Minimal);

    public static ClusterFacts Good { get; } =
        new()
        {
            ClusterId = "c",
            Brokers = 3,
            Topics = new[]
            {
                Topic("orders"),
                Topic("orders.clean"),
                Topic("orders.quarantine", ("max.message.bytes", "2000000")),
                Topic("dedup-orders-changelog", ("cleanup.policy", "compact")),
            }.ToImmutableDictionary(static t => t.Name),
        };

    public static TopicFacts Topic(string name, params (string Name, string Value)[] configs) =>
        new()
        {
            Name = name,
            Exists = true,
            Id = "id-" + name,
            Partitions = 4,
            Replicas = 3,
            Configs = new Dictionary<string, string>
            {
                ["cleanup.policy"] = "delete",
                ["max.message.bytes"] = "1048588",
                ["message.timestamp.type"] = "CreateTime",
                ["message.timestamp.before.max.ms"] = Widest,
                ["message.timestamp.after.max.ms"] = Widest,
                ["min.insync.replicas"] = "2",
                ["unclean.leader.election.enable"] = "false",
            }
                .ToImmutableDictionary()
                .SetItems(
                    configs.Select(static c => new KeyValuePair<string, string>(c.Name, c.Value))
                ),
        };

    public static ClusterFacts With(string topic, Func<TopicFacts, TopicFacts> change) =>
        Good with
        {
            Topics = Good.Topics.SetItem(topic, change(Good.Topics[topic])),
        };

    public static ClusterFacts With(string topic, string name, string value) =>
        With(topic, t => t with { Configs = t.Configs!.SetItem(name, value) });
}
