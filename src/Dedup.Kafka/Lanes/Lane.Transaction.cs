using System.Runtime.InteropServices;
using Dedup.Contracts.Changelog;
using Dedup.Contracts.Identity;
using Dedup.Kafka.Tasks;
using Dedup.Topology.Ports;
using Dedup.Topology.Proof;

namespace Dedup.Kafka.Lanes;

/// <content>
/// Begin, commit, abort, and the error ladder: retriable → the same call again; abortable → abort, rewind, drop the overlay;
/// refused → the same, then narrow down; fenced, fatal, unknown → rebuild.
/// </content>
public sealed partial class Lane
{
    private bool EnsureOpen()
    {
        if (_isOpen)
        {
            return true;
        }

        TxResult result = _ports.Sink.Begin();
        if (!result.IsOk)
        {
            Climb(result, "begin");
            return false;
        }

        _isOpen = true;
        _openRecords = 0;
        _openBytes = 0;
        _openSinceMs = NowMs();
        _emptySinceMs = -1;
        _ports.CrashPoints.Reached(CrashPoints.AfterBegin);
        return true;
    }

    private void Touch(PartitionTask task)
    {
        if (!task.IsTouched)
        {
            task.IsTouched = true;
            _touched.Add(task);
        }
    }

    /// <summary>
    /// A partition's part in the transaction begins. Where its records go to many partitions, with its last marker once more:
    /// it names this lane in the changelog before anything else is sent, so that whoever takes over finds there, and ends,
    /// what this lane may leave pending. In a partition of one's own the clean topic itself shows that.
    /// </summary>
    private bool Enter(PartitionTask task)
    {
        if (task.IsTouched)
        {
            return true;
        }

        Touch(task);
        if (!_way.Spreads)
        {
            return true;
        }

        TxResult result = _changelog.WriteOpening(
            task,
            _ports.Sink,
            _ports.Time.GetUtcNow().ToUnixTimeMilliseconds()
        );
        if (result.Outcome == TxOutcome.Refused)
        {
            FailForState(result);
        }
        else if (!result.IsOk)
        {
            Climb(result, "begin");
        }

        return result.IsOk;
    }

    /// <summary>A record of our own is refused: no input record is to blame, and none must go to quarantine for it.</summary>
    private void FailForState(TxResult result) =>
        Fail(
            $"{_spec.Name}: {_spec.Changelog} refuses the state itself: {result.Detail}; run dedup check."
        );

    /// <summary>The interval is a ceiling, not a rhythm: drained input commits at once.</summary>
    private bool IsTimeToCommit(int polled)
    {
        if (_openRecords == 0)
        {
            // Nothing but claims: readers of the partition wait for them.
            return true;
        }

        long now = NowMs();
        if (now - _openSinceMs >= _options.CommitIntervalMs || _openBytes >= _options.MaxBytes)
        {
            return true;
        }

        if (polled > 0)
        {
            _emptySinceMs = -1;
            return false;
        }

        if (_emptySinceMs < 0)
        {
            _emptySinceMs = now;
        }

        return IsAtKnownEnd() || now - _emptySinceMs >= _options.DrainLingerMs;
    }

    private bool IsAtKnownEnd()
    {
        foreach (PartitionTask task in _touched)
        {
            long end = _ports.Source.KnownEnd(task.Partition);
            if (end < 0 || task.NextOffset < end)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Commits what is open; true when it is committed.</summary>
    private bool CommitOpen()
    {
        if (!_isOpen)
        {
            return true;
        }

        long begun = NowMs();
        TxResult result = WriteChangelog();
        if (result.Outcome == TxOutcome.Refused)
        {
            FailForState(result);
            return false;
        }

        if (result.IsOk)
        {
            result = SendOffsets();
        }

        if (Planted.Is(PlantedBug.StoreBeforeCommit))
        {
            _touched.ForEach(static task => task.Store!.Add(task.Judge.Overlay.Entries));
        }

        if (result.IsOk)
        {
            _ports.CrashPoints.Reached(CrashPoints.AfterOffsets);
            result = Repeat(static lane => lane._ports.Sink.Commit(lane._options.BrokerTimeoutMs));
        }

        bool isUnknown = result.Outcome == TxOutcome.Unknown;
        if (!result.IsOk && !(isUnknown && Planted.Is(PlantedBug.UnknownIsSuccess)))
        {
            Climb(result, "commit");
            return false;
        }

        _ports.CrashPoints.Reached(CrashPoints.AfterCommit);
        AfterCommit(begun);
        return true;
    }

    private TxResult WriteChangelog()
    {
        _ports.CrashPoints.Reached(CrashPoints.BeforeChangelog);
        long now = _ports.Time.GetUtcNow().ToUnixTimeMilliseconds();
        bool buried = false;
        foreach (PartitionTask task in _touched)
        {
            ReadFloorIfWanted(task);
            TxResult result = _changelog.Write(
                task,
                _ports.Sink.TransactionalId,
                _ports.Sink,
                now,
                out Marker pending,
                out int tombstones
            );
            if (!result.IsOk)
            {
                return result;
            }

            task.PendingMarker = pending;
            buried |= tombstones > 0;
        }

        if (buried)
        {
            _ports.CrashPoints.Reached(CrashPoints.AfterTombstones);
        }

        _ports.CrashPoints.Reached(CrashPoints.AfterChangelog);
        return TxResult.Ok;
    }

    /// <summary>See <see cref="PartitionTask.FloorCandidate"/> for why it is read before the commit.</summary>
    private void ReadFloorIfWanted(PartitionTask task)
    {
        if (task.FloorCandidate is null && task.Store is { WantsSeal: true })
        {
            BoundsLookup bounds = _ports.Changelog.Bounds(task.Partition, _options.LookupTimeoutMs);
            task.FloorCandidate = bounds.Status == LookupStatus.Found ? bounds.Bounds.High : null;
        }
    }

    private TxResult SendOffsets()
    {
        _offsets.Clear();
        foreach (PartitionTask task in _touched)
        {
            _offsets.Add(new PartitionOffset(task.Partition, task.NextOffset));
        }

        return Repeat(static lane =>
        {
            GroupMembership membership = lane._ports.Source.Membership;
            return lane.MayCommitAs(membership)
                ? lane._ports.Sink.SendOffsets(
                    CollectionsMarshal.AsSpan(lane._offsets),
                    membership,
                    lane._options.BrokerTimeoutMs
                )
                : new TxResult(
                    TxOutcome.Abortable,
                    Reason.None,
                    "this member is no longer in the group, or not under the name that it holds its partitions under"
                );
        });
    }

    /// <summary>The same call again while it is retriable, within a bound; then nobody knows.</summary>
    private TxResult Repeat(Func<Lane, TxResult> call)
    {
        TxResult result = call(this);
        for (int i = 0; i < _options.MaxRetries && result.Outcome == TxOutcome.Retriable; i++)
        {
            _ports.Observer.Trouble($"the transaction waits for the broker: {result.Detail}");
            result = call(this);
        }

        return result.Outcome == TxOutcome.Retriable
            ? result with
            {
                Outcome = TxOutcome.Unknown,
            }
            : result;
    }

    private void AfterCommit(long begunMs)
    {
        int records = _openRecords;
        long openMs = begunMs - _openSinceMs;
        _isOpen = false;
        foreach (PartitionTask task in _touched)
        {
            Widen(task);
            task.Commit();
            _refusals.ForgetBelow(task.Partition, task.CommittedOffset);
            if (task.State == TaskState.Restoring)
            {
                Activate(task);
            }
        }

        _touched.Clear();
        _ports.CrashPoints.Reached(CrashPoints.AfterStore);
        _ports.Observer.Committed(records, openMs, NowMs() - begunMs);
    }

    /// <summary>What an outcome that is not Ok asks for.</summary>
    private void Climb(TxResult result, string call)
    {
        if (State == LaneState.Stopping)
        {
            // What is open was not committed; the next owner judges it again. Nothing more is owed than to release readers.
            _ = _ports.Sink.Abort(_options.BrokerTimeoutMs);
            Rewind();
            return;
        }

        switch (result.Outcome)
        {
            case TxOutcome.Refused:
            case TxOutcome.Abortable
                when result.Refusal != Reason.None && !Planted.Is(PlantedBug.RefusedIsAbortable):
                NarrowDown(result);
                break;
            case TxOutcome.Abortable or TxOutcome.Retriable:
                _ = Abort($"{call}: {result.Detail}");
                break;
            case TxOutcome.Unknown when Planted.Is(PlantedBug.UnknownIsFailure):
            case TxOutcome.Fenced when Planted.Is(PlantedBug.FencedWithoutCatchUp):
                _ports.Sink.Renew();
                _ = _ports.Sink.Initialise(_options.BrokerTimeoutMs);
                Rewind();
                break;
            case TxOutcome.Misconfigured:
                Fail($"{_spec.Name}: {call}: {result.Detail}.");
                break;
            default:
                BeginRebuild($"{call}: {result.Outcome}: {result.Detail}");
                break;
        }
    }

    /// <summary>Aborts what is open and rewinds; false when the producer has to be made anew instead.</summary>
    private bool Abort(string why)
    {
        TransitionTo(LaneState.Aborting, why);
        _ports.CrashPoints.Reached(CrashPoints.BeforeAbort);
        TxResult result = Repeat(static lane =>
            lane._ports.Sink.Abort(lane._options.BrokerTimeoutMs)
        );
        if (!result.IsOk)
        {
            BeginRebuild($"abort: {result.Detail}");
            return false;
        }

        _ports.CrashPoints.Reached(CrashPoints.AfterAbort);
        Rewind();
        TransitionTo(LaneState.Running, "aborted and rewound");
        return true;
    }

    /// <summary>
    /// Back to what was committed, for every partition: of the batch at hand nothing more is processed, so that partitions
    /// without a record in the transaction have to be fetched again as well.
    /// </summary>
    private void Rewind()
    {
        _isOpen = false;
        _rewinds++;
        foreach (PartitionTask task in _touched)
        {
            task.Abort();
        }

        _touched.Clear();
        SeekActive();
    }

    private void SeekActive()
    {
        foreach (PartitionTask task in _taskList)
        {
            if (task.State == TaskState.Active && !Planted.Is(PlantedBug.NoRewindAfterAbort))
            {
                _ports.Source.Seek(task.Partition, task.NextOffset);
            }
        }
    }

    private void BeginRebuild(string why)
    {
        DropOpen();
        foreach (PartitionTask task in _taskList)
        {
            if (task.State == TaskState.Active)
            {
                _ports.Source.Pause([task.Partition]);
            }
        }

        _renewFirst = true;
        TransitionTo(LaneState.Rebuilding, why);
    }

    /// <summary>Nothing of what is open counts any more, whatever becomes of it at the broker.</summary>
    private void DropOpen()
    {
        _isOpen = false;
        _rewinds++;
        _touched.Clear();
        foreach (PartitionTask task in _taskList)
        {
            task.Abort();
        }
    }

    private long NowMs() => (long)_ports.Time.GetElapsedTime(0).TotalMilliseconds;
}
