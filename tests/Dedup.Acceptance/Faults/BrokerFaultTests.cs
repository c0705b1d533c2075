using System.Diagnostics;
using Confluent.Kafka;
using Dedup.Acceptance.Brokers;
using Dedup.Host.Brokers;
using Dedup.Kafka.Transport;
using Shouldly;

namespace Dedup.Acceptance.Faults;

/// <summary>Three brokers, every topic with three replicas and min.insync.replicas 2: one of them may go at any time.</summary>
public sealed class BrokerFaultTests(ITestOutputHelper output)
{
    private static readonly TimeSpan InSyncLimit = TimeSpan.FromSeconds(90);

    private enum Deed
    {
        Kill,
        Stop,
        Freeze,
    }

    /// <summary>
    /// The one that coordinates the group is stopped cleanly, comes back, and catches up; then one is killed. DEDUP_LONG: also
    /// frozen, four times each, and each comes back.
    /// </summary>
    [Fact]
    public async Task A_broker_that_is_killed_or_stopped_under_load_loses_nothing_and_doubles_nothing()
    {
        var seed = new FaultSeed(output);
        await using LocalKafka kafka = await RealKafka.StartOwnAsync(
            new LocalKafkaOptions { Nodes = 3, HeapMiB = 320 }
        );
        await using Fleet fleet = await Fleet.MakeAsync(kafka.BootstrapServers, "brokers", output);
        _ = fleet.Add("one");
        _ = fleet.Add("two");
        using var queries = LogQueries.Of(
            new ClientSettings([new("bootstrap.servers", kafka.BootstrapServers)])
        );
        await fleet.BeginAsync(seed.Number);
        // A join can be taken by a coordinator that is killed before it answers (once in some hundred faults).
        fleet.RestartsLeft = 1;
        int coordinator = await CoordinatorAsync(fleet, queries);
        // Every lane's client has to find another one for the offsets of its transaction.
        await DoAsync(fleet, queries, Deed.Stop, kafka.Nodes.Single(n => n.Id == coordinator));
        IEnumerable<Deed> deeds = FaultSeed.IsLong
            ? Enumerable.Repeat<Deed[]>([Deed.Kill, Deed.Stop, Deed.Freeze], 4).SelectMany(d => d)
            : [Deed.Kill];
        foreach (Deed deed in seed.Shuffled(deeds))
        {
            await InSyncAsync(kafka, fleet);
            await DoAsync(fleet, queries, deed, seed.One(kafka.Nodes));
        }

        await fleet.EndAsync();
    }

    private static async Task DoAsync(
        Fleet fleet,
        LogQueries queries,
        Deed deed,
        LocalKafkaNode node
    )
    {
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        string what = $"{deed} of node {node.Id}";
        if (deed == Deed.Freeze)
        {
            node.Freeze();
            _ = await fleet.AdvanceAsync(what);
            node.Thaw();
            _ = await fleet.AdvanceAsync($"node {node.Id} awake");
            return;
        }

        if (deed == Deed.Kill)
        {
            node.Kill();
        }
        else
        {
            await node.StopAsync(cancellation);
        }

        _ = await fleet.AdvanceAsync(what);
        _ = await CoordinatorAsync(fleet, queries);
        if (deed == Deed.Kill && !FaultSeed.IsLong)
        {
            // What comes back was shown by the first one.
            return;
        }

        await node.RestartAsync(cancellation);
        _ = await fleet.AdvanceAsync($"node {node.Id} back");
    }

    /// <summary>
    /// Which broker coordinates the group. A lane asks for its group's members in the same way, to find partitions that were
    /// left to nobody: it has to hear of them while a broker is away, too.
    /// </summary>
    private static async Task<int> CoordinatorAsync(Fleet fleet, LogQueries queries)
    {
        long begun = Stopwatch.GetTimestamp();
        while (true)
        {
            if (
                await Task.Run(() => queries.Group(fleet.Topics.Group, TimeSpan.FromSeconds(2))) is
                { } group
            )
            {
                fleet.Say(
                    $"node {group.Broker.BrokerId} coordinates, known after {Stopwatch.GetElapsedTime(begun).TotalSeconds:0.0} s"
                );
                return group.Broker.BrokerId;
            }

            Stopwatch
                .GetElapsedTime(begun)
                .ShouldBeLessThan(InSyncLimit, $"the group is not described\n{fleet.Tails()}");
        }
    }

    /// <summary>All replicas of all partitions have what is acknowledged: before that the next fault would be the second.</summary>
    private static async Task InSyncAsync(LocalKafka kafka, Fleet fleet)
    {
        using IAdminClient admin = new AdminClientBuilder(
            new AdminClientConfig { BootstrapServers = kafka.BootstrapServers }
        )
            .SetLogHandler(static (_, _) => { })
            .SetErrorHandler(static (_, _) => { })
            .Build();
        long begun = Stopwatch.GetTimestamp();
        while (!IsInSync(admin))
        {
            Stopwatch
                .GetElapsedTime(begun)
                .ShouldBeLessThan(InSyncLimit, $"replicas out of sync\n{fleet.Tails()}");
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
    }

    private static bool IsInSync(IAdminClient admin)
    {
        try
        {
            List<TopicMetadata> topics = admin.GetMetadata(TimeSpan.FromSeconds(5)).Topics;
            return topics.Count > 0
                && topics
                    .SelectMany(static t => t.Partitions)
                    .All(static p => p.Replicas.Length == 3 && p.InSyncReplicas.Length == 3);
        }
        catch (KafkaException)
        {
            return false;
        }
    }
}
