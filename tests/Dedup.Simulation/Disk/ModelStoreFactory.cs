using Dedup.Simulation.Chance;
using Dedup.Simulation.Clients;
using Dedup.Simulation.Faults;
using Dedup.Simulation.Worlds;
using Dedup.Topology.Ports;

namespace Dedup.Simulation.Disk;

/// <summary>Opens the stores of an instance's state directory.</summary>
public sealed class ModelStoreFactory : IStoreFactory
{
    private readonly ClientEnvironment _env;
    private readonly ModelDisk _disk;
    private readonly int _capacity;
    private readonly Rng _chance;

    /// <summary>Makes a factory over a disk; capacity is the size of a recent table in IDs.</summary>
    public ModelStoreFactory(ClientEnvironment env, ModelDisk disk, int capacity, Rng chance)
    {
        _env = env;
        _disk = disk;
        _capacity = capacity;
        _chance = chance;
    }

    /// <inheritdoc/>
    public StoreOpening Open(int partition)
    {
        _env.Enter(Point.StoreOpen, partition);
        if (_env.Faults.Happens(FaultKind.DiskFull))
        {
            throw new StoreFailedException($"partition {partition}: no space left on device");
        }

        if (!_disk.Stores.TryGetValue(partition, out StoreFiles? files))
        {
            _disk.Stores[partition] = files = new StoreFiles();
        }

        if (files.Holder is not null || _env.Faults.Happens(FaultKind.DiskLocked))
        {
            _env.Actor.SleepUntilMs = _env.World.NowMs + 5;
            return new StoreOpening(StoreOpenStatus.Locked, null, "LOCK is held");
        }

        if (_env.Faults.Happens(FaultKind.DiskCorrupt))
        {
            files.IsCorrupt = true;
        }

        if (files.IsCorrupt)
        {
            return new StoreOpening(
                StoreOpenStatus.Corrupt,
                null,
                "Corruption: block checksum mismatch"
            );
        }

        var store = new ModelStore(_env, _disk, files, partition, _capacity, _chance);
        files.Holder = store;
        return new StoreOpening(StoreOpenStatus.Opened, store, null);
    }

    /// <inheritdoc/>
    public void SetAside(int partition, string why)
    {
        _env.Enter(Point.StoreSetAside, partition);
        if (_disk.Stores.TryGetValue(partition, out StoreFiles? files) && files.Holder is not null)
        {
            return;
        }

        _disk.Stores.Remove(partition);
        _disk.SetAside++;
    }
}
