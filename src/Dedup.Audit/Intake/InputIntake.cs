using Dedup.Audit.Contents;
using Dedup.Audit.Judging;
using Dedup.Audit.Side;
using Dedup.Audit.Spill;
using Dedup.Contracts.Identity;
using Dedup.Topology.Identify;
using Dedup.Topology.Records;

namespace Dedup.Audit.Intake;

/// <summary>
/// Takes in the records of one input partition, in order: names and hashes each, moves the window clocks, notes what the
/// side topics hold of it and what cannot be known, and files it by ID.
/// </summary>
/// <remarks>Hot path: no allocation per record.</remarks>
internal sealed class InputIntake(
    PartitionScope scope,
    AuditRules rules,
    string inputTopic,
    SipHash hash,
    long latestMs,
    SideCursor? quarantine,
    SideCursor? duplicates,
    BucketStore<InputEntry> store
)
{
    private readonly EventReader _reader = new(rules, hash);
    private readonly StandardHeaders? _standard =
        (rules.Headers & AuditHeaders.Standard) != 0
            ? new StandardHeaders(rules, inputTopic)
            : null;
    private readonly int _mask = store.Buckets - 1;
    private readonly long _maxFutureMs = rules.EffectiveMaxFutureMs;
    private long[] _clocks = [long.MinValue];
    private bool[] _clockIsUnsure = [false];
    private long _nextOffset = scope.InputStart;
    private long _doubtUntilMs = long.MinValue;
    private bool _hasFirst;
    private InputEntry _leap;
    private bool _hasLeap;
    private uint _leapPosition;
    private long _beforeLeapMs;
    private long _outlierMs = long.MinValue;
    private bool _hasGap;

    /// <summary>Records taken in.</summary>
    public long Read { get; private set; }

    /// <summary>Of those, audited.</summary>
    public long Audited { get; private set; }

    /// <summary>Clocks by class as they stand; long.MinValue before the first record of a class.</summary>
    public ReadOnlySpan<long> Clocks => _clocks;

    /// <summary>Records up to that time may repeat one that was deleted; long.MinValue when none was.</summary>
    public long DoubtUntilMs => scope.InputHistoryDeleted ? _doubtUntilMs : long.MinValue;

    private bool IsById => scope.Whole is not null;

    /// <summary>Takes a batch in and releases it.</summary>
    public void Take(RecordBatch batch)
    {
        for (int i = 0; i < batch.Count; i++)
        {
            batch.Get(i, out RecordView record);
            Take(record);
        }

        batch.Release();
    }

    /// <summary>The audited range has been read: what the side topics hold beyond that names nothing.</summary>
    public void EndOfAudited()
    {
        quarantine?.SkipTo(scope.InputEnd);
        duplicates?.SkipTo(scope.InputEnd);
    }

    /// <summary>
    /// Nothing follows: a leap at the end may be one of the stream or of one record. One that is known to have been judged has
    /// moved no clock that matters.
    /// </summary>
    public void Finish() =>
        SettleLeap(isOutlier: quarantine is null || !_leap.Has(InputMarks.Enforced));

    private void Take(in RecordView record)
    {
        var entry = new InputEntry { Position = scope.InputPosition(record.Offset) };
        ulong own = RecordContents.HashHeaders(record, record.Batch.HeaderCount(record.Index));
        entry.Contents = RecordContents.WithoutHeaders(record);
        entry.Contents.Headers = RecordContents.Fold(own);
        _reader.Read(record, out EventReading reading);
        entry.Reason = reading.Reason;
        entry.TimeMs = reading.TimeMs;
        entry.Class = reading.Identified.Class;
        entry.BucketMs = (int)reading.Identified.BucketMs;
        entry.Fingerprint = EventReader.Fold(reading.Identified.Fingerprint);
        bool audited = record.Offset < scope.InputEnd;
        entry.Marks = audited ? InputMarks.None : InputMarks.Tail;
        entry.Marks |= rules.Mode.IsEnforced(reading.Identified.PercentHash)
            ? InputMarks.Enforced
            : InputMarks.None;
        _hasGap |= record.Offset != _nextOffset;
        _nextOffset = record.Offset + 1;
        LookAside(record.Offset, audited, ref entry);
        if (_standard is not null)
        {
            // From here on its contents are those that it has on clean.
            entry.Contents.Headers = RecordContents.Fold(
                _standard.AddTo(own, record, reading, _reader.Scratch)
            );
        }

        entry.Id = EventReader.NameOf(reading, entry.Contents);
        Time(ref entry);
        if (scope.InputCompacted && _hasGap)
        {
            entry.Marks |= InputMarks.HistoryCompacted;
        }

        Read++;
        Audited += audited ? 1 : 0;
        if (_hasLeap && _leapPosition == entry.Position)
        {
            // Held back until the next judged record shows what kind of leap it was.
            _leap = entry;
        }
        else
        {
            store.Add(BucketOf(entry.Id, _mask), entry);
        }
    }

    /// <summary>The bucket of an ID.</summary>
    public static int BucketOf(in EventKey id, int mask) => (int)(id.High >> 40) & mask;

    private void LookAside(long offset, bool audited, ref InputEntry entry)
    {
        if (
            quarantine is not null
            && quarantine.TryTake(offset, entry.Contents, audited, out SideEntry held)
        )
        {
            entry.Marks |= InputMarks.InQuarantine;
            entry.Quarantined = held.Reason;
            if (entry.TimeMs > held.OwnTimestampMs + rules.MaxFutureOf(entry.Class))
            {
                entry.Marks |= InputMarks.TooFarConfirmed;
            }
        }

        if (
            duplicates is not null
            && duplicates.TryTake(offset, entry.Contents, audited, out SideEntry repeat)
        )
        {
            entry.Marks |= InputMarks.InDuplicates;
            entry.FirstPosition =
                repeat.FirstOffset < 0
                    ? 0
                    : scope.FirstPosition(repeat.FirstPartition, repeat.FirstOffset);
        }
    }

    /// <summary>Moves the clock of the record's class, unless the record is one that is not judged.</summary>
    private void Time(ref InputEntry entry)
    {
        if (entry.Class >= _clocks.Length)
        {
            int before = _clocks.Length;
            Array.Resize(ref _clocks, entry.Class + 1);
            Array.Resize(ref _clockIsUnsure, entry.Class + 1);
            _clocks.AsSpan(before).Fill(long.MinValue);
        }

        ref long clock = ref _clocks[entry.Class];
        bool judged = entry.Has(InputMarks.InQuarantine)
            ? entry.Quarantined is Reason.Late or Reason.Conflict or Reason.OverQuota
            : !EventJudge.IsInvalid(entry, latestMs) && rules.Mode.Kind != AuditModeKind.Off;
        long t = entry.TimeMs;
        bool isRefused = IsById && !judged && WasRefused(entry);
        if (isRefused)
        {
            // The first hop stamped its clock before the second one was refused; or it was refused itself.
            _clockIsUnsure[entry.Class] |= t > clock;
            clock = Math.Max(clock, t);
        }

        if (judged)
        {
            Doubt(ref entry, clock);
            DoubtClock(ref entry, clock);
            clock = Math.Max(clock, t);
            if (!_hasFirst)
            {
                // Deleted records may have moved the clock up to a grace beyond the first that is left (else that would be
                // late), and what they made known repeats up to a window further.
                AuditWindow window = rules.WindowOf(entry.Class);
                _doubtUntilMs = t + window.WindowMs + window.GraceMs;
                _hasFirst = true;
            }
        }

        if (scope.InputHistoryDeleted && t <= _doubtUntilMs)
        {
            entry.Marks |= InputMarks.HistoryDeleted;
        }

        entry.ClockMs = clock == long.MinValue ? t : clock;
    }

    private bool WasRefused(in InputEntry entry) =>
        entry.Has(InputMarks.InQuarantine)
        && entry.Quarantined is Reason.RefusedTooLarge or Reason.RefusedTimestamp or Reason.Refused
        && !EventJudge.IsInvalid(entry, latestMs);

    /// <summary>
    /// A record that the mode forwards may have been refused for what cannot be seen from outside, and then it moved no clock;
    /// which one was moved is known again with the next record that is enforced and not behind.
    /// </summary>
    private void DoubtClock(ref InputEntry entry, long clockMs)
    {
        if (!rules.HasHiddenReasons && !IsById)
        {
            return;
        }

        ref bool isUnsure = ref _clockIsUnsure[entry.Class];
        if (entry.TimeMs > clockMs)
        {
            isUnsure = rules.HasHiddenReasons && !entry.Has(InputMarks.Enforced);
        }
        else if (entry.TimeMs == clockMs && entry.Has(InputMarks.Enforced))
        {
            isUnsure = false;
        }

        entry.Marks |= isUnsure ? InputMarks.ClockUnsure : InputMarks.None;
    }

    /// <summary>
    /// Without a quarantine topic, or where the mode forwards, or of the first hop of by-id, nobody can tell whether a record that leaps ahead by more than max-future was refused for
    /// it, and so whether it moved the clock. When the next record goes on from there, the stream leapt (a quiet night). When
    /// it falls back, the record is an outlier, and everything until the stream has caught up with it is in doubt.
    /// </summary>
    private void Doubt(ref InputEntry entry, long clockMs)
    {
        if (quarantine is not null && rules.Mode.Kind == AuditModeKind.Enforce && !IsById)
        {
            return;
        }

        long t = entry.TimeMs;
        if (_hasLeap)
        {
            SettleLeap(isOutlier: t <= _beforeLeapMs + _maxFutureMs);
        }

        if (t >= _outlierMs)
        {
            _outlierMs = long.MinValue;
        }
        else
        {
            entry.Marks |= InputMarks.MaybeTooFar;
        }

        // The first of all is measured against the wall clock of the audit.
        long before = clockMs == long.MinValue ? latestMs - _maxFutureMs - _maxFutureMs : clockMs;
        bool isSettled = quarantine is not null && entry.Has(InputMarks.Enforced) && !IsById;
        if (t > before + _maxFutureMs && !isSettled)
        {
            _leapPosition = entry.Position;
            _beforeLeapMs = before;
            _hasLeap = true;
        }
    }

    private void SettleLeap(bool isOutlier)
    {
        if (!_hasLeap)
        {
            return;
        }

        _hasLeap = false;
        if (isOutlier)
        {
            _leap.Marks |= InputMarks.MaybeTooFar;
            _outlierMs = Math.Max(_outlierMs, _leap.TimeMs);
        }

        store.Add(BucketOf(_leap.Id, _mask), _leap);
    }
}
