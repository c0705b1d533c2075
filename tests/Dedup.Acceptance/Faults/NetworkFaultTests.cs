using Dedup.Acceptance.Brokers;
using Dedup.Host.Brokers;
using Dedup.Kafka.Transport;

namespace Dedup.Acceptance.Faults;

/// <summary>Two processes, each behind a proxy of its own; the network of one goes bad while the other's is good.</summary>
public sealed class NetworkFaultTests(ITestOutputHelper output)
{
    private static readonly string[] Names = ["one", "two"];

    private enum Deed
    {
        /// <summary>Connections are closed, new ones refused.</summary>
        Cut,

        /// <summary>Connections stay, nothing comes through in either direction.</summary>
        HalfOpen,

        /// <summary>The broker hears everything and its answers are lost: what was committed nobody knows.</summary>
        AnswersLost,

        /// <summary>300 ms and more in each direction.</summary>
        Latency,

        /// <summary>A few KB/s towards the broker: a batch of records takes a minute.</summary>
        Trickle,

        /// <summary>A TCP reset 200 ms after the first data, again and again.</summary>
        Reset,
    }

    /// <summary>
    /// One of the faults that let nothing through, beyond the session time-out, so that the other process takes over, and two
    /// others for a moment. DEDUP_LONG: each one beyond the time-out, five times, on both processes.
    /// </summary>
    [Fact]
    public async Task A_bad_network_between_client_and_broker_loses_nothing_and_doubles_nothing()
    {
        var seed = new FaultSeed(output);
        IReadOnlyList<int> ports = LoopbackPorts.Pick(Names.Length);
        await using LocalKafka kafka = await RealKafka.StartOwnAsync(
            new LocalKafkaOptions
            {
                HeapMiB = 640,
                ExtraListeners =
                [
                    .. Names.Select(
                        (n, i) => new ExtraListener(n.ToUpperInvariant(), "PLAINTEXT", [ports[i]])
                    ),
                ],
            }
        );
        await using Toxiproxy proxy = await Toxiproxy.StartAsync(
            Names.Select((n, i) => (n, ports[i], kafka.Nodes[0].PortOf(n.ToUpperInvariant())))
        );
        await using Fleet fleet = await Fleet.MakeAsync(kafka.BootstrapServers, "network", output);
        for (int i = 0; i < Names.Length; i++)
        {
            _ = fleet.Add(
                Names[i],
                kafka: new Dictionary<string, string>
                {
                    ["bootstrap.servers"] = $"127.0.0.1:{ports[i]}",
                }
            );
        }

        await fleet.BeginAsync(seed.Number);
        Deed beyond = seed.One<Deed>([Deed.Cut, Deed.HalfOpen, Deed.AnswersLost]);
        for (int round = 0; round < (FaultSeed.IsLong ? 5 : 1); round++)
        {
            IEnumerable<Deed> deeds = FaultSeed.IsLong
                ? Enum.GetValues<Deed>()
                : seed.Shuffled(Enum.GetValues<Deed>().Where(d => d != beyond))
                    .Take(2)
                    .Append(beyond);
            foreach (Deed deed in seed.Shuffled(deeds))
            {
                int lastsMs =
                    FaultSeed.IsLong || deed == beyond
                        ? ClientSettings.SessionTimeoutMs + seed.Between(1_000, 3_000)
                        : seed.Between(500, 2_000);
                await DoAsync(fleet, proxy, deed, seed.One(Names), lastsMs);
            }
        }

        await fleet.EndAsync();
    }

    private static async Task DoAsync(
        Fleet fleet,
        Toxiproxy proxy,
        Deed deed,
        string name,
        int lastsMs
    )
    {
        await PutOnAsync(proxy, deed, name);
        await Task.Delay(lastsMs, TestContext.Current.CancellationToken);
        if (lastsMs > ClientSettings.SessionTimeoutMs && deed is Deed.Cut or Deed.HalfOpen)
        {
            _ = await fleet.AdvanceAsync($"{deed} of {name} for more than {lastsMs} ms");
        }

        await proxy.ResetAsync();
        _ = await fleet.AdvanceAsync($"after {deed} of {name} for {lastsMs} ms");
    }

    private static async Task PutOnAsync(Toxiproxy proxy, Deed deed, string name)
    {
        switch (deed)
        {
            case Deed.Cut:
                await proxy.EnableAsync(name, isUp: false);
                break;
            case Deed.HalfOpen:
                await proxy.AddAsync(name, "timeout", "upstream", ("timeout", 0));
                await proxy.AddAsync(name, "timeout", "downstream", ("timeout", 0));
                break;
            case Deed.AnswersLost:
                await proxy.AddAsync(name, "timeout", "downstream", ("timeout", 0));
                break;
            case Deed.Latency:
                await proxy.AddAsync(name, "latency", "upstream", ("latency", 300), ("jitter", 50));
                await proxy.AddAsync(
                    name,
                    "latency",
                    "downstream",
                    ("latency", 300),
                    ("jitter", 50)
                );
                break;
            case Deed.Trickle:
                await proxy.AddAsync(name, "bandwidth", "upstream", ("rate", 8));
                break;
            default:
                await proxy.AddAsync(name, "reset_peer", "downstream", ("timeout", 200));
                break;
        }
    }
}
