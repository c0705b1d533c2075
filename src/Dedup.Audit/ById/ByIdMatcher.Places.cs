using Dedup.Audit.Contents;
using Dedup.Audit.Judging;
using Dedup.Audit.Reports;
using Dedup.Contracts.Identity;

namespace Dedup.Audit.ById;

/// <content>Whether a record is in the place that its verdict says, or that the mode makes of it.</content>
internal sealed partial class ByIdMatcher
{
    /// <summary>The mode forwards whatever the record is, but for what no topic takes unchanged.</summary>
    private Outcome Forwarded(int i)
    {
        ref readonly InputEntry input = ref _group.Inputs[i];
        uint clean = _group.CleanOf[i] < 0 ? 0 : _group.Cleans[_group.CleanOf[i]].Position;
        if (input.Has(InputMarks.InDuplicates))
        {
            Mismatch(i, clean, $"is in {context.Duplicates!.Topic}, but the mode forwards it");
        }

        if (input.Has(InputMarks.InQuarantine))
        {
            return clean == 0
                ? Quarantined(i, EventJudge.IsInvalid(input, context.LatestMs))
                : Both(i, clean);
        }

        if (input.Contents.TimestampMs <= 0)
        {
            if (clean == 0)
            {
                MissingInQuarantine(i);
            }
            else
            {
                Mismatch(i, clean, "is on clean, but belongs in quarantine");
            }

            return Outcome.Quarantined;
        }

        if (clean != 0)
        {
            CheckVerdict(i, isKnown: false);
        }

        return context.Rules.Mode.Kind == AuditModeKind.Off ? Outcome.Unjudged : Outcome.Spared;
    }

    private Outcome Both(int i, uint clean)
    {
        Mismatch(i, clean, "is on clean, but in quarantine as well");
        return Outcome.WronglyQuarantined;
    }

    /// <summary>Enforced and without conflicts on clean, the verdict is that of a first or of a late record.</summary>
    private void CheckVerdict(int i, bool isKnown)
    {
        ref readonly CleanEntry clean = ref _group.Cleans[_group.CleanOf[i]];
        if (!context.Rules.HasVerdicts)
        {
            return;
        }

        bool isPossible =
            clean.Verdict != CleanEntry.NoVerdict
            && (!isKnown || (Verdict)clean.Verdict is Verdict.First or Verdict.Late);
        if (!isPossible)
        {
            context.Report(
                FindingKind.Changed,
                _group.Inputs[i].Position,
                clean.Position,
                $"its added header says the verdict {VerdictHeader.NameOf(clean.Verdict)}",
                RecordParts.Headers
            );
        }
        else if (!isKnown || IsLate(_group.Inputs[i]) != ((Verdict)clean.Verdict == Verdict.Late))
        {
            context.Findings.AddUnknown(UnknownReason.VerdictUnsure);
        }
    }

    /// <summary>
    /// A duplicate and its place. Where all that it may repeat counts only because a clock is in doubt, it may as well be a
    /// first that was lost; no topic shows which.
    /// </summary>
    private Outcome DuplicateLedger(int i, in Near near)
    {
        ref readonly InputEntry input = ref _group.Inputs[i];
        bool isThere = input.Has(InputMarks.InDuplicates);
        if (context.Duplicates is { HasLostBeginning: true } && !isThere)
        {
            context.Findings.AddUnknown(UnknownReason.SideDeleted);
        }
        else if (context.Duplicates is not null && !isThere)
        {
            Mismatch(i, 0, $"is a duplicate, but not in {context.Duplicates.Topic}");
        }
        else if (isThere && !near.IsNamed && !IsInDoubt(input) && !context.CleanHasGaps)
        {
            Mismatch(
                i,
                0,
                $"is in {context.Duplicates!.Topic} as a repeat of a record that it does not repeat"
            );
        }
        else if (near.InDoubt != Near.None)
        {
            if ((Unknown(input) ?? Unknown(_group.Inputs[near.InDoubt])) is { } reason)
            {
                context.Findings.AddUnknown(reason);
                return isThere ? Outcome.Duplicate : Outcome.Undecided;
            }

            if (!isThere)
            {
                context.Findings.AddUnknown(UnknownReason.MaybeExpired);
                return Outcome.Undecided;
            }
        }

        return Outcome.Duplicate;
    }

    private Outcome Quarantined(int i, bool invalid)
    {
        ref readonly InputEntry input = ref _group.Inputs[i];
        bool holds = input.Quarantined switch
        {
            // Late by its own clock, or by one of the others if its partition was left out.
            Reason.Late => !invalid
                && context.Rules.Late == AuditLatePolicy.Quarantine
                && (IsInDoubt(input) || context.MayBeLate(input, PartitionOf(i))),
            Reason.Conflict => !invalid
                && EventJudge.IsQuarantined(context.Rules, Reason.Conflict)
                && (IsInDoubt(input) || _occurrences.NearTo(i, PartitionOf(i)).OtherContents),
            _ => EventJudge.Holds(input, invalid),
        };
        holds &= EventJudge.MayBeQuarantined(input);
        if (!holds)
        {
            Mismatch(
                i,
                0,
                $"is in quarantine as {ReasonText.Of(input.Quarantined)}, which does not hold for it"
            );
        }

        return holds ? Outcome.Quarantined : Outcome.WronglyQuarantined;
    }

    private void MissingInQuarantine(int i)
    {
        if (context.Quarantine is null)
        {
            context.QuarantinedUnchecked++;
        }
        else if (context.Quarantine.HasLostBeginning)
        {
            context.Findings.AddUnknown(UnknownReason.SideDeleted);
        }
        else
        {
            context.Report(
                FindingKind.Lost,
                _group.Inputs[i].Position,
                0,
                "belongs in quarantine and is not there"
            );
        }
    }
}
