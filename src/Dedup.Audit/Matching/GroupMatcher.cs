using Dedup.Audit.Contents;
using Dedup.Audit.Judging;
using Dedup.Audit.Reports;
using Dedup.Contracts.Identity;

namespace Dedup.Audit.Matching;

/// <summary>
/// Compares one event's input with its clean records. What is plain is decided here; what could be read in several ways
/// waits in <see cref="Leftovers"/> until the order of all other records is known.
/// </summary>
internal sealed class GroupMatcher
{
    private readonly PartitionContext _context;
    private readonly Leftovers _leftovers;
    private readonly Dictionary<
        RecordContents,
        (int Expected, int Clean, int Balance)
    > _byContents = [];
    private readonly EqualCopies _copies;

    public GroupMatcher(PartitionContext context, Leftovers leftovers)
    {
        _context = context;
        _leftovers = leftovers;
        _copies = new EqualCopies(context.Rules);
    }

    /// <summary>Judges the input records and compares.</summary>
    public void Match(EventGroup group)
    {
        Span<Judged> judged = group.Judged.AsSpan(0, group.InputCount);
        _copies.Begin(
            group.Inputs.AsMemory(0, group.InputCount),
            group.Cleans.AsMemory(0, group.CleanCount),
            group.Judged.AsMemory(0, group.InputCount)
        );
        _context.Judge.Judge(group.Inputs.AsSpan(0, group.InputCount), _copies, judged);
        if (!MatchInOrder(group))
        {
            MatchByContents(group);
        }

        int unmatchedCleans = group.InputOf.AsSpan(0, group.CleanCount).Count(-1);
        for (int i = 0; i < group.InputCount; i++)
        {
            if (!group.Inputs[i].Has(InputMarks.Tail))
            {
                Ledger(group.Inputs[i], judged[i], isOnClean: group.CleanOf[i] >= 0);
            }
        }

        if (unmatchedCleans > 0 && group.InputCount > 0)
        {
            _leftovers.Add(group);
            return;
        }

        for (int i = 0; i < group.CleanCount && unmatchedCleans > 0; i++)
        {
            _leftovers.Stray.Add(group.Cleans[i].Position, group.Cleans[i].Contents, 0);
        }

        for (int i = 0; i < group.InputCount; i++)
        {
            _leftovers.Unmatched(group, i);
        }
    }

    /// <summary>The sound case: the clean records are the expected ones, one by one.</summary>
    private bool MatchInOrder(EventGroup group)
    {
        int clean = 0;
        for (int i = 0; i < group.InputCount; i++)
        {
            if (group.Judged[i].MayBeOnClean)
            {
                // Which of several equal ones is there shows in the order of all records.
                return false;
            }

            if (group.Judged[i].BelongsOnClean)
            {
                if (
                    clean == group.CleanCount
                    || !group.Cleans[clean].Contents.Equals(group.Inputs[i].Contents)
                )
                {
                    return false;
                }

                clean++;
            }
        }

        if (clean != group.CleanCount)
        {
            return false;
        }

        clean = 0;
        for (int i = 0; i < group.InputCount; i++)
        {
            if (group.Judged[i].BelongsOnClean)
            {
                group.Match(clean++, i, _context);
            }
        }

        return true;
    }

    /// <summary>Contents that one expected and one clean record have are the same record, wherever they stand.</summary>
    private void MatchByContents(EventGroup group)
    {
        _byContents.Clear();
        for (int i = 0; i < group.InputCount; i++)
        {
            if (group.Judged[i].BelongsOnClean || group.Judged[i].MayBeOnClean)
            {
                bool again = _byContents.ContainsKey(group.Inputs[i].Contents);
                _byContents[group.Inputs[i].Contents] = again ? (-1, -1, 0) : (i, -1, 0);
            }
        }

        for (int i = 0; i < group.CleanCount; i++)
        {
            if (
                _byContents.TryGetValue(
                    group.Cleans[i].Contents,
                    out (int Expected, int Clean, int Balance) pair
                )
            )
            {
                bool alone = pair.Expected >= 0 && pair.Balance == 0;
                _byContents[group.Cleans[i].Contents] = alone ? (pair.Expected, i, 1) : (-1, -1, 0);
            }
        }

        foreach ((int expected, int clean, _) in _byContents.Values)
        {
            if (expected >= 0 && clean >= 0)
            {
                group.Match(clean, expected, _context);
            }
        }
    }

    /// <summary>Whether the side topics say of an input record what the definition says.</summary>
    private void Ledger(in InputEntry input, in Judged judged, bool isOnClean)
    {
        _context.Count(judged.Outcome);
        if (
            judged.Unknown is { } unknown
            && (judged.Outcome != Outcome.Undecided || judged.MayBeOnClean)
        )
        {
            _context.Findings.AddUnknown(unknown);
        }

        switch (judged.Outcome)
        {
            case Outcome.Quarantined when !input.Has(InputMarks.InQuarantine):
                MissingInQuarantine(input, judged);
                break;
            case Outcome.WronglyQuarantined:
                Mismatch(
                    input,
                    $"is in quarantine as {ReasonText.Of(input.Quarantined)}, which does not hold for it"
                );
                break;
            case Outcome.Duplicate
                when _context.Duplicates is not null && !input.Has(InputMarks.InDuplicates):
                if (_context.Duplicates.HasLostBeginning)
                {
                    _context.Findings.AddUnknown(UnknownReason.SideDeleted);
                }
                else
                {
                    Mismatch(input, $"is a duplicate, but not in {_context.Duplicates.Topic}");
                }

                break;
            case Outcome.Duplicate when judged.IsFirstNamedWrongly:
                Mismatch(
                    input,
                    $"is in {_context.Duplicates!.Topic} as a repeat of a record that it does not repeat"
                );
                break;
            default:
                break;
        }

        if (
            input.Has(InputMarks.InDuplicates)
            && judged.Outcome != Outcome.Duplicate
            && (isOnClean || !judged.BelongsOnClean)
        )
        {
            Mismatch(
                input,
                judged.Outcome == Outcome.Spared
                    ? $"is in {_context.Duplicates!.Topic}, but the mode forwards it"
                    : $"is in {_context.Duplicates!.Topic}, but is no duplicate"
            );
        }
    }

    private void MissingInQuarantine(in InputEntry input, in Judged judged)
    {
        if (_context.Quarantine is null)
        {
            _context.QuarantinedUnchecked++;
        }
        else if (_context.Quarantine.HasLostBeginning)
        {
            _context.Findings.AddUnknown(UnknownReason.SideDeleted);
        }
        else
        {
            string why =
                input.Reason != Reason.None ? ReasonText.Of(input.Reason)
                : input.Contents.TimestampMs <= 0 ? ReasonText.Of(Reason.TimestampMissing)
                : judged.Verdict == Verdict.Conflict ? ReasonText.Of(Reason.Conflict)
                : input.TimeMs < input.ClockMs ? ReasonText.Of(Reason.Late)
                : ReasonText.Of(Reason.TimestampTooFarInFuture);
            _context.Report(
                FindingKind.Lost,
                input.Position,
                0,
                $"belongs in quarantine ({why}) and is not there"
            );
        }
    }

    private void Mismatch(in InputEntry input, string detail) =>
        _context.Report(FindingKind.LedgerMismatch, input.Position, 0, detail);
}
