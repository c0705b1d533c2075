using Dedup.Contracts.Changelog;
using Dedup.Contracts.Identity;
using Dedup.Simulation.Broker;
using Dedup.Simulation.Runs;
using Dedup.Simulation.Scenarios;

namespace Dedup.Simulation.Checkers;

/// <summary>
/// Walks through the changelog of a partition, transaction by transaction, judges the input that each marker claims by the
/// reference, and compares everything: offsets, chunks, clocks, counts, and the output topics.
/// </summary>
public sealed class PartitionChecker
{
    private readonly SimulatedRun _simulation;
    private readonly Scenario _scenario;
    private readonly int _partition;
    private readonly List<(long ProducerId, ExpectedTransaction Expected)> _expected = [];
    private readonly Dictionary<string, EventKey> _keys = [];
    private readonly Dictionary<EventKey, string> _ids = [];
    private readonly Dictionary<long, Reason> _tooFar = [];

    /// <summary>Makes a checker.</summary>
    public PartitionChecker(SimulatedRun simulation, int partition)
    {
        _simulation = simulation;
        _scenario = simulation.Scenario;
        _partition = partition;
    }

    private ModelCluster Cluster => _simulation.Cluster;

    private string Where => $"partition {_partition}";

    /// <summary>Checks I1 to I4 for the partition; throws at the first violation.</summary>
    public void Check()
    {
        NoteTooFar();
        WalkChangelog();
        List<ExpectedRecord> quarantined = [];
        OutputChecker.Check(
            Log(_scenario.Spec.Clean),
            [.. _expected.Select(static t => (t.ProducerId, t.Expected.Clean))],
            isQuarantine: false
        );
        OutputChecker.Check(
            Log(_scenario.Spec.Quarantine),
            [
                .. _expected.Select(static t =>
                    (t.ProducerId, t.Expected.Quarantine.ConvertAll(static q => q.Record))
                ),
            ],
            isQuarantine: true
        );
        if (_scenario.Spec.Duplicates is { } duplicates)
        {
            OutputChecker.Check(
                Log(duplicates),
                [.. _expected.Select(static t => (t.ProducerId, t.Expected.Duplicates))],
                isQuarantine: false
            );
        }
    }

    private ModelLog Log(string topic) => Cluster.Log(topic, _partition)!;

    private void WalkChangelog()
    {
        ModelLog input = Log(_scenario.Spec.Input);
        List<CommittedTransaction> transactions = CommittedTransaction.Of(
            Log(_scenario.Spec.Changelog)
        );
        OffsetChange[] commits =
        [
            .. Cluster
                .Group(_scenario.Spec.Group)
                .Offsets.History.Where(change => change.Partition == _partition),
        ];
        var reference = new Reference(_scenario, _partition, WhetherTooFar);
        int next = 0;
        for (int i = 0; i < transactions.Count; i++)
        {
            CommittedTransaction transaction = transactions[i];
            Marker marker = MarkerChecks.Read(transaction, Where);
            CheckOffset(i, transaction, marker, commits);
            var expected = new ExpectedTransaction();
            reference.Mode = _simulation.ModeOf(transaction);
            for (
                ;
                next < input.Archive.Count && input.Archive[next].Offset < marker.InputOffset;
                next++
            )
            {
                if (input.Archive[next].IsVisible)
                {
                    reference.Judge(input.Archive[next], expected);
                }
            }

            MarkerChecks.Check(transaction, marker, reference, Where);
            CheckChunks(transaction, expected);
            _expected.Add((transaction.ProducerId, expected));
        }

        if (commits.Length != transactions.Count)
        {
            throw Broken(
                "I4",
                $"{commits.Length} commits of offsets, but {transactions.Count} transactions in the changelog"
            );
        }
    }

    private void CheckOffset(
        int index,
        CommittedTransaction transaction,
        Marker marker,
        OffsetChange[] commits
    )
    {
        if (index >= commits.Length)
        {
            throw Broken(
                "I4",
                $"the transaction ending at changelog offset {transaction.CommitOffset} (input offset {marker.InputOffset}, {marker.Writer}) committed no offset"
            );
        }

        OffsetChange commit = commits[index];
        if (commit.Offset != marker.InputOffset || commit.ProducerId != transaction.ProducerId)
        {
            throw Broken(
                "I4",
                $"transaction {index}: marker says {marker.InputOffset} (pid {transaction.ProducerId}), the group's offset is {commit.Offset} (pid {commit.ProducerId})"
            );
        }
    }

    private void CheckChunks(CommittedTransaction transaction, ExpectedTransaction expected)
    {
        // First and later occurrences of an ID name the same place, at different times.
        var found =
            new Dictionary<
                (long Offset, long SeenMs),
                (EventKey Key, SeenEntry Entry, BucketId Bucket)
            >();
        foreach (LogEntry entry in transaction.Entries)
        {
            if (
                entry.Record!.Value is null
                || !ChunkKey.TryRead(entry.Record.Key, out ChunkKey key)
            )
            {
                continue;
            }

            var reader = new ChunkReader(entry.Record.Value);
            while (reader.TryNext(out EventKey id, out SeenEntry seen))
            {
                if (!found.TryAdd((seen.SourceOffset, seen.SeenMs), (id, seen, key.Bucket)))
                {
                    throw Broken(
                        "I4",
                        $"offset {seen.SourceOffset} is in the chunks of one transaction twice"
                    );
                }
            }
        }

        foreach (ExpectedEntry entry in expected.Entries)
        {
            if (
                !found.Remove(
                    (entry.SourceOffset, entry.SeenMs),
                    out (EventKey Key, SeenEntry Entry, BucketId Bucket) chunk
                )
            )
            {
                throw Broken(
                    "I4",
                    $"the ID of input offset {entry.SourceOffset} is not in the changelog of its transaction"
                );
            }

            CheckEntry(entry, chunk.Key, chunk.Entry, chunk.Bucket);
        }

        if (found.Count > 0)
        {
            throw Broken(
                "I4",
                $"the changelog holds the ID of input offset {found.Keys.First().Offset}, which is no first occurrence, or of a later one that is none"
            );
        }
    }

    private void CheckEntry(ExpectedEntry expected, EventKey key, SeenEntry entry, BucketId bucket)
    {
        if (entry.SeenMs != expected.SeenMs)
        {
            throw Broken(
                "I4",
                $"input offset {expected.SourceOffset}: seen {entry.SeenMs}, should be {expected.SeenMs}"
            );
        }

        // An ID has one key for the life of the state, and no other ID has it.
        if (!_keys.TryAdd(expected.Id, key) && _keys[expected.Id] != key)
        {
            throw Broken(
                "I1",
                $"ID {expected.Id} is remembered as {key} and as {_keys[expected.Id]}: the hash key changed"
            );
        }

        if (!_ids.TryAdd(key, expected.Id) && _ids[key] != expected.Id)
        {
            throw Broken("I2", $"IDs {expected.Id} and {_ids[key]} are both remembered as {key}");
        }

        long expiryMs =
            expected.SeenMs
            + _scenario.Spec.Windows[expected.Class].WindowMs
            + _scenario.Spec.Windows[expected.Class].GraceMs;
        long width = _scenario.Spec.Windows[expected.Class].BucketWidthMs;
        if (
            bucket.Class != expected.Class
            || bucket.Index * width > expiryMs
            || (bucket.Index + 1) * width <= expiryMs
        )
        {
            throw Broken(
                "I4",
                $"input offset {expected.SourceOffset}: bucket {bucket} does not hold expiry {expiryMs}"
            );
        }
    }

    private void NoteTooFar()
    {
        foreach (LogEntry entry in Log(_scenario.Spec.Quarantine).Archive)
        {
            if (entry.IsVisible && OutputChecker.SourceOf(entry.Record!) is { } source)
            {
                Reason reason = source.Reason switch
                {
                    "timestamp-too-far-in-future" => Reason.TimestampTooFarInFuture,
                    "refused-too-large" => Reason.RefusedTooLarge,
                    _ => Reason.None,
                };
                _tooFar[source.Offset] = reason;
            }
        }
    }

    /// <summary>
    /// Far from every clock that any process had, the answer is certain; in between it depends on when the record was judged,
    /// and what was done is taken. Judged once as too far and once not, and too large where it was sent, it ends as refused.
    /// </summary>
    private Reason WhetherTooFar(LogEntry entry)
    {
        long earliest = Worlds.ModelTime.EpochMs + entry.AppendedMs + _simulation.EarliestClockMs;
        long latest =
            Worlds.ModelTime.EpochMs + _simulation.World.NowMs + _simulation.LatestClockMs;
        int windowClass = Reference.ClassOf(_scenario, entry.Record!.Key);
        long maxFutureMs = _scenario.Spec.MaxFutureMs;
        if (windowClass > 0)
        {
            maxFutureMs = Math.Min(maxFutureMs, _scenario.Spec.Windows[windowClass].WindowMs / 4);
        }

        long timestampMs = Events.TimeOf(_scenario, entry.Record).TimeMs;
        if (timestampMs > latest + maxFutureMs)
        {
            return Reason.TimestampTooFarInFuture;
        }

        return timestampMs > earliest + maxFutureMs
            ? _tooFar.GetValueOrDefault(entry.Offset, Reason.None)
            : Reason.None;
    }

    private ViolationException Broken(string invariant, string what) =>
        new(new Violation(invariant, $"{Where}: {what}"));
}
