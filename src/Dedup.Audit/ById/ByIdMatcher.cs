using Dedup.Audit.Contents;
using Dedup.Audit.Judging;
using Dedup.Audit.Matching;
using Dedup.Audit.Reports;
using Dedup.Contracts.Identity;

namespace Dedup.Audit.ById;

/// <summary>Compares all records of one event ID, over all partitions.</summary>
internal sealed partial class ByIdMatcher(ByIdContext context)
{
    private readonly EqualRecords _equal = new(context);
    private readonly Occurrences _occurrences = new(context);
    private readonly RepeatsOnClean _repeats = new(context);
    private EventGroup _group = new();

    /// <summary>Compares a group.</summary>
    public void Match(EventGroup group)
    {
        _group = group;
        _equal.Pair(group);
        _occurrences.Collect(group);
        bool isEnforced = group.InputCount > 0 && group.Inputs[0].Has(InputMarks.Enforced);
        if (isEnforced)
        {
            _repeats.HoldAgainstOneAnother(group, _occurrences.OnClean);
            _repeats.HoldAgainstSuppressed(group, _occurrences.OnClean, _occurrences.Reached);
        }

        for (int i = 0; i < group.InputCount; i++)
        {
            ref readonly InputEntry input = ref group.Inputs[i];
            if (!input.Has(InputMarks.Tail))
            {
                group.Judged[i] = new Judged
                {
                    Outcome =
                        !isEnforced ? Forwarded(i)
                        : group.CleanOf[i] >= 0 ? OnClean(i)
                        : NotOnClean(i),
                };
                context.Count(group.Judged[i].Outcome);
            }
        }

        ConcludeStrays();
        ReportMissing();
    }

    private int PartitionOf(int input) =>
        context.Whole.OfInput(_group.Inputs[input].Position).Partition;

    private AuditWindow WindowOf(in InputEntry input) => context.Rules.WindowOf(input.Class);

    private Outcome OnClean(int i)
    {
        ref readonly InputEntry input = ref _group.Inputs[i];
        uint clean = _group.Cleans[_group.CleanOf[i]].Position;
        bool isLate = IsLate(input);
        if (input.Has(InputMarks.InQuarantine))
        {
            return Both(i, clean);
        }

        if (EventJudge.IsInvalid(input, context.LatestMs))
        {
            Mismatch(i, clean, "is on clean, but belongs in quarantine");
            return Outcome.Quarantined;
        }

        if (input.Has(InputMarks.InDuplicates))
        {
            Mismatch(i, clean, $"is in {context.Duplicates!.Topic}, but is no duplicate");
        }

        bool isConflict =
            context.Rules.ComparesContents
            && context.Rules.Conflict == AuditConflictPolicy.Clean
            && _occurrences.NearTo(i, PartitionOf(i)).OtherContents;
        if (
            isLate
            && context.Rules.Late != AuditLatePolicy.Forward
            && !IsInDoubt(input)
            && !isConflict
        )
        {
            Mismatch(i, clean, "is on clean, but is late and the policy keeps it from there");
        }

        CheckVerdict(
            i,
            isKnown: !context.Rules.ComparesContents
                || context.Rules.Conflict != AuditConflictPolicy.Clean
        );
        return isLate ? Outcome.LateForwarded : Outcome.First;
    }

    private Outcome NotOnClean(int i)
    {
        ref readonly InputEntry input = ref _group.Inputs[i];
        bool invalid = EventJudge.IsInvalid(input, context.LatestMs);
        if (input.Has(InputMarks.InQuarantine))
        {
            return Quarantined(i, invalid);
        }

        if (invalid)
        {
            MissingInQuarantine(i);
            return Outcome.Quarantined;
        }

        Near near = _occurrences.NearTo(i, PartitionOf(i));
        if (near.OnClean)
        {
            if (!near.IsSure && context.MayBeDropped(input, PartitionOf(i)))
            {
                // It repeats what is on clean, or it was dropped before that came.
                context.Findings.AddUnknown(UnknownReason.LateOrDuplicate);
                return Outcome.Undecided;
            }

            if (near.OnlyLater && !IsInDoubt(input) && !context.CleanHasGaps)
            {
                context.Report(
                    FindingKind.Lost,
                    input.Position,
                    0,
                    "only later records of its event in its partition are on clean"
                );
                return Outcome.First;
            }

            return Repeated(i, near);
        }

        if (Unknown(input) is { } reason)
        {
            context.Findings.AddUnknown(reason);
            return input.Has(InputMarks.InDuplicates) ? Outcome.Duplicate : Outcome.Undecided;
        }

        return Late(i);
    }

    /// <summary>A duplicate, or a conflict where all that is near it has other contents.</summary>
    private Outcome Repeated(int i, in Near near)
    {
        ref readonly InputEntry input = ref _group.Inputs[i];
        bool mayConflict =
            near.OtherContents
            && context.Rules.Conflict != AuditConflictPolicy.Duplicate
            && !IsInDoubt(input);
        bool isInDuplicates = input.Has(InputMarks.InDuplicates);
        if (
            mayConflict
            && near.SameContents
            && !isInDuplicates
            && context.Duplicates is not { HasLostBeginning: false }
        )
        {
            // Which content came first decides; where duplicates have a topic, it would be there as one.
            context.Findings.AddUnknown(UnknownReason.ConflictOrder);
            return Outcome.Undecided;
        }

        bool isConflict = mayConflict && !(near.SameContents && isInDuplicates);
        if (!isConflict)
        {
            return DuplicateLedger(i, near);
        }

        if (context.Rules.Conflict == AuditConflictPolicy.Clean)
        {
            // Reported once its counterpart among the strays has been looked for.
            return Outcome.ConflictForwarded;
        }

        if (input.Has(InputMarks.InDuplicates))
        {
            Mismatch(i, 0, $"is in {context.Duplicates!.Topic}, but is a conflict");
        }

        MissingInQuarantine(i);
        return Outcome.Quarantined;
    }

    private Outcome Late(int i)
    {
        ref readonly InputEntry input = ref _group.Inputs[i];
        bool isLate = IsLate(input);
        bool mayBeLate = context.MayBeLate(input, PartitionOf(i));
        switch (context.Rules.Late)
        {
            case AuditLatePolicy.Drop when isLate:
                return Outcome.LateDropped;
            case AuditLatePolicy.Drop when mayBeLate:
                context.Findings.AddUnknown(UnknownReason.MaybeLeftOut);
                return Outcome.Undecided;
            case AuditLatePolicy.Quarantine when isLate:
                MissingInQuarantine(i);
                return Outcome.Quarantined;
            case AuditLatePolicy.Quarantine when mayBeLate && context.Quarantine is null:
                context.Findings.AddUnknown(UnknownReason.MaybeLeftOut);
                return Outcome.Undecided;
            default:
                // Reported once its counterpart among the strays has been looked for.
                return isLate ? Outcome.LateForwarded : Outcome.First;
        }
    }

    /// <summary>Clean records without an input record of their contents: changed ones, copies, or foreign.</summary>
    private void ConcludeStrays()
    {
        for (int c = 0; c < _group.CleanCount; c++)
        {
            if (_group.InputOf[c] >= 0)
            {
                continue;
            }

            ref readonly CleanEntry clean = ref _group.Cleans[c];
            int partition = context.Whole.OfClean(clean.Position).Partition;
            int copyOf = -1;
            int changed = -1;
            for (int i = 0; i < _group.InputCount; i++)
            {
                bool isHere = PartitionOf(i) == partition;
                if (isHere && _group.Inputs[i].Contents.Equals(clean.Contents))
                {
                    copyOf = i;
                    break;
                }

                if (isHere && changed < 0 && IsMissing(i))
                {
                    changed = i;
                }
            }

            Conclude(c, copyOf, changed);
        }
    }

    private void Conclude(int c, int copyOf, int changed)
    {
        ref readonly CleanEntry clean = ref _group.Cleans[c];
        if (copyOf >= 0)
        {
            context.Report(
                FindingKind.Twice,
                _group.Inputs[copyOf].Position,
                clean.Position,
                "",
                firstClean: _group.Cleans[_group.CleanOf[copyOf]].Position
            );
        }
        else if (changed >= 0)
        {
            _group.Pair(c, changed);
            context.Report(
                FindingKind.Changed,
                _group.Inputs[changed].Position,
                clean.Position,
                "",
                clean.Contents.Differences(_group.Inputs[changed].Contents)
            );
        }
        else if (context.Whole.OfClean(clean.Position).InputHistoryDeleted)
        {
            context.Findings.AddUnknown(UnknownReason.InputDeleted);
        }
        else if (context.Whole.OfClean(clean.Position).InputCompacted)
        {
            context.Findings.AddUnknown(UnknownReason.Compacted);
        }
        else
        {
            context.Report(FindingKind.Foreign, 0, clean.Position, "");
        }
    }

    private void ReportMissing()
    {
        for (int i = 0; i < _group.InputCount; i++)
        {
            if (!IsMissing(i))
            {
                continue;
            }

            if (context.CleanHasGaps)
            {
                context.Findings.AddUnknown(UnknownReason.CleanDeleted);
            }
            else if (!context.CleanIsComplete)
            {
                context.Findings.AddUnknown(UnknownReason.CleanPending);
            }
            else
            {
                string detail =
                    _group.Inputs[i].Has(InputMarks.InDuplicates)
                        ? $"is in {context.Duplicates!.Topic}, but is no duplicate"
                    : context.Quarantine is null
                        ? "a record that the clean topic refuses for good lies in quarantine: audit with the quarantine topic to tell"
                    : "";
                context.Report(FindingKind.Lost, _group.Inputs[i].Position, 0, detail);
            }
        }
    }

    /// <summary>Whether it belongs on clean, is not there, and was not reported yet.</summary>
    private bool IsMissing(int i) =>
        _group.CleanOf[i] < 0
        && !_group.Inputs[i].Has(InputMarks.Tail)
        && _group.Judged[i].BelongsOnClean
        && (
            _group.Judged[i].Outcome
                is Outcome.Spared
                    or Outcome.Unjudged
                    or Outcome.ConflictForwarded
            || !_occurrences.NearTo(i, PartitionOf(i)).OnClean
        );

    private bool IsLate(in InputEntry input) =>
        input.TimeMs < input.ClockMs - WindowOf(input).GraceMs;

    private bool IsInDoubt(in InputEntry input) => Unknown(input) is not null;

    private UnknownReason? Unknown(in InputEntry input) =>
        input.TimeMs <= context.DoubtUntilMs ? UnknownReason.InputHistoryDeleted
        : input.Has(InputMarks.HistoryCompacted) ? UnknownReason.Compacted
        : input.Has(InputMarks.MaybeTooFar) ? UnknownReason.TimestampMaybeTooFar
        : input.Has(InputMarks.ClockUnsure) ? UnknownReason.ClockUnsure
        : null;

    private void Mismatch(int input, uint clean, string detail) =>
        context.Report(FindingKind.LedgerMismatch, _group.Inputs[input].Position, clean, detail);
}
