using Dedup.Acceptance.Brokers;
using Dedup.Host.CrashTest;
using Shouldly;

namespace Dedup.Acceptance.Faults;

/// <summary>What can happen to a disk while nobody looks: the changelog knows better, whatever lies there.</summary>
public sealed class StateFaultTests(RealKafka kafka, ITestOutputHelper output)
{
    /// <summary>Something for every store to seal when it is closed.</summary>
    private const long RecordsOfAnother = 40_000;

    /// <summary>Each kind of damage once, to one of two processes that are killed and started again. DEDUP_LONG: ten times.</summary>
    [Fact]
    public async Task A_damaged_state_directory_loses_nothing_and_doubles_nothing()
    {
        var seed = new FaultSeed(output);
        string bootstrap = await kafka.BootstrapServersAsync();
        await using Fleet fleet = await Fleet.MakeAsync(bootstrap, "state", output);
        string foreign = await ForeignStoresAsync(bootstrap, fleet.Topics.Directory, seed);
        WorkerProcess[] workers = [fleet.Add("one"), fleet.Add("two")];
        await fleet.BeginAsync(seed.Number);
        await fleet.SentAsync(Fleet.LeastRecords / 2);
        string old = Path.Combine(fleet.Topics.Directory, "old");
        foreach (WorkerProcess worker in workers)
        {
            fleet.Kill(worker);
            StateDamage.Copy(
                StateDamage.StoresOf(fleet.Topics, worker),
                Path.Combine(old, worker.Name)
            );
            fleet.Start(worker);
        }

        int aside = 0;
        for (int round = 0; round < (FaultSeed.IsLong ? 10 : 1); round++)
        {
            foreach (Damage damage in seed.Shuffled(Enum.GetValues<Damage>()))
            {
                WorkerProcess victim = seed.One(workers);
                // A store that has been opened and written to is a better victim than one that was just made anew.
                _ = await fleet.AdvanceAsync("before the damage");
                fleet.Kill(victim);
                string what = StateDamage.Do(
                    damage,
                    victim,
                    StateDamage.StoresOf(fleet.Topics, victim),
                    damage == Damage.OldCopy ? Path.Combine(old, victim.Name) : foreign,
                    seed
                );
                fleet.Start(victim);
                _ = await fleet.AdvanceAsync($"{victim.Name}: {damage}, {what}");
                aside += Aside(fleet, victim);
            }
        }

        await fleet.EndAsync();
        fleet.Say($"{aside} stores were set aside");
        aside.ShouldBeGreaterThan(0);
    }

    /// <summary>A state that says itself that it is another pipeline's is not touched: that is for its owner to decide.</summary>
    [Fact]
    public async Task The_state_of_another_pipeline_is_refused_in_one_line_and_left_alone()
    {
        var seed = new FaultSeed(output);
        string bootstrap = await kafka.BootstrapServersAsync();
        await using Fleet fleet = await Fleet.MakeAsync(bootstrap, "refused", output);
        string foreign = await ForeignStoresAsync(
            bootstrap,
            fleet.Topics.Directory,
            seed,
            records: 10_000
        );
        WorkerProcess worker = fleet.Add("one");
        string stores = StateDamage.StoresOf(fleet.Topics, worker);
        StateDamage.Copy(foreign, stores);
        File.Copy(Path.Combine(foreign, "pipeline.json"), Path.Combine(stores, "pipeline.json"));
        (await fleet.StartToEndAsync(worker)).ShouldBe(2, worker.Tail());
        worker
            .Tail()
            .Split('\n')
            .Count(static l => l.Contains("is of another pipeline", StringComparison.Ordinal))
            .ShouldBe(1, worker.Tail());
        Directory.Exists(Path.Combine(stores, "0")).ShouldBeTrue();
    }

    private static int Aside(Fleet fleet, WorkerProcess victim) =>
        fleet.LogOf(victim).All("was set aside").Count();

    /// <summary>Stores that another pipeline has made and closed; they lie in <paramref name="directory"/>.</summary>
    private async Task<string> ForeignStoresAsync(
        string bootstrap,
        string directory,
        FaultSeed seed,
        long records = RecordsOfAnother
    )
    {
        await using Fleet another = await Fleet.MakeAsync(bootstrap, "another", output);
        WorkerProcess worker = another.Add("another");
        await another.BeginAsync(~seed.Number);
        await another.SentAsync(records);
        await another.StopAsync(worker);
        string stores = StateDamage.StoresOf(another.Topics, worker);
        string copy = Path.Combine(directory, "another");
        StateDamage.Copy(stores, copy);
        File.Copy(Path.Combine(stores, "pipeline.json"), Path.Combine(copy, "pipeline.json"));
        return copy;
    }
}
