using Dedup.Contracts.Changelog;
using Dedup.Contracts.Identity;
using Dedup.Simulation.Broker;
using Dedup.Simulation.Disk;
using Dedup.Simulation.Runs;
using Dedup.Topology.Windows;

namespace Dedup.Simulation.Checkers;

/// <summary>
/// I5 from outside: what lies on disk, together with a replay from the floor that it names, is what a replay of the whole
/// changelog gives; and nothing is on disk that was never committed.
/// </summary>
public sealed class StoreChecker
{
    private readonly SimulatedRun _simulation;
    private readonly int _partition;
    private readonly List<(
        long Offset,
        BucketId Bucket,
        EventKey Key,
        SeenEntry Entry
    )> _committed = [];
    private readonly List<(EventKey Key, SeenEntry Entry)> _sent = [];
    private Marker? _last;

    /// <summary>Reads the changelog of a partition.</summary>
    public StoreChecker(SimulatedRun simulation, int partition)
    {
        _simulation = simulation;
        _partition = partition;
        // A double's disk may hold a partition that was added to the input only.
        foreach (LogEntry entry in Log?.Archive ?? [])
        {
            if (entry.Kind == EntryKind.Data)
            {
                Read(entry, IsCommitted(entry));
            }
        }
    }

    private ModelLog? Log =>
        _simulation.Cluster.Log(_simulation.Scenario.Spec.Changelog, _partition);

    /// <summary>Checks what a store left on disk.</summary>
    public void Check(IStoreEvidence store, string when)
    {
        bool isForeign =
            store.Header is { } header
            && header.Marker.RecipeVersion != _simulation.Identity.RecipeVersion;
        if (isForeign)
        {
            return;
        }

        var known = new HashSet<(EventKey, SeenEntry)>();
        foreach ((long _, BucketId _, EventKey key, SeenEntry entry) in _committed)
        {
            known.Add((key, entry));
        }

        foreach ((EventKey key, SeenEntry entry) in store.Entries(_sent))
        {
            if (!known.Contains((key, entry)))
            {
                throw Broken(
                    when,
                    $"it holds {key} of input offset {entry.SourceOffset}, which was never committed"
                );
            }
        }

        if (store.Header is not null)
        {
            CheckReplay(store, store.Header.Floor, when);
        }
    }

    /// <summary>What compaction has left is enough for a restore from nothing.</summary>
    public void CheckCompacted()
    {
        var left = new HashSet<(EventKey, SeenEntry)>();
        foreach (LogEntry entry in Log!.Entries)
        {
            if (
                entry.IsVisible
                && entry.Record!.Value is not null
                && ChunkKey.TryRead(entry.Record.Key, out _)
            )
            {
                var reader = new ChunkReader(entry.Record.Value);
                while (reader.TryNext(out EventKey key, out SeenEntry seen))
                {
                    left.Add((key, seen));
                }
            }
        }

        foreach ((long offset, BucketId bucket, EventKey key, SeenEntry entry) in _committed)
        {
            if (IsLive(bucket, entry) && !left.Contains((key, entry)))
            {
                throw Broken(
                    "after compaction",
                    $"the chunk at {offset} of bucket {bucket} with the live ID of input offset {entry.SourceOffset} is gone from the changelog"
                );
            }
        }
    }

    private void CheckReplay(IStoreEvidence store, long floor, string when)
    {
        foreach ((long offset, BucketId bucket, EventKey key, SeenEntry entry) in _committed)
        {
            if (offset >= floor || !IsLive(bucket, entry))
            {
                continue;
            }

            if (!store.Holds(bucket, key, entry))
            {
                throw Broken(
                    when,
                    $"floor {floor}: the live ID of input offset {entry.SourceOffset}, changelog offset {offset}, bucket {bucket} is not on disk"
                );
            }
        }
    }

    private bool IsLive(BucketId bucket, SeenEntry entry)
    {
        long clockMs =
            _last is null || _last.Classes.Length <= bucket.Class
                ? -1
                : _last.Classes[bucket.Class].ClockMs;
        return clockMs
            <= entry.SeenMs + _simulation.Scenario.Spec.Windows[bucket.Class].RetentionMs;
    }

    private void Read(LogEntry entry, bool isCommitted)
    {
        if (MarkerCodec.IsMarkerKey(entry.Record!.Key))
        {
            _last = isCommitted ? MarkerCodec.TryRead(entry.Record.Value) : _last;
        }
        else if (
            entry.Record.Value is not null
            && ChunkKey.TryRead(entry.Record.Key, out ChunkKey key)
        )
        {
            var reader = new ChunkReader(entry.Record.Value);
            while (reader.TryNext(out EventKey id, out SeenEntry seen))
            {
                _sent.Add((id, seen));
                if (isCommitted)
                {
                    _committed.Add((entry.Offset, key.Bucket, id, seen));
                }
            }
        }
    }

    /// <summary>Decided counts as committed: it will be, whatever comes, and the lane may know before the marker is in the log.</summary>
    private bool IsCommitted(LogEntry entry)
    {
        if (entry.State != EntryState.Open)
        {
            return entry.State == EntryState.Committed;
        }

        return entry.Writer is not null
            && _simulation.Cluster.Transactions.Entries.TryGetValue(
                entry.Writer,
                out TransactionEntry? transaction
            )
            && transaction.ProducerId == entry.ProducerId
            && transaction.State == TransactionState.PrepareCommit;
    }

    private ViolationException Broken(string when, string what) =>
        new(new Violation("I5", $"store {_partition} {when}: {what}"));
}
