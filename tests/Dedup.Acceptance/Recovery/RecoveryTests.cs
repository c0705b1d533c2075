using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Dedup.Acceptance.Brokers;
using Dedup.Acceptance.Faults;
using Dedup.Host.CrashTest;
using Dedup.Kafka.Transport;
using Dedup.Topology.Proof;
using Shouldly;

namespace Dedup.Acceptance.Recovery;

/// <summary>
/// How long readers of the clean topic wait after the kill -9 of one of two processes that left a transaction open, and why.
/// </summary>
/// <remarks>
/// The bound for what a program has to do (start, join, restore, commit) is for a machine that gives it its share of CPU. How
/// far this one is from that shows in the start of a program that does nothing; the bound grows by that factor and no other.
/// The session time-out is the broker's, and does not grow.
/// </remarks>
public sealed partial class RecoveryTests(RealKafka kafka, ITestOutputHelper output)
{
    private const int KilledBySignal = 137;

    /// <summary>A commit of any lane well after the start, so that partitions have settled.</summary>
    private const int Passing = 60;

    private static readonly TimeSpan ProgramsShare = TimeSpan.FromSeconds(3);

    /// <summary>`dedup --version` beside a pipeline under this load, on two cores that do nothing else: 0.1 to 0.3 s.</summary>
    private static readonly TimeSpan StartOnTwoCores = TimeSpan.FromSeconds(0.3);

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    [Fact]
    public async Task Readers_wait_for_the_session_time_out_and_3_s_when_one_of_two_processes_dies_for_good()
    {
        Assert.SkipUnless(
            FaultSeed.IsLong,
            "a measurement that wants the machine for itself; DEDUP_LONG=1 runs it"
        );
        await using Fleet fleet = await BeginAsync("recovery");
        using var reader = new CleanReader(fleet.Topics);
        (WorkerProcess dead, WorkerProcess survivor) = (fleet.Workers[0], fleet.Workers[1]);
        (int[] partitions, DateTimeOffset died) = await DieAsync(fleet, reader, dead);
        (TimeSpan stall, double slowness) = await StallAsync(
            fleet,
            reader,
            partitions,
            died,
            survivor,
            []
        );
        stall.ShouldBeLessThan(
            TimeSpan.FromMilliseconds(ClientSettings.SessionTimeoutMs) + (ProgramsShare * slowness)
        );
        await fleet.EndAsync();
    }

    [Fact]
    public async Task Readers_wait_for_at_most_3_s_when_the_process_is_started_again_at_once()
    {
        Assert.SkipUnless(
            FaultSeed.IsLong,
            "a measurement that wants the machine for itself; DEDUP_LONG=1 runs it"
        );
        await using Fleet fleet = await BeginAsync("restart");
        using var reader = new CleanReader(fleet.Topics);
        WorkerProcess dead = fleet.Workers[0];
        (int[] partitions, DateTimeOffset died) = await DieAsync(fleet, reader, dead);
        fleet.Start(dead);
        (TimeSpan stall, double slowness) = await StallAsync(
            fleet,
            reader,
            partitions,
            died,
            dead,
            [("start of the program", "process.started"), ("own transaction fenced", "lane.state")]
        );
        stall.ShouldBeLessThan(ProgramsShare * slowness);
        await fleet.EndAsync();
    }

    private async Task<Fleet> BeginAsync(string test)
    {
        var seed = new FaultSeed(output);
        Fleet fleet = await Fleet.MakeAsync(await kafka.BootstrapServersAsync(), test, output);
        try
        {
            // With the usual linger most of an open transaction is still in the client, and dies with it.
            var atOnce = new Dictionary<string, string> { ["linger.ms"] = "0" };
            _ = fleet.Add("one", kafka: atOnce);
            _ = fleet.Add("two", kafka: atOnce);
            await fleet.BeginAsync(seed.Number);
            return fleet;
        }
        catch
        {
            await fleet.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// Lets the worker die by SIGKILL with offsets and records in an open transaction; the partitions that it had, and when.
    /// </summary>
    private static async Task<(int[] Partitions, DateTimeOffset Died)> DieAsync(
        Fleet fleet,
        CleanReader reader,
        WorkerProcess worker
    )
    {
        fleet.Kill(worker);
        (
            await fleet.StartToEndAsync(
                worker,
                string.Create(CultureInfo.InvariantCulture, $"{CrashPoints.AfterOffsets}:{Passing}")
            )
        ).ShouldBe(KilledBySignal, worker.Tail());
        DateTimeOffset died = DateTimeOffset.UtcNow;
        int[] partitions =
        [
            .. fleet
                .LogOf(worker)
                .All("task.state", "→ Active")
                .Select(static l =>
                    int.Parse(
                        PartitionOf().Match(l.Text).Groups[1].Value,
                        CultureInfo.InvariantCulture
                    )
                )
                .Distinct(),
        ];
        partitions.ShouldNotBeEmpty(worker.Tail());
        reader
            .HasAllSince(partitions, died - TimeSpan.FromSeconds(5))
            .ShouldBeTrue("the reader had nothing of these partitions to lose");
        // Offsets were in it, so it was open; whether records of it had come to the clean topic as well is a matter of ms.
        bool holdsReadersUp = await HasOpenTransactionAsync(fleet.Topics, partitions);
        fleet.Say(
            $"{worker.Name} died with a transaction open{(holdsReadersUp ? ", records of which hold up readers" : "")}; it had {partitions.Length} partitions"
        );
        return (partitions, died);
    }

    /// <summary>Whether the last stable offset of one of them stays behind its high watermark.</summary>
    private static async Task<bool> HasOpenTransactionAsync(CrashTopics topics, int[] partitions)
    {
        using IAdminClient admin = new AdminClientBuilder(topics.Kafka.ToDictionary()).Build();
        long[] stable = await EndsAsync(
            admin,
            topics.Clean,
            partitions,
            IsolationLevel.ReadCommitted
        );
        long[] high = await EndsAsync(
            admin,
            topics.Clean,
            partitions,
            IsolationLevel.ReadUncommitted
        );
        return stable.Zip(high).Any(static e => e.First < e.Second);
    }

    private static async Task<long[]> EndsAsync(
        IAdminClient admin,
        string topic,
        int[] partitions,
        IsolationLevel isolation
    )
    {
        ListOffsetsResult ends = await admin.ListOffsetsAsync(
            partitions.Select(p => new TopicPartitionOffsetSpec
            {
                TopicPartition = new TopicPartition(topic, p),
                OffsetSpec = OffsetSpec.Latest(),
            }),
            new ListOffsetsOptions { IsolationLevel = isolation }
        );
        return
        [
            .. ends
                .ResultInfos.OrderBy(static e => e.TopicPartitionOffsetError.Partition.Value)
                .Select(static e => e.TopicPartitionOffsetError.Offset.Value),
        ];
    }

    /// <summary>Waits until all partitions go on; the longest stall, said with the part of each cause.</summary>
    private static async Task<(TimeSpan Stall, double Slowness)> StallAsync(
        Fleet fleet,
        CleanReader reader,
        int[] partitions,
        DateTimeOffset died,
        WorkerProcess successor,
        (string Cause, string Said)[] first
    )
    {
        // While it happens, and once after it: the machine's other work comes and goes.
        double slowness = Slowness();
        long begun = Stopwatch.GetTimestamp();
        while (!reader.HasAllSince(partitions, died + TimeSpan.FromMilliseconds(50)))
        {
            Stopwatch.GetElapsedTime(begun).ShouldBeLessThan(Patience, fleet.Tails());
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }

        (int partition, (DateTimeOffset from, DateTimeOffset to)) = partitions
            .Select(p => (p, reader.LongestSilence(p, died)))
            .MaxBy(static p => p.Item2.To - p.Item2.From);
        string name = $"{fleet.Topics.Input}-{partition}: ";
        WorkerLog log = fleet.LogOf(successor);
        var marks = new List<(string Cause, DateTimeOffset At)> { ("before the death", died) };
        marks.AddRange(
            first.SelectMany(f =>
                log.All(f.Said).Where(l => l.At > died).Take(1).Select(l => (f.Cause, l.At))
            )
        );
        foreach (
            (string cause, string said) in new[]
            {
                ("detection and rebalance", "Assigned → Restoring"),
                ("fencing", "left pending was ended"),
                ("restore and claim", "Restoring → Active"),
            }
        )
        {
            marks.AddRange(
                log.All(name, said).Where(l => l.At > died).Take(1).Select(l => (cause, l.At))
            );
        }

        marks.Add(("first commit", to));
        DateTimeOffset at = from;
        var parts = new List<string>();
        foreach ((string cause, DateTimeOffset mark) in marks)
        {
            parts.Add(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{cause} {(mark - at).TotalSeconds:0.00} s"
                )
            );
            at = mark;
        }

        slowness = Math.Max(slowness, Slowness());
        fleet.Say(
            string.Create(
                CultureInfo.InvariantCulture,
                $"readers waited for {(to - from).TotalSeconds:0.00} s: {string.Join(", ", parts)}; slowness of this machine {slowness:0.0}"
            )
        );
        return (to - from, slowness);
    }

    /// <summary>1 on a machine that has CPU for whoever wants it, more on one that has not.</summary>
    private static double Slowness()
    {
        long begun = Stopwatch.GetTimestamp();
        using Process program = Process.Start(
            new ProcessStartInfo(CrashTopics.Program, ["--version"])
            {
                RedirectStandardOutput = true,
            }
        )!;
        _ = program.StandardOutput.ReadToEnd();
        program.WaitForExit();
        return Math.Max(1, Stopwatch.GetElapsedTime(begun) / StartOnTwoCores);
    }

    [GeneratedRegex(@"-(\d+): \w+ → Active")]
    private static partial Regex PartitionOf();
}
