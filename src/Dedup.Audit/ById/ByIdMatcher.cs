using Dedup.Audit.Contents;
using Dedup.Audit.Judging;
using Dedup.Audit.Matching;
using Dedup.Audit.Reports;
using Dedup.Contracts.Identity;

namespace Dedup.Audit.ById;

/// <summary>Compares all records of one event ID, over all partitions.</summary>
internal sealed class ByIdMatcher(ByIdContext context)
{
    private readonly Dictionary<(int Partition, RecordContents Contents), Queue<int>> _waiting = [];
    private readonly List<int> _onClean = [];
    private readonly RepeatsOnClean _repeats = new(context);
    private EventGroup _group = new();

    /// <summary>Compares a group.</summary>
    public void Match(EventGroup group)
    {
        _group = group;
        PairEqual();
        CollectOnClean();
        _repeats.HoldAgainstOneAnother(group, _onClean);
        for (int i = 0; i < group.InputCount; i++)
        {
            ref readonly InputEntry input = ref group.Inputs[i];
            if (!input.Has(InputMarks.Tail))
            {
                group.Judged[i] = new Judged
                {
                    Outcome = group.CleanOf[i] >= 0 ? OnClean(i) : NotOnClean(i),
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

    /// <summary>Equal contents in the same partition are the same record; of several equal ones in order.</summary>
    private void PairEqual()
    {
        _waiting.Clear();
        for (int i = 0; i < _group.InputCount; i++)
        {
            (int, RecordContents) name = (PartitionOf(i), _group.Inputs[i].Contents);
            if (!_waiting.TryGetValue(name, out Queue<int>? same))
            {
                _waiting[name] = same = new Queue<int>();
            }

            same.Enqueue(i);
        }

        for (int c = 0; c < _group.CleanCount; c++)
        {
            int partition = context.Whole.OfClean(_group.Cleans[c].Position).Partition;
            if (
                _waiting.TryGetValue((partition, _group.Cleans[c].Contents), out Queue<int>? same)
                && same.TryDequeue(out int input)
            )
            {
                _group.Pair(c, input);
                context.Order.Match(_group.Cleans[c].Position, _group.Inputs[input].Position);
                context.CleanAhead += _group.Inputs[input].Has(InputMarks.Tail) ? 1 : 0;
            }
        }
    }

    private void CollectOnClean()
    {
        _onClean.Clear();
        for (int i = 0; i < _group.InputCount; i++)
        {
            if (_group.CleanOf[i] >= 0)
            {
                _onClean.Add(i);
            }
        }

        _onClean.Sort(
            (a, b) =>
                _group
                    .Inputs[a]
                    .Contents.TimestampMs.CompareTo(_group.Inputs[b].Contents.TimestampMs)
        );
    }

    private Outcome OnClean(int i)
    {
        ref readonly InputEntry input = ref _group.Inputs[i];
        uint clean = _group.Cleans[_group.CleanOf[i]].Position;
        bool isLate = IsLate(input);
        if (input.Has(InputMarks.InQuarantine))
        {
            Mismatch(i, clean, "is on clean, but in quarantine as well");
            return Outcome.WronglyQuarantined;
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

        if (isLate && context.Rules.Late != AuditLatePolicy.Forward && !IsInDoubt(input))
        {
            Mismatch(i, clean, "is on clean, but is late and the policy keeps it from there");
        }

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

        if (Repeats(i, out bool onlyLaterOnes, out bool isNamed))
        {
            if (onlyLaterOnes && !IsInDoubt(input) && !context.CleanHasGaps)
            {
                context.Report(
                    FindingKind.Lost,
                    input.Position,
                    0,
                    "only later records of its event in its partition are on clean"
                );
                return Outcome.First;
            }

            DuplicateLedger(i, isNamed);
            return Outcome.Duplicate;
        }

        if (Unknown(input) is { } reason)
        {
            context.Findings.AddUnknown(reason);
            return input.Has(InputMarks.InDuplicates) ? Outcome.Duplicate : Outcome.Undecided;
        }

        return Late(i);
    }

    /// <summary>Whether a record on clean is within the window: then this one repeats it, or it repeats this one.</summary>
    private bool Repeats(int i, out bool onlyLaterOnes, out bool isNamed)
    {
        ref readonly InputEntry input = ref _group.Inputs[i];
        bool found = false;
        onlyLaterOnes = true;
        isNamed = false;
        int partition = PartitionOf(i);
        foreach (int first in _onClean)
        {
            if (context.IsWithin(_group.Inputs[first], _group.Inputs[i]))
            {
                found = true;
                onlyLaterOnes &=
                    PartitionOf(first) == partition
                    && _group.Inputs[first].Position > input.Position;
                isNamed |= _group.Inputs[first].Position == input.FirstPosition;
            }
        }

        return found;
    }

    private void DuplicateLedger(int i, bool isNamed)
    {
        ref readonly InputEntry input = ref _group.Inputs[i];
        if (context.Duplicates is null)
        {
            return;
        }

        if (!input.Has(InputMarks.InDuplicates))
        {
            if (context.Duplicates.HasLostBeginning)
            {
                context.Findings.AddUnknown(UnknownReason.SideDeleted);
            }
            else
            {
                Mismatch(i, 0, $"is a duplicate, but not in {context.Duplicates.Topic}");
            }
        }
        else if (!isNamed && !IsInDoubt(input) && !context.CleanHasGaps)
        {
            Mismatch(
                i,
                0,
                $"is in {context.Duplicates.Topic} as a repeat of a record that it does not repeat"
            );
        }
    }

    private Outcome Late(int i)
    {
        ref readonly InputEntry input = ref _group.Inputs[i];
        bool isLate = IsLate(input);
        bool mayBeLate =
            isLate
            || input.Contents.TimestampMs
                < context.HighestClockBeside(PartitionOf(i), input.Class) - WindowOf(input).GraceMs;
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

    private Outcome Quarantined(int i, bool invalid)
    {
        ref readonly InputEntry input = ref _group.Inputs[i];
        bool holds = input.Quarantined switch
        {
            // Late by its own clock, or by one of the others if its partition was left out.
            Reason.Late => !invalid
                && context.Rules.Late == AuditLatePolicy.Quarantine
                && (
                    IsInDoubt(input)
                    || input.Contents.TimestampMs
                        < Math.Max(
                            input.ClockMs,
                            context.HighestClockBeside(PartitionOf(i), input.Class)
                        ) - WindowOf(input).GraceMs
                ),
            Reason.Conflict => !invalid && (IsInDoubt(input) || Repeats(i, out _, out _)),
            _ => EventJudge.Holds(input, invalid),
        };
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
        && !Repeats(i, out _, out _);

    private bool IsLate(in InputEntry input) =>
        input.Contents.TimestampMs < input.ClockMs - WindowOf(input).GraceMs;

    private bool IsInDoubt(in InputEntry input) => Unknown(input) is not null;

    private UnknownReason? Unknown(in InputEntry input) =>
        input.Contents.TimestampMs <= context.DoubtUntilMs ? UnknownReason.InputHistoryDeleted
        : input.Has(InputMarks.HistoryCompacted) ? UnknownReason.Compacted
        : input.Has(InputMarks.MaybeTooFar) && context.Quarantine is null
            ? UnknownReason.TimestampMaybeTooFar
        : null;

    private void Mismatch(int input, uint clean, string detail) =>
        context.Report(FindingKind.LedgerMismatch, _group.Inputs[input].Position, clean, detail);
}
