using System.Globalization;
using Dedup.Acceptance.Brokers;
using Dedup.Host.CrashTest;
using Dedup.Kafka.Transport;
using Shouldly;

namespace Dedup.Acceptance.Crash;

/// <summary>Two processes under load, and what an operating system can do to them; each test ends with the audit from outside.</summary>
/// <remarks>DEDUP_LONG=1 kills more often and loads more; DEDUP_SEED repeats the choices of a run.</remarks>
public sealed class KillTests(RealKafka kafka, ITestOutputHelper output)
{
    private static readonly bool IsLong =
        Environment.GetEnvironmentVariable("DEDUP_LONG") is { Length: > 0 };

    private static readonly ulong Seed = ulong.TryParse(
        Environment.GetEnvironmentVariable("DEDUP_SEED"),
        NumberStyles.None,
        CultureInfo.InvariantCulture,
        out ulong seed
    )
        ? seed
        : (ulong)Random.Shared.Next();

    /// <summary>What one of two has to be back within after a kill -9 with an immediate restart, on a machine that is busy.</summary>
    private static readonly TimeSpan BackWithin = TimeSpan.FromSeconds(30);

    /// <summary>A session time-out and what it takes to take over and restore, on a machine that is busy.</summary>
    private static readonly TimeSpan TakenOverWithin = TimeSpan.FromSeconds(40);

    private static readonly LoadPlan Plan = IsLong
        ? new LoadPlan { Records = 4_000_000, PerSecond = 50_000 }
        : new LoadPlan { Records = 400_000, PerSecond = 20_000 };

    private static readonly LoadPlan ShortPlan = IsLong
        ? new LoadPlan { Records = 2_000_000, PerSecond = 40_000 }
        : new LoadPlan { Records = 300_000, PerSecond = 20_000 };

    /// <summary>Every 0.5 to 2 s one of the two dies at whatever it does and is started again at once: 6 times, long 20.</summary>
    [Fact]
    public async Task Kill_9_at_random_loses_nothing_and_doubles_nothing()
    {
        await using TwoWorkers two = await TwoWorkers.MakeAsync(kafka, "kill9", output);
        await KillAtRandomAsync(two);
    }

    /// <summary>
    /// partitioning: by-id, duplicates in any partition: whichever of the two dies has lanes of both hops, at whatever they do.
    /// </summary>
    [Fact]
    public async Task Kill_9_at_random_in_both_hops_of_by_id_loses_nothing_and_doubles_nothing()
    {
        await using TwoWorkers two = await TwoWorkers.MakeAsync(
            kafka,
            "killbyid",
            output,
            repartitionPartitions: 3
        );
        await KillAtRandomAsync(two);
    }

    [Fact]
    public async Task A_lost_state_directory_is_restored_from_the_changelog()
    {
        await using TwoWorkers two = await TwoWorkers.MakeAsync(kafka, "lostdisk", output);
        await two.BeginAsync(ShortPlan with { Records = ShortPlan.Records * 2 }, Seed);
        await Task.Delay(3000, TestContext.Current.CancellationToken);
        foreach (WorkerProcess victim in two.Workers)
        {
            victim.Kill();
            // All of it: the instance id too, so that the restarted one is a new member, and its predecessor a dead one.
            Directory.Delete(victim.StateDirectory, recursive: true);
            victim.Start();
            TimeSpan took = await two.AdvanceAsync(TakenOverWithin);
            two.Say(
                $"{victim.Name} without its state: all partitions go on after {took.TotalSeconds:0.0} s, {two.Load!.Sent} records sent"
            );
        }

        await two.EndAsync();
    }

    /// <summary>Frozen beyond session and transaction time-out: the other one takes over; awake again it must not write a thing.</summary>
    [Fact]
    public async Task A_zombie_that_wakes_up_after_its_time_outs_changes_nothing()
    {
        await using TwoWorkers two = await TwoWorkers.MakeAsync(kafka, "zombie", output);
        await two.BeginAsync(
            ShortPlan with
            {
                Records = Math.Max(ShortPlan.Records, 20_000L * 45),
            },
            Seed
        );
        await Task.Delay(1500, TestContext.Current.CancellationToken);
        WorkerProcess zombie = two.Workers[0];
        zombie.Freeze();
        // What the broker already had of it is committed within a moment; only then is it a matter of the other one.
        await Task.Delay(1000, TestContext.Current.CancellationToken);
        TimeSpan took = await two.AdvanceAsync(TakenOverWithin);
        two.Say($"frozen: all partitions go on after {took.TotalSeconds:0.0} s");
        double left =
            Math.Max(ClientSettings.SessionTimeoutMs, ClientSettings.TransactionTimeoutMs)
            + 2000
            - took.TotalMilliseconds;
        await Task.Delay((int)Math.Max(0, left), TestContext.Current.CancellationToken);
        zombie.Thaw();
        two.Say($"awake, {two.Load!.Sent} records sent");
        took = await two.AdvanceAsync(BackWithin);
        two.Say($"awake: all partitions go on after {took.TotalSeconds:0.0} s");
        await two.EndAsync();
    }

    /// <summary>Under load, every 0.5 to 2 s one of the two dies and is started again at once; then the audit.</summary>
    private static async Task KillAtRandomAsync(TwoWorkers two)
    {
        two.Say($"seed {Seed}");
        var random = new Random((int)Seed);
        await two.BeginAsync(Plan, Seed);
        int kills = IsLong ? 20 : 6;
        for (int i = 0; i < kills; i++)
        {
            await Task.Delay(random.Next(500, 2000), TestContext.Current.CancellationToken);
            WorkerProcess victim = two.Workers[random.Next(2)];
            victim.Kill();
            two.Say($"kill {i + 1}: {victim.Name}, {two.Load!.Sent} records sent");
            victim.Start();
        }

        two.Load!.IsDone.ShouldBeFalse("the kills were meant to be under load");
        await two.EndAsync();
    }
}
