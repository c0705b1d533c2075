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
    private readonly EventMemory _memory = new(rules);

    /// <summary>Judges the records.</summary>
    /// <param name="records">All input records of the ID in order.</param>
    /// <param name="copies">Whether they are on clean; only asked where it cannot be told without.</param>
    /// <param name="judged">Gets a judgement for each.</param>
    public void Judge(ReadOnlySpan<InputEntry> records, EqualCopies copies, Span<Judged> judged)
    {
        _memory.Clear();
        for (int i = 0; i < records.Length; i++)
        {
            copies.At = i;
            judged[i] = One(records[i], copies);
        }
    }

    /// <summary>Whether the record cannot be judged at all: no ID, no time, or a timestamp that cannot be sent on.</summary>
    public static bool IsInvalid(in InputEntry record, long latestMs) =>
        record.Reason != Reason.None
        || record.Contents.TimestampMs <= 0
        || record.TimeMs > latestMs;

    private Judged One(in InputEntry record, EqualCopies copies)
    {
        if (record.Has(InputMarks.InQuarantine))
        {
            return new Judged { Outcome = Quarantined(record) };
        }

        if (record.Contents.TimestampMs <= 0)
        {
            // No topic takes it unchanged, in no mode.
            return new Judged { Outcome = Outcome.Quarantined };
        }

        if (rules.Mode.Kind == AuditModeKind.Off)
        {
            return new Judged { Outcome = Outcome.Unjudged };
        }

        if (IsInvalid(record, latestMs))
        {
            return Elsewhere(record, Outcome.Quarantined, Verdict.Invalid);
        }

        Repeat repeat = _memory.Find(record);
        UnknownReason? doubt = Doubt(record);
        if (!record.Has(InputMarks.Enforced) && (doubt is not null || rules.HasHiddenReasons))
        {
            // Forwarded whatever it is: what it is, and whether it is remembered, does not show.
            _memory.AddMaybe(record);
            return new Judged { Outcome = Outcome.Spared };
        }

        if (repeat.IsSure)
        {
            return Repeated(record, repeat, doubt, copies);
        }

        if (doubt is { } unknown)
        {
            // It may repeat a record that nobody can see any more: what the pipeline did is followed, not contradicted.
            return WithoutCount(AsFound(record, unknown, mayConflict: true, copies));
        }

        if (repeat.IsKnown)
        {
            return AsFound(record, UnknownReason.MaybeReplaced, repeat.IsConflict, copies);
        }

        return record.TimeMs < record.ClockMs - rules.WindowOf(record.Class).GraceMs
            ? Late(record)
            : Remember(record, Outcome.First, Verdict.First);
    }

    private Judged Remember(in InputEntry record, Outcome outcome, Verdict? verdict)
    {
        _memory.AddFirst(record);
        return new Judged { Outcome = outcome, Verdict = verdict };
    }

    /// <summary>A verdict that keeps a record from clean, unless the mode forwards it all the same.</summary>
    private static Judged Elsewhere(in InputEntry record, Outcome outcome, Verdict verdict) =>
        new()
        {
            Outcome = record.Has(InputMarks.Enforced) ? outcome : Outcome.Spared,
            Verdict = verdict,
        };

    private Judged Repeated(
        in InputEntry record,
        in Repeat repeat,
        UnknownReason? doubt,
        EqualCopies copies
    )
    {
        bool isSure = !rules.ComparesContents || (repeat.IsConflictSure && doubt is null);
        if (!isSure && rules.Conflict != AuditConflictPolicy.Duplicate)
        {
            // Duplicate or conflict: they go to different places, and only one of them moves the window on.
            if (rules.Refresh)
            {
                _memory.AddMaybe(record);
            }

            return doubt is { } unknown
                ? WithoutCount(ConflictOrNot(record, unknown, copies))
                : ConflictOrNot(record, UnknownReason.MaybeReplaced, copies);
        }

        if (repeat.IsConflict && rules.Conflict != AuditConflictPolicy.Duplicate)
        {
            return rules.Conflict == AuditConflictPolicy.Clean
                ? new Judged { Outcome = Outcome.ConflictForwarded, Verdict = Verdict.Conflict }
                : Elsewhere(record, Outcome.Quarantined, Verdict.Conflict);
        }

        if (rules.Refresh && doubt is null && repeat.IsMoveSure)
        {
            _memory.MoveOn(record, repeat.Latest);
        }
        else if (rules.Refresh)
        {
            _memory.AddMaybe(record);
        }

        Judged judged = Elsewhere(
            record,
            Outcome.Duplicate,
            repeat.IsConflict ? Verdict.Conflict : Verdict.Duplicate
        );
        judged.Verdict = isSure ? judged.Verdict : null;
        judged.IsFirstNamedWrongly =
            hasDuplicates
            && record.Has(InputMarks.InDuplicates)
            && !repeat.IsNamed
            && doubt is null;
        return judged;
    }

    /// <summary>What is in doubt for what is missing or open counts where it decides; the place is evidence enough.</summary>
    private static Judged WithoutCount(Judged judged) =>
        judged.Outcome == Outcome.Undecided ? judged : judged with { Unknown = null };

    private Judged ConflictOrNot(in InputEntry record, UnknownReason reason, EqualCopies copies)
    {
        if (!record.Has(InputMarks.Enforced))
        {
            return new Judged { Outcome = Outcome.Spared, Unknown = reason };
        }

        if (
            record.Has(InputMarks.InDuplicates)
            || (hasQuarantine && rules.Conflict == AuditConflictPolicy.Quarantine)
        )
        {
            return new Judged { Outcome = Outcome.Duplicate, Unknown = reason };
        }

        OnClean place = rules.Conflict == AuditConflictPolicy.Clean ? copies.Place() : OnClean.No;
        return new Judged
        {
            Outcome = place == OnClean.Yes ? Outcome.ConflictForwarded : Outcome.Undecided,
            MayBeOnClean = place == OnClean.Perhaps,
            Unknown = reason,
        };
    }

    /// <summary>Nobody can tell whether it repeats something: it is taken to be what its place says.</summary>
    private Judged AsFound(
        in InputEntry record,
        UnknownReason reason,
        bool mayConflict,
        EqualCopies copies
    )
    {
        if (!record.Has(InputMarks.Enforced))
        {
            _memory.AddMaybe(record);
            return new Judged { Outcome = Outcome.Spared, Unknown = reason };
        }

        OnClean place = copies.Place();
        if (place == OnClean.Perhaps)
        {
            _memory.AddMaybe(record);
            return new Judged
            {
                Outcome = Outcome.Undecided,
                MayBeOnClean = true,
                Unknown = reason,
            };
        }

        if (place == OnClean.Yes)
        {
            if (
                mayConflict
                && rules.ComparesContents
                && rules.Conflict == AuditConflictPolicy.Clean
            )
            {
                // Forwarded as a first, which is remembered, or as a conflict, of which nothing is.
                _memory.AddMaybe(record);
                return new Judged { Outcome = Outcome.First, Unknown = reason };
            }

            return Remember(record, Outcome.First, null) with
            {
                Unknown = reason,
            };
        }

        if (rules.Refresh)
        {
            _memory.AddMaybe(record);
        }

        return new Judged
        {
            Outcome = record.Has(InputMarks.InDuplicates) ? Outcome.Duplicate : Outcome.Undecided,
            Unknown = reason,
        };
    }

    private Judged Late(in InputEntry record) =>
        rules.Late switch
        {
            AuditLatePolicy.Quarantine => Elsewhere(record, Outcome.Quarantined, Verdict.Late),
            AuditLatePolicy.Drop => Elsewhere(record, Outcome.LateDropped, Verdict.Late),
            _ => Remember(record, Outcome.LateForwarded, Verdict.Late),
        };

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
                Repeat repeat = invalid ? default : _memory.Find(record);
                bool late =
                    !repeat.IsSure
                    && record.TimeMs < record.ClockMs - rules.WindowOf(record.Class).GraceMs;
                bool conflict = repeat.IsConflict || !repeat.IsConflictSure;
                bool mayBe =
                    Doubt(record) is not null
                    || (record.Quarantined == Reason.Conflict ? repeat.IsKnown && conflict : late);
                holds = !invalid && mayBe && IsQuarantined(rules, record.Quarantined);
                break;
            }
            default:
                holds = Holds(record, invalid);
                break;
        }

        return holds && MayBeQuarantined(record) ? Outcome.Quarantined : Outcome.WronglyQuarantined;
    }

    /// <summary>Whether the rules send late records, or conflicts, to quarantine.</summary>
    public static bool IsQuarantined(AuditRules rules, Reason reason) =>
        reason == Reason.Conflict
            ? rules.ComparesContents && rules.Conflict == AuditConflictPolicy.Quarantine
            : rules.Late == AuditLatePolicy.Quarantine;

    /// <summary>Where the mode forwards, only what no topic takes unchanged goes to quarantine.</summary>
    public static bool MayBeQuarantined(in InputEntry record) =>
        record.Has(InputMarks.Enforced)
        || record.Contents.TimestampMs <= 0
        || record.Quarantined
            is Reason.RefusedTooLarge
                or Reason.RefusedTimestamp
                or Reason.Refused
                or Reason.NotRekeyed;

    /// <summary>Whether a record is in quarantine for a reason that holds; those that need its history aside.</summary>
    public static bool Holds(in InputEntry record, bool invalid)
    {
        switch (record.Quarantined)
        {
            case Reason.TimestampTooFarInFuture:
                return record.Has(InputMarks.TooFarConfirmed);
            case Reason.TimestampMissing:
                return record.Contents.TimestampMs <= 0 || record.Reason == Reason.TimestampMissing;
            case Reason.NoId:
            case Reason.NullKey:
            case Reason.MalformedJson:
            case Reason.JsonTooDeep:
            case Reason.JsonTooLarge:
            case Reason.ContentPathMissing:
            case Reason.ScopeMissing:
            case Reason.IdTooLong:
                return record.Reason != Reason.None;
            // Wherever it was to go: a topic may refuse what is invalid as well.
            case Reason.RefusedTooLarge:
            case Reason.RefusedTimestamp:
            case Reason.Refused:
                return true;
            case Reason.SchemaInvalid:
            case Reason.SchemaUnavailable:
            // Judged, and only then refused: what a tenant holds cannot be told from outside.
            case Reason.OverQuota:
                return !invalid;
            default:
                return false;
        }
    }

    private static UnknownReason? Doubt(in InputEntry record) =>
        record.Has(InputMarks.HistoryDeleted) ? UnknownReason.InputHistoryDeleted
        : record.Has(InputMarks.HistoryCompacted) ? UnknownReason.Compacted
        : record.Has(InputMarks.MaybeTooFar) ? UnknownReason.TimestampMaybeTooFar
        : record.Has(InputMarks.ClockUnsure) ? UnknownReason.ClockUnsure
        : null;
}
