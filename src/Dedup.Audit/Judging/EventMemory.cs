using Dedup.Audit.Contents;

namespace Dedup.Audit.Judging;

/// <summary>What a record was found to repeat.</summary>
/// <param name="IsKnown">Whether it repeats something, or may.</param>
/// <param name="IsSure">Whether it does for certain.</param>
/// <param name="IsConflict">Whether the contents differ from what it repeats; where that is not sure, from something that it may repeat.</param>
/// <param name="IsConflictSure">Whether that is certain: something later may be compared with instead.</param>
/// <param name="IsMoveSure">Whether nothing of a later time may be remembered.</param>
/// <param name="IsNamed">Whether what the duplicates topic names is among what it repeats.</param>
/// <param name="Latest">The latest of what it repeats.</param>
internal readonly record struct Repeat(
    bool IsKnown,
    bool IsSure,
    bool IsConflict,
    bool IsConflictSure,
    bool IsMoveSure,
    bool IsNamed,
    Remembered Latest
);

/// <summary>An occurrence that is remembered.</summary>
/// <param name="TimeMs">The time that the window counts from.</param>
/// <param name="Position">Position of the first occurrence.</param>
/// <param name="Class">Window class.</param>
/// <param name="Fingerprint">Fingerprint of the first occurrence.</param>
internal readonly record struct Remembered(
    long TimeMs,
    uint Position,
    ushort Class,
    uint Fingerprint
);

/// <summary>
/// What the pipeline remembers of one event by the definition: its firsts, with <c>refresh</c> its last occurrence, and the
/// range of times in which something may be remembered that nobody can tell.
/// </summary>
/// <remarks>
/// With refresh a later occurrence may take the place of an earlier one, or stand beside it; only of the latest it is certain
/// that it is there. The earlier ones lie within a window of one another, so that their range says all.
/// </remarks>
internal sealed class EventMemory(AuditRules rules)
{
    private readonly List<Remembered> _firsts = [];
    private Remembered? _last;
    private (long From, long To)? _maybe;

    // The one fingerprint of all that may be remembered; 0 where it cannot be told, or there are several.
    private uint _maybeFingerprint;

    public void Clear()
    {
        _firsts.Clear();
        _last = null;
        _maybe = null;
        _maybeFingerprint = 0;
    }

    /// <summary>A first, or a late one that was forwarded.</summary>
    public void AddFirst(in InputEntry record) =>
        _firsts.Add(
            new Remembered(record.TimeMs, record.Position, record.Class, record.Fingerprint)
        );

    /// <summary>The record may be remembered, as a first or as what the window counts from.</summary>
    public void AddMaybe(in InputEntry record) =>
        // A conflict that is a duplicate keeps the content of its first.
        AddMaybe(
            record.TimeMs,
            rules.Conflict == AuditConflictPolicy.Duplicate ? 0 : record.Fingerprint
        );

    private void AddMaybe(long timeMs, uint fingerprint)
    {
        _maybeFingerprint = _maybe is null || _maybeFingerprint == fingerprint ? fingerprint : 0;
        _maybe = _maybe is { } m
            ? (Math.Min(m.From, timeMs), Math.Max(m.To, timeMs))
            : (timeMs, timeMs);
    }

    /// <summary>The window counts from this record on, which repeats <paramref name="latest"/>.</summary>
    public void MoveOn(in InputEntry record, in Remembered latest)
    {
        if (record.BucketMs > 0 || record.TimeMs <= latest.TimeMs)
        {
            return;
        }

        Remembered moved = latest with { TimeMs = record.TimeMs };
        if (_last is not { } last)
        {
            _last = moved;
        }
        else if (moved.TimeMs > last.TimeMs)
        {
            AddMaybe(last.TimeMs, last.Fingerprint);
            _last = moved;
        }
        else
        {
            AddMaybe(moved.TimeMs, moved.Fingerprint);
        }
    }

    /// <summary>Finds what the record repeats: the latest occurrence that counts and is near enough.</summary>
    public Repeat Find(in InputEntry record)
    {
        AuditWindow window = rules.WindowOf(record.Class);
        Remembered? best = null;
        bool named = false;
        for (int i = _firsts.Count - 1; i >= 0; i--)
        {
            Remembered first = _firsts[i];
            if (!Counts(first.TimeMs, record, window))
            {
                if (first.Class == record.Class)
                {
                    // Clocks do not go back: it will not count again. Keeps the list short however often the ID comes.
                    _firsts.RemoveAt(i);
                }
            }
            else if (IsSame(first.TimeMs, record, window))
            {
                named |= first.Position == record.FirstPosition;
                best = best is { } b && b.TimeMs >= first.TimeMs ? b : first;
            }
        }

        if (
            _last is { } last
            && Counts(last.TimeMs, record, window)
            && IsSame(last.TimeMs, record, window)
        )
        {
            named |= last.Position == record.FirstPosition;
            best = best is { } b && b.TimeMs >= last.TimeMs ? b : last;
        }

        return Judge(record, window, best, named);
    }

    private Repeat Judge(in InputEntry record, AuditWindow window, Remembered? best, bool named)
    {
        bool maybe =
            _maybe is { } m
            && Counts(m.To, record, window)
            && record.TimeMs >= m.From - window.WindowMs
            && record.TimeMs <= m.To + window.WindowMs;
        if (best is not { } latest)
        {
            bool mayConflict = maybe && _maybeFingerprint != record.Fingerprint;
            return new Repeat(maybe, false, mayConflict, false, false, false, default);
        }

        bool isConflict =
            record.Fingerprint != 0
            && latest.Fingerprint != 0
            && record.Fingerprint != latest.Fingerprint;
        // A later one that may be remembered would be compared with instead.
        bool isConflictSure =
            !rules.ComparesContents
            || !maybe
            || _maybe!.Value.To <= latest.TimeMs
            || (_maybeFingerprint != 0 && _maybeFingerprint == latest.Fingerprint);
        bool isMoveSure = !maybe || _maybe!.Value.To <= record.TimeMs;
        return new Repeat(
            true,
            true,
            isConflict,
            isConflictSure,
            isMoveSure,
            named || maybe,
            latest
        );
    }

    private static bool Counts(long timeMs, in InputEntry record, AuditWindow window) =>
        record.ClockMs <= timeMs + window.WindowMs + window.GraceMs;

    /// <summary>Within the window; of content with time buckets, in the same bucket or a neighbouring one.</summary>
    public static bool IsSame(long timeMs, in InputEntry record, AuditWindow window) =>
        record.BucketMs > 0
            ? Math.Abs(Bucket(timeMs, record.BucketMs) - Bucket(record.TimeMs, record.BucketMs))
                <= 1
            : Math.Abs(record.TimeMs - timeMs) <= window.WindowMs;

    private static long Bucket(long timeMs, long widthMs) =>
        (timeMs - (((timeMs % widthMs) + widthMs) % widthMs)) / widthMs;
}
