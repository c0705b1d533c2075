using System.Text;

namespace Dedup.Host.Brokers;

/// <summary>server.properties of one node: KRaft, broker and controller in one process, small internal topics.</summary>
internal static class ServerProperties
{
    public static string Render(
        LocalKafkaOptions options,
        IReadOnlyList<NodePorts> nodes,
        int index,
        string dataDirectory
    )
    {
        int replicas = Math.Min(3, nodes.Count);
        NodePorts own = nodes[index];
        var listeners = new List<string>
        {
            $"PLAINTEXT://127.0.0.1:{own.Plain}",
            $"CONTROLLER://127.0.0.1:{own.Controller}",
        };
        var advertised = new List<string> { $"PLAINTEXT://127.0.0.1:{own.Plain}" };
        var protocols = new List<string> { "PLAINTEXT:PLAINTEXT", "CONTROLLER:PLAINTEXT" };
        for (int i = 0; i < options.ExtraListeners.Count; i++)
        {
            ExtraListener extra = options.ExtraListeners[i];
            listeners.Add($"{extra.Name}://127.0.0.1:{own.Extra[i]}");
            advertised.Add(
                $"{extra.Name}://127.0.0.1:{(extra.AdvertisedPorts.Count == 0 ? own.Extra[i] : extra.AdvertisedPorts[index])}"
            );
            protocols.Add($"{extra.Name}:{extra.Protocol}");
        }

        var lines = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["process.roles"] = "broker,controller",
            ["node.id"] = $"{index + 1}",
            ["controller.quorum.voters"] = string.Join(
                ',',
                nodes.Select((ports, i) => $"{i + 1}@127.0.0.1:{ports.Controller}")
            ),
            ["listeners"] = string.Join(',', listeners),
            ["advertised.listeners"] = string.Join(',', advertised),
            ["listener.security.protocol.map"] = string.Join(',', protocols),
            ["controller.listener.names"] = "CONTROLLER",
            ["inter.broker.listener.name"] = "PLAINTEXT",
            ["log.dirs"] = dataDirectory,
            ["auto.create.topics.enable"] = "false",
            ["default.replication.factor"] = $"{replicas}",
            ["offsets.topic.replication.factor"] = $"{replicas}",
            ["transaction.state.log.replication.factor"] = $"{replicas}",
            ["share.coordinator.state.topic.replication.factor"] = $"{replicas}",
            ["share.coordinator.state.topic.min.isr"] = "1",
            // Two of three: what is acknowledged survives the node that a test kills; with one node there is no choice.
            ["transaction.state.log.min.isr"] = $"{Math.Max(1, replicas - 1)}",
            ["min.insync.replicas"] = $"{Math.Max(1, replicas - 1)}",
            // The first use of a group or a transactional id makes these topics: the default of 50 partitions each costs seconds.
            ["offsets.topic.num.partitions"] = "4",
            ["transaction.state.log.num.partitions"] = "4",
            ["group.initial.rebalance.delay.ms"] = "0",
            // The default of 8 threads for the network and IO each only adds context switches on a small machine.
            ["num.network.threads"] = "2",
            ["num.io.threads"] = "4",
            ["log.cleaner.dedupe.buffer.size"] = "16777216",
            // A killed node is let in again when its old session has ended: with the default of 9 s a restart took 14 s.
            ["broker.session.timeout.ms"] = "3000",
            ["broker.heartbeat.interval.ms"] = "500",
        };
        foreach ((string name, string value) in options.ExtraProperties)
        {
            lines[name] = value;
        }

        var text = new StringBuilder();
        foreach ((string name, string value) in lines)
        {
            _ = text.Append(name)
                .Append('=')
                .Append(value.Replace("\\", "\\\\", StringComparison.Ordinal))
                .Append('\n');
        }
        return text.ToString();
    }
}

/// <summary>The ports of one node, kept over its restarts; <paramref name="Extra"/> in the order of the extra listeners.</summary>
internal sealed record NodePorts(int Plain, int Controller, IReadOnlyList<int> Extra);
