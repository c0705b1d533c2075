using System.Collections.Immutable;
using Dedup.Contracts.Changelog;
using Dedup.RocksDb;
using Dedup.Simulation.Chance;
using Dedup.Simulation.Clients;
using Dedup.Simulation.Faults;
using Dedup.Simulation.Worlds;
using Dedup.Topology.Ports;

namespace Dedup.Simulation.Disk;

/// <summary>
/// The product's store, with the doors of a port before each call, a small recent table, and a worker that goes on when the
/// simulation's clock says so.
/// </summary>
internal sealed class RealStore(
    ClientEnvironment env,
    RealDisk disk,
    RocksStore inner,
    StoreBudget budget,
    WorkerGate gate,
    RealStoreOptions options
) : IFirstSeenStore
{
    private int _rows;
    private bool _isSealing;
    private bool _isScheduled;
    private bool _isClosed;

    public int Partition => options.Partition;

    public StoreHeader? Header => inner.Header;

    public long Count => inner.Count;

    public long MemoryBytes => inner.MemoryBytes;

    // The budget's bound is a thousand IDs at least, more than most runs have.
    public bool WantsSeal => !_isSealing && _rows >= options.Capacity;

    public bool IsFull => _isSealing && _rows >= options.Capacity;

    public ImmutableArray<BucketId> Buckets => inner.Buckets;

    public void Find(ReadOnlySpan<StoreProbe> probes, Span<StoreHit> hits)
    {
        Enter(Point.StoreFind, probes.Length);
        inner.Find(probes, hits);
    }

    public void Add(ReadOnlySpan<NewEntry> entries)
    {
        Enter(Point.StoreAdd, entries.Length);
        if (IsFull)
        {
            throw new InvalidOperationException("added to a full store");
        }

        inner.Add(entries);
        _rows += entries.Length;
        env.Leave();
    }

    public void BeginSeal(StoreHeader header)
    {
        Enter(Point.StoreBeginSeal, header.Marker.InputOffset, header.Floor);
        inner.BeginSeal(header);
        _rows = 0;
        _isSealing = true;
        Schedule();
    }

    public void Step()
    {
        env.Actor.ThrowIfDead();
        ThrowIfFull();
        inner.Step();
    }

    public void WaitForSeal()
    {
        Enter(Point.StoreStep);
        while (_isSealing)
        {
            LetOn();
            env.Leave();
        }

        inner.WaitForSeal();
    }

    public void DropBuckets(ReadOnlySpan<BucketId> buckets)
    {
        foreach (BucketId bucket in buckets)
        {
            Enter(Point.StoreDropBuckets, bucket.Class, bucket.Index);
            inner.DropBuckets([bucket]);
            Schedule();
            env.Leave();
        }
    }

    public void Close(StoreHeader? header)
    {
        Enter(Point.StoreClose, header?.Marker.InputOffset ?? -1, header?.Floor ?? -1);
        if (header is not null && options.Chance.OneIn(2))
        {
            // Step by step, so that the process can die in between.
            WaitForSeal();
            BeginSeal(header);
            WaitForSeal();
            header = null;
        }

        gate.Open();
        inner.Close(header);
        Forget();
        env.Leave();
    }

    /// <summary>Without a word: what the worker is at stays half done.</summary>
    public void Dispose()
    {
        if (!_isClosed)
        {
            gate.Tear();
            inner.Dispose();
            Forget();
        }
    }

    private void Forget()
    {
        _isClosed = true;
        disk.Forget(this);
        budget.Dispose();
    }

    private void Enter(Point point, long a = 0, long b = 0)
    {
        env.Actor.ThrowIfDead();
        ObjectDisposedException.ThrowIf(_isClosed, this);
        env.Enter(point, (options.Partition * 1000L) + a, b);
        ThrowIfFull();
    }

    private void ThrowIfFull()
    {
        if (env.Faults.Happens(FaultKind.DiskFull))
        {
            throw new StoreFailedException($"partition {Partition}: no space left on device");
        }
    }

    private void LetOn()
    {
        gate.LetOn(IsBusy);
        env.World.Trace.Mix(Point.StoreSealFile, Partition);
        // Behind the last point of a seal its header is written; the drops that wait behind it may not be done.
        _isSealing = IsBusy() && inner.IsSealing;
    }

    private bool IsBusy() => inner.IsBuildingFilters;

    /// <summary>The worker makes its next step some time from now, if its process still lives.</summary>
    private void Schedule()
    {
        if (_isScheduled)
        {
            return;
        }

        _isScheduled = true;
        env.World.After(
            options.Chance.Skewed(200),
            () =>
            {
                _isScheduled = false;
                if (!env.Actor.IsAlive || _isClosed)
                {
                    return;
                }

                if (env.Actor.Process.IsRunning)
                {
                    LetOn();
                }

                if (IsBusy() || _isSealing)
                {
                    Schedule();
                }
            }
        );
    }
}

/// <summary>What a real store in the simulation needs to know.</summary>
/// <param name="Partition">Partition.</param>
/// <param name="Capacity">Size of a recent table in IDs.</param>
/// <param name="Chance">Randomness.</param>
internal sealed record RealStoreOptions(int Partition, int Capacity, Rng Chance);
