using Dedup.Acceptance.Brokers;
using Dedup.Host.Commands;
using Dedup.Host.CrashTest;
using Dedup.RocksDb;
using Dedup.Topology.Proof;
using Shouldly;

namespace Dedup.Acceptance.Faults;

/// <summary>A disk that is full, files that cannot grow, and the death of all processes at once, in a restore and in a seal.</summary>
public sealed class DiskFaultTests(RealKafka kafka, ITestOutputHelper output)
{
    /// <summary>Room for whatever the test remembers, so that it is full only when it was filled; memory is used only then.</summary>
    private static readonly int DiskMiB = FaultSeed.IsLong ? 1024 : 256;

    /// <summary>A sealed table is larger than that, the files of an empty store are not.</summary>
    private const int MostFileKiB = 512;

    /// <summary>SIGKILL as shells and .NET count it: 128 + 9.</summary>
    private const int KilledBySignal = 137;

    private static readonly string[] OfASeal =
    [
        StoreCrashPoints.SealSstWritten,
        StoreCrashPoints.SealBetweenIngests,
        StoreCrashPoints.SealBeforeFloor,
    ];

    private static readonly string[] OfARestore =
    [
        CrashPoints.RestoreStarted,
        CrashPoints.RestoreApplied,
        CrashPoints.RestoreDone,
    ];

    /// <summary>
    /// A process whose disk is full, or that may write no large files, ends and says so, and goes on when there is room;
    /// then all die at once: one comes back without its state and dies in the restore, the other one in a seal; and once
    /// more all at once. DEDUP_LONG: five times.
    /// </summary>
    [Fact]
    public async Task A_full_disk_and_the_death_of_all_at_once_lose_nothing_and_double_nothing()
    {
        var seed = new FaultSeed(output);
        await using Fleet fleet = await Fleet.MakeAsync(
            await kafka.BootstrapServersAsync(),
            "disk",
            output
        );
        WorkerProcess one = fleet.Add("one"),
            two = fleet.Add("two");
        using SmallDisk? disk = SmallDisk.TryMount(one.StateDirectory, DiskMiB);
        await fleet.BeginAsync(seed.Number);
        for (int round = 0; round < (FaultSeed.IsLong ? 5 : 1); round++)
        {
            await FillAsync(fleet, disk, one);
            await LimitAsync(fleet, two);
            await KillAllAsync(fleet, seed, one, two);
        }

        await fleet.EndAsync();
    }

    private static async Task FillAsync(Fleet fleet, SmallDisk? disk, WorkerProcess worker)
    {
        if (disk is null)
        {
            fleet.Say("no tmpfs may be mounted here: files that cannot grow have to do");
            return;
        }

        disk.Fill();
        (await fleet.EndsAsync(worker)).ShouldBe(ExitCode.LaneFailed, worker.Tail());
        worker.Tail().ShouldContain("No space left on device");
        fleet.Say($"{worker.Name} ended with its disk full, {fleet.Load.Sent} records sent");
        disk.Free();
        fleet.Start(worker);
        _ = await fleet.AdvanceAsync("with room again");
    }

    private static async Task LimitAsync(Fleet fleet, WorkerProcess worker)
    {
        fleet.Kill(worker);
        int? code = await fleet.StartToEndAsync(worker, mostFileKiB: MostFileKiB);
        code.ShouldBe(ExitCode.LaneFailed, worker.Tail());
        worker.Tail().ShouldContain("File too large");
        fleet.Say($"{worker.Name} ended with a file that could not grow");
        fleet.Start(worker);
        _ = await fleet.AdvanceAsync("without the limit");
    }

    private static async Task KillAllAsync(
        Fleet fleet,
        FaultSeed seed,
        WorkerProcess restored,
        WorkerProcess sealing
    )
    {
        fleet.Kill(restored);
        fleet.Kill(sealing);
        Directory.Delete(StateDamage.StoresOf(fleet.Topics, restored), recursive: true);
        string inRestore = seed.One(OfARestore);
        string inSeal = seed.One(OfASeal);
        int?[] codes = await Task.WhenAll(
            fleet.StartToEndAsync(restored, inRestore),
            fleet.StartToEndAsync(sealing, inSeal)
        );
        codes.ShouldBe([KilledBySignal, KilledBySignal], fleet.Tails());
        fleet.Say($"{restored.Name} died at {inRestore}, {sealing.Name} at {inSeal}");
        fleet.Start(restored);
        fleet.Start(sealing);
        _ = await fleet.AdvanceAsync("after both deaths");
        await Task.Delay(seed.Between(200, 1_500), TestContext.Current.CancellationToken);
        fleet.Kill(restored);
        fleet.Kill(sealing);
        fleet.Start(restored);
        fleet.Start(sealing);
        _ = await fleet.AdvanceAsync("after the death of all at once");
    }
}
