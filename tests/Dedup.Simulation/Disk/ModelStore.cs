using System.Collections.Immutable;
using Dedup.Contracts.Changelog;
using Dedup.Contracts.Identity;
using Dedup.Simulation.Chance;
using Dedup.Simulation.Clients;
using Dedup.Simulation.Faults;
using Dedup.Simulation.Worlds;
using Dedup.Topology.Ports;
using Dedup.Topology.Proof;

namespace Dedup.Simulation.Disk;

/// <summary>
/// A first-seen store over a model disk. A seal goes on while the lane does: one bucket after the other, the header last,
/// each a moment at which the process may die.
/// </summary>
public sealed class ModelStore : IFirstSeenStore
{
    private readonly ClientEnvironment _env;
    private readonly ModelDisk _disk;
    private readonly StoreFiles _files;
    private readonly int _partition;
    private readonly int _capacity;
    private readonly Rng _chance;
    private readonly SortedDictionary<BucketId, SeenEntry> _standing = [];
    private SortedDictionary<BucketId, Dictionary<EventKey, SeenEntry>> _recent = [];
    private SortedDictionary<BucketId, Dictionary<EventKey, SeenEntry>>? _sealed;
    private Queue<BucketId> _toIngest = new();
    private StoreHeader? _sealHeader;
    private int _recentCount;
    private bool _isClosed;

    internal ModelStore(
        ClientEnvironment env,
        ModelDisk disk,
        StoreFiles files,
        int partition,
        int capacity,
        Rng chance
    )
    {
        _env = env;
        _disk = disk;
        _files = files;
        _partition = partition;
        _capacity = capacity;
        _chance = chance;
        Header = files.Header;
    }

    /// <inheritdoc/>
    public StoreHeader? Header { get; private set; }

    /// <inheritdoc/>
    public long Count
    {
        get
        {
            long count = _recentCount;
            foreach (Dictionary<EventKey, SeenEntry> bucket in _files.Buckets.Values)
            {
                count += bucket.Count;
            }

            return count;
        }
    }

    /// <inheritdoc/>
    public long MemoryBytes => _recentCount * 64L;

    /// <inheritdoc/>
    public bool WantsSeal => _sealed is null && _recentCount >= _capacity;

    /// <inheritdoc/>
    public bool IsFull => _sealed is not null && _recentCount >= _capacity;

    /// <inheritdoc/>
    public ImmutableArray<BucketId> Buckets
    {
        get
        {
            SortedSet<BucketId> buckets = [.. _files.Buckets.Keys, .. _recent.Keys];
            buckets.UnionWith(_sealed is null ? [] : _sealed.Keys);
            return [.. buckets];
        }
    }

    /// <inheritdoc/>
    public void Find(ReadOnlySpan<StoreProbe> probes, Span<StoreHit> hits)
    {
        Enter(Point.StoreFind, probes.Length);
        ThrowIfDamaged();
        for (int i = 0; i < probes.Length; i++)
        {
            _standing.Clear();
            Search(_recent, probes[i]);
            if (_sealed is not null && !Planted.Is(PlantedBug.SealedForgottenEarly))
            {
                Search(_sealed, probes[i]);
            }

            if (!Planted.Is(PlantedBug.FilterFalseNegative) || probes[i].Key.Low % 5 != 0)
            {
                Search(_files.Buckets, probes[i]);
            }

            hits[i] = Latest(probes[i]);
        }
    }

    /// <inheritdoc/>
    public void Add(ReadOnlySpan<NewEntry> entries)
    {
        Enter(Point.StoreAdd, entries.Length);
        ThrowIfDamaged();
        if (IsFull)
        {
            throw new InvalidOperationException("added to a full store");
        }

        foreach (ref readonly NewEntry entry in entries)
        {
            StoreFiles.Put(_recent, entry.Bucket, entry.Key, entry.Entry);
        }

        Recount();
        _env.Leave();
    }

    /// <inheritdoc/>
    public void BeginSeal(StoreHeader header)
    {
        Enter(Point.StoreBeginSeal, header.Marker.InputOffset, header.Floor);
        if (_sealed is not null)
        {
            throw new InvalidOperationException("a seal is under way");
        }

        _sealed = _recent;
        _recent = [];
        Recount();
        ThrowIfTooMany();
        _sealHeader = header;
        _toIngest = new Queue<BucketId>(_sealed.Keys);
        ScheduleSeal();
    }

    /// <inheritdoc/>
    public void Step()
    {
        _env.Actor.ThrowIfDead();
        ThrowIfClosed();
        ThrowIfFull();
        Publish();
    }

    /// <inheritdoc/>
    public void WaitForSeal()
    {
        Enter(Point.StoreStep);
        while (_sealed is not null && !IsSealed)
        {
            IngestNext();
            _env.Leave();
        }

        Publish();
    }

    /// <inheritdoc/>
    public void DropBuckets(ReadOnlySpan<BucketId> buckets)
    {
        foreach (BucketId bucket in buckets)
        {
            Enter(Point.StoreDropBuckets, bucket.Class, bucket.Index);
            _files.Buckets.Remove(bucket);
            _recent.Remove(bucket);
            _sealed?.Remove(bucket);
            _env.Leave();
        }

        Recount();
    }

    /// <inheritdoc/>
    public void Close(StoreHeader? header)
    {
        Enter(Point.StoreClose, header?.Marker.InputOffset ?? -1, header?.Floor ?? -1);
        while (_sealed is not null)
        {
            WaitForSeal();
        }

        if (header is not null)
        {
            BeginSeal(header);
            WaitForSeal();
        }

        _isClosed = true;
        _files.Holder = null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _isClosed = true;
        if (_files.Holder == this)
        {
            _files.Holder = null;
        }
    }

    private void ThrowIfTooMany()
    {
        foreach (IGrouping<int, BucketId> ofClass in Buckets.GroupBy(static b => (int)b.Class))
        {
            if (ofClass.Count() > _disk.MostBuckets)
            {
                throw new InvalidOperationException(
                    $"partition {_partition}: {ofClass.Count()} buckets of class {ofClass.Key} go to disk"
                );
            }
        }
    }

    private bool IsSealed => _sealHeader is null;

    /// <summary>In a bucket the entry with the greatest time stands for the ID, wherever it lies.</summary>
    private void Search(
        SortedDictionary<BucketId, Dictionary<EventKey, SeenEntry>> buckets,
        in StoreProbe probe
    )
    {
        foreach ((BucketId bucket, Dictionary<EventKey, SeenEntry> entries) in buckets)
        {
            if (!entries.TryGetValue(probe.Key, out SeenEntry entry))
            {
                continue;
            }

            if (!_standing.TryGetValue(bucket, out SeenEntry known) || entry.SeenMs > known.SeenMs)
            {
                _standing[bucket] = entry;
            }

            if (Planted.Is(PlantedBug.DiskAnswersFirstBucket))
            {
                return;
            }
        }
    }

    private StoreHit Latest(in StoreProbe probe)
    {
        StoreHit best = default;
        foreach ((BucketId bucket, SeenEntry entry) in _standing)
        {
            if (
                Math.Abs(entry.SeenMs - probe.TimestampMs) <= probe.WindowMs
                && (!best.IsFound || entry.SeenMs > best.Entry.SeenMs)
            )
            {
                best = new StoreHit(entry, bucket.Class, true);
            }
        }

        return best;
    }

    private void Enter(Point point, long a = 0, long b = 0)
    {
        ThrowIfClosed();
        _env.Enter(point, (_partition * 1000L) + a, b);
        ThrowIfFull();
    }

    private void ThrowIfFull()
    {
        if (_env.Faults.Happens(FaultKind.DiskFull))
        {
            throw new StoreFailedException($"partition {_partition}: no space left on device");
        }
    }

    /// <summary>Every store has read its header and some blocks without an error: the others show when they are asked for.</summary>
    private void ThrowIfDamaged()
    {
        if (_files.IsCorrupt || _env.Faults.Happens(FaultKind.DiskBlockCorrupt))
        {
            _files.IsCorrupt = true;
            throw new StoreFailedException(
                $"partition {_partition}: Corruption: block checksum mismatch"
            )
            {
                IsCorruption = true,
                Partition = _partition,
            };
        }
    }

    private void ThrowIfClosed() => ObjectDisposedException.ThrowIf(_isClosed, this);

    private void Recount()
    {
        _recentCount = 0;
        foreach (Dictionary<EventKey, SeenEntry> bucket in _recent.Values)
        {
            _recentCount += bucket.Count;
        }
    }

    /// <summary>The thread behind the seal makes its next step some time from now, if its process still lives.</summary>
    private void ScheduleSeal() =>
        _env.World.After(
            _chance.Skewed(200),
            () =>
            {
                if (_env.Actor.IsAlive && _sealed is not null && !IsSealed && _files.Holder == this)
                {
                    if (_env.Actor.Process.IsRunning)
                    {
                        IngestNext();
                    }

                    ScheduleSeal();
                }
            }
        );

    private void IngestNext()
    {
        if (Planted.Is(PlantedBug.FloorBeforeBuckets))
        {
            _files.Header = _sealHeader;
        }

        if (_toIngest.TryDequeue(out BucketId bucket))
        {
            if (_sealed!.TryGetValue(bucket, out Dictionary<EventKey, SeenEntry>? entries))
            {
                foreach ((EventKey key, SeenEntry entry) in entries)
                {
                    StoreFiles.Put(_files.Buckets, bucket, key, entry);
                }
            }

            _env.World.Trace.Mix(Point.StoreSealFile, _partition, bucket.Index);
            return;
        }

        _files.Header = _sealHeader;
        _sealHeader = null;
        _env.World.Trace.Mix(Point.StoreSealHeader, _partition, _files.Header!.Floor);
        if (_env.World.Trace.On)
        {
            string what =
                $"store {_partition} sealed: input {_files.Header.Marker.InputOffset}, floor {_files.Header.Floor}";
            _env.World.Trace.Line(_env.World.NowMs, _env.Actor.Name, what);
        }
    }

    /// <summary>On the owner's thread: what was sealed is answered from disk from now on.</summary>
    private void Publish()
    {
        if (_sealed is not null && IsSealed)
        {
            _sealed = null;
            Header = _files.Header;
        }
    }
}
