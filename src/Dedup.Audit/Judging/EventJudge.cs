using Dedup.Audit.Contents;
using Dedup.Audit.Reports;
using Dedup.Contracts.Identity;

namespace Dedup.Audit.Judging;

/// <summary>
/// Judges all records of one event ID in one partition by the definition (semantics.md), in partition order. The clock of
/// each record was noted when it was read, so the records of other IDs are not needed.
/// </summary>
/// <remarks>
/// With clock C, window W, grace G. An entry first seen at S counts while C ≤ S + W + G. A record at T repeats it when
/// |T − S| ≤ W. One that repeats nothing is late when T &lt; C − G.
/// </remarks>
internal sealed class EventJudge(
    AuditRules rules,
    bool hasQuarantine,
    bool hasDuplicates,
    long latestMs
)
{
    private readonly List<Seen> _seen = [];

    /// <summary>Judges the records.</summary>
    /// <param name="records">All input records of the ID in order.</param>
    /// <param name="isOnClean">Whether a clean record equals the input record; only asked where it cannot be told without.</param>
    /// <param name="judged">Gets a judgement for each.</param>
    public void Judge(
        ReadOnlySpan<InputEntry> records,
        Func<RecordContents, bool> isOnClean,
        Span<Judged> judged
    )
    {
        _seen.Clear();
        for (int i = 0; i < records.Length; i++)
        {
            judged[i] = One(records[i], isOnClean);
        }
    }

    /// <summary>Whether the record cannot be judged at all: no ID, or a timestamp that cannot be sent on.</summary>
    public static bool IsInvalid(in InputEntry record, long latestMs) =>
        record.Reason != Reason.None
        || record.Contents.TimestampMs <= 0
        || record.Contents.TimestampMs > latestMs;

    private Judged One(in InputEntry record, Func<RecordContents, bool> isOnClean)
    {
        if (record.Has(InputMarks.InQuarantine))
        {
            return new Judged { Outcome = Quarantined(record) };
        }

        if (IsInvalid(record, latestMs))
        {
            return new Judged { Outcome = Outcome.Quarantined };
        }

        AuditWindow window = rules.WindowOf(record.Class);
        if (Repeats(record, window, out bool namedWrongly))
        {
            return new Judged { Outcome = Outcome.Duplicate, IsFirstNamedWrongly = namedWrongly };
        }

        if (Doubt(record) is { } unknown)
        {
            // It may repeat a record that nobody can see any more: what the pipeline did is followed, not contradicted.
            if (isOnClean(record.Contents))
            {
                Remember(record);
                return new Judged { Outcome = Outcome.First };
            }

            return record.Has(InputMarks.InDuplicates)
                ? new Judged { Outcome = Outcome.Duplicate }
                : new Judged { Outcome = Outcome.Undecided, Unknown = unknown };
        }

        if (record.Contents.TimestampMs < record.ClockMs - window.GraceMs)
        {
            return Late(record);
        }

        Remember(record);
        return new Judged { Outcome = Outcome.First };
    }

    private Judged Late(in InputEntry record)
    {
        switch (rules.Late)
        {
            case AuditLatePolicy.Quarantine:
                return new Judged { Outcome = Outcome.Quarantined };
            case AuditLatePolicy.Drop:
                return new Judged { Outcome = Outcome.LateDropped };
            default:
                Remember(record);
                return new Judged { Outcome = Outcome.LateForwarded };
        }
    }

    /// <summary>
    /// A record in quarantine was not judged and is not remembered. Whether its reason holds is told where it can be told
    /// from outside; limits, schemas, and quotas cannot.
    /// </summary>
    private Outcome Quarantined(in InputEntry record)
    {
        bool invalid = IsInvalid(record, latestMs);
        bool holds;
        switch (record.Quarantined)
        {
            case Reason.Late:
            case Reason.Conflict:
            {
                AuditWindow window = rules.WindowOf(record.Class);
                bool repeats = !invalid && Repeats(record, window, out _);
                bool late =
                    !invalid
                    && !repeats
                    && record.Contents.TimestampMs < record.ClockMs - window.GraceMs;
                // A conflict needs a known ID. Without its history either may hold.
                holds =
                    Doubt(record) is not null
                    || (
                        record.Quarantined == Reason.Conflict
                            ? repeats
                            : late && rules.Late == AuditLatePolicy.Quarantine
                    );
                break;
            }
            default:
                holds = Holds(record, invalid);
                break;
        }

        return holds ? Outcome.Quarantined : Outcome.WronglyQuarantined;
    }

    /// <summary>Whether a record is in quarantine for a reason that holds; those that need its history aside.</summary>
    public static bool Holds(in InputEntry record, bool invalid)
    {
        switch (record.Quarantined)
        {
            case Reason.TimestampTooFarInFuture:
                return record.Has(InputMarks.TooFarConfirmed);
            case Reason.TimestampMissing:
                return record.Contents.TimestampMs <= 0;
            case Reason.NoId:
            case Reason.NullKey:
            case Reason.MalformedJson:
            case Reason.JsonTooDeep:
            case Reason.JsonTooLarge:
            case Reason.ContentPathMissing:
            case Reason.ScopeMissing:
            case Reason.IdTooLong:
                return record.Reason != Reason.None;
            case Reason.RefusedTooLarge:
            case Reason.RefusedTimestamp:
            case Reason.Refused:
                return !invalid;
            case Reason.SchemaInvalid:
            case Reason.SchemaUnavailable:
            case Reason.OverQuota:
                return true;
            default:
                return false;
        }
    }

    private bool Repeats(in InputEntry record, AuditWindow window, out bool namedWrongly)
    {
        namedWrongly = false;
        bool repeats = false;
        bool named = false;
        long t = record.Contents.TimestampMs;
        for (int i = _seen.Count - 1; i >= 0; i--)
        {
            Seen seen = _seen[i];
            if (record.ClockMs > seen.TimestampMs + window.WindowMs + window.GraceMs)
            {
                if (seen.Class == record.Class)
                {
                    // Clocks do not go back: it will not count again. Keeps the list short however often the ID comes.
                    _seen.RemoveAt(i);
                }

                continue;
            }

            if (Math.Abs(t - seen.TimestampMs) <= window.WindowMs)
            {
                repeats = true;
                named |= seen.Position == record.FirstPosition;
            }
        }

        namedWrongly =
            repeats
            && hasDuplicates
            && record.Has(InputMarks.InDuplicates)
            && !named
            && Doubt(record) is null;
        return repeats;
    }

    private UnknownReason? Doubt(in InputEntry record) =>
        record.Has(InputMarks.HistoryDeleted) ? UnknownReason.InputHistoryDeleted
        : record.Has(InputMarks.HistoryCompacted) ? UnknownReason.Compacted
        : record.Has(InputMarks.MaybeTooFar) && !hasQuarantine ? UnknownReason.TimestampMaybeTooFar
        : null;

    private void Remember(in InputEntry record) =>
        _seen.Add(new Seen(record.Contents.TimestampMs, record.Position, record.Class));

    private readonly record struct Seen(long TimestampMs, uint Position, ushort Class);
}
