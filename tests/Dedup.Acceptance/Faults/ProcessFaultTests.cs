using System.Diagnostics;
using Dedup.Acceptance.Brokers;
using Dedup.Host.CrashTest;
using Dedup.Kafka.Transport;

namespace Dedup.Acceptance.Faults;

/// <summary>What an operating system and its users do to two to four processes under load.</summary>
public sealed class ProcessFaultTests(RealKafka kafka, ITestOutputHelper output)
{
    /// <summary>Beyond both time-outs: the group has given its partitions away, the coordinator has aborted its transaction.</summary>
    private static readonly TimeSpan Frozen = TimeSpan.FromMilliseconds(
        Math.Max(ClientSettings.SessionTimeoutMs, ClientSettings.TransactionTimeoutMs) + 2_000
    );

    private enum Deed
    {
        /// <summary>kill -9, started again at once.</summary>
        Kill,

        /// <summary>kill -9, started again when the next deed is done: the others take over if that is long enough.</summary>
        KillAndLeaveDead,

        /// <summary>A dynamic member comes, or leaves with SIGTERM when it is there.</summary>
        ComeOrGo,
    }

    /// <summary>
    /// One of the two static members is frozen for the length of a round; meanwhile the other one is killed, and two dynamic
    /// ones come and go; then the zombie wakes up and must not write a thing. DEDUP_LONG: ten rounds.
    /// </summary>
    [Fact]
    public async Task Processes_that_die_freeze_come_and_go_lose_nothing_and_double_nothing()
    {
        var seed = new FaultSeed(output);
        await using Fleet fleet = await Fleet.MakeAsync(
            await kafka.BootstrapServersAsync(),
            "processes",
            output
        );
        WorkerProcess[] members = [fleet.Add("one"), fleet.Add("two")];
        await fleet.BeginAsync(seed.Number);
        WorkerProcess[] guests =
        [
            fleet.Add("three", isStatic: false),
            fleet.Add("four", isStatic: false),
        ];
        for (int round = 0; round < (FaultSeed.IsLong ? 10 : 1); round++)
        {
            await RoundAsync(fleet, seed, members, guests);
        }

        await fleet.EndAsync();
    }

    private static async Task RoundAsync(
        Fleet fleet,
        FaultSeed seed,
        WorkerProcess[] members,
        WorkerProcess[] guests
    )
    {
        int chosen = seed.Between(0, members.Length);
        (WorkerProcess zombie, WorkerProcess other) = (members[chosen], members[1 - chosen]);
        zombie.Freeze();
        long since = Stopwatch.GetTimestamp();
        fleet.Say($"{zombie.Name} is frozen, {fleet.Load.Sent} records sent");
        Deed[] deeds = seed.Shuffled<Deed>([
            Deed.Kill,
            Deed.KillAndLeaveDead,
            Deed.ComeOrGo,
            Deed.ComeOrGo,
            Deed.ComeOrGo,
        ]);
        foreach (Deed deed in deeds)
        {
            await Task.Delay(seed.Between(300, 2_000), TestContext.Current.CancellationToken);
            bool wasDead = !fleet.IsRunning(other);
            await DoAsync(fleet, deed, other, seed.One(guests));
            if (wasDead && !fleet.IsRunning(other))
            {
                fleet.Start(other);
            }
        }

        if (!fleet.IsRunning(other))
        {
            fleet.Start(other);
        }

        _ = await fleet.AdvanceAsync("with the zombie asleep");
        TimeSpan left = Frozen - Stopwatch.GetElapsedTime(since);
        if (left > TimeSpan.Zero)
        {
            await Task.Delay(left, TestContext.Current.CancellationToken);
        }

        zombie.Thaw();
        fleet.Say($"{zombie.Name} is awake, {fleet.Load.Sent} records sent");
        // Time for whatever it still has in mind, in records of the load.
        await fleet.SentAsync(fleet.Load.Sent + (2 * Fleet.PerSecond));
        _ = await fleet.AdvanceAsync("with the zombie awake");
    }

    private static async Task DoAsync(
        Fleet fleet,
        Deed deed,
        WorkerProcess member,
        WorkerProcess guest
    )
    {
        switch (deed)
        {
            case Deed.ComeOrGo when fleet.IsRunning(guest):
                await fleet.StopAsync(guest);
                fleet.Say($"{guest.Name} has left");
                break;
            case Deed.ComeOrGo:
                fleet.Start(guest);
                fleet.Say($"{guest.Name} has come");
                break;
            case Deed.Kill or Deed.KillAndLeaveDead when !fleet.IsRunning(member):
                break;
            case Deed.Kill:
                fleet.Kill(member);
                fleet.Start(member);
                fleet.Say($"{member.Name} was killed and started again");
                break;
            default:
                fleet.Kill(member);
                fleet.Say($"{member.Name} was killed");
                break;
        }
    }
}
