using System.Numerics;
using Dedup.Audit.Contents;
using Dedup.Audit.Judging;
using Dedup.Audit.Reports;

namespace Dedup.Audit.Matching;

/// <summary>What the comparing of groups left over, decided when the order of all other records is known.</summary>
internal sealed class Leftovers
{
    /// <summary>
    /// Records in groups that wait: 1 M, some 150 MB. A topic with more damage than that is read without its order.
    /// </summary>
    public const int MaxWaiting = 1024 * 1024;

    /// <summary>Missing records looked at for one stray record: a gap that is wider has lost its order.</summary>
    private const int MaxCandidates = 1024;

    private readonly PartitionContext _context;
    private readonly GroupResolver _resolver;
    private readonly List<EventGroup> _waiting = [];
    private int _waitingRecords;

    public Leftovers(PartitionContext context)
    {
        _context = context;
        _resolver = new GroupResolver(context, this);
    }

    /// <summary>Input records that belong on clean and are not there.</summary>
    public Loose Missing { get; } = new();

    /// <summary>Clean records that are no input record.</summary>
    public Loose Stray { get; } = new();

    /// <summary>A group that can be read in several ways.</summary>
    public void Add(EventGroup group)
    {
        if (_waitingRecords >= MaxWaiting)
        {
            _resolver.Resolve(group, orderIsKnown: false);
            return;
        }

        _waiting.Add(group.Copy());
        _waitingRecords += group.InputCount + group.CleanCount;
    }

    /// <summary>Notes an input record of a decided group, if it should have a clean record and has none.</summary>
    public void Unmatched(EventGroup group, int index)
    {
        ref readonly InputEntry input = ref group.Inputs[index];
        if (group.CleanOf[index] >= 0 || input.Has(InputMarks.Tail))
        {
            return;
        }

        Judged judged = group.Judged[index];
        if (judged.BelongsOnClean)
        {
            Missing.Add(
                input.Position,
                input.Contents,
                input.Has(InputMarks.InDuplicates) ? 1u : 0
            );
        }
        else if (judged is { Outcome: Outcome.Undecided, MayBeOnClean: false })
        {
            _context.Findings.AddUnknown(judged.Unknown!.Value);
        }
    }

    /// <summary>Decides all.</summary>
    public void Decide()
    {
        _context.Backbone.Fix();
        foreach (EventGroup group in _waiting)
        {
            _resolver.Resolve(group, orderIsKnown: true);
        }

        _context.Backbone.Fix();
        Missing.Sort();
        Stray.Sort();
        bool[] found = new bool[Missing.Whole.Length];
        foreach (ref readonly LooseRecord stray in Stray.Whole)
        {
            int missing = FindChanged(stray, found);
            if (missing < 0)
            {
                DecideStray(stray.Position, stray.Other);
            }
            else
            {
                found[missing] = true;
                LooseRecord was = Missing.Whole[missing];
                _context.ReportChanged(was.Position, was.Contents, stray.Position, stray.Contents);
            }
        }

        Stray.Rest.ForEach(position => DecideStray(position, 0));
        for (int i = 0; i < found.Length; i++)
        {
            if (!found[i])
            {
                DecideMissing(Missing.Whole[i].Position, Missing.Whole[i].Other != 0);
            }
        }

        Missing.Rest.ForEach(position => DecideMissing(position, isInDuplicates: false));
        _context.Backbone.FindMoved(clean =>
            _context.Report(FindingKind.OutOfOrder, _context.Backbone.InputOf(clean), clean, "")
        );
    }

    /// <summary>
    /// A change that hits the ID makes one record missing and another stray. They are the same when they stand in the same
    /// place and differ in exactly one part.
    /// </summary>
    private int FindChanged(in LooseRecord stray, bool[] found)
    {
        ReadOnlySpan<LooseRecord> missing = Missing.Whole;
        if (missing.IsEmpty)
        {
            return -1;
        }

        (uint after, uint before) = _context.Backbone.Gap(stray.Position);
        int from = FirstAbove(missing, after);
        int to = Math.Min(missing.Length, from + MaxCandidates);
        for (int i = from; i < to && missing[i].Position < before; i++)
        {
            uint differences = (uint)stray.Contents.Differences(missing[i].Contents);
            if (!found[i] && BitOperations.PopCount(differences) == 1)
            {
                return i;
            }
        }

        return -1;
    }

    private static int FirstAbove(ReadOnlySpan<LooseRecord> records, uint position)
    {
        int low = 0;
        int high = records.Length;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (records[middle].Position <= position)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }

    private void DecideStray(uint clean, uint first)
    {
        uint firstFixed = _context.Backbone.FirstFixedClean;
        if (_context.Scope.InputHistoryDeleted && (firstFixed == 0 || clean < firstFixed))
        {
            _context.Findings.AddUnknown(UnknownReason.InputDeleted);
        }
        else if (_context.Scope.InputCompacted)
        {
            _context.Findings.AddUnknown(UnknownReason.Compacted);
        }
        else if (first != 0)
        {
            _context.Report(FindingKind.Twice, first, clean, "the same event with other contents");
        }
        else
        {
            _context.Report(FindingKind.Foreign, 0, clean, "");
        }
    }

    private void DecideMissing(uint input, bool isInDuplicates)
    {
        Backbone backbone = _context.Backbone;
        if (
            _context.Scope.CleanHistoryDeleted
            && (backbone.FirstFixedInput == 0 || input < backbone.FirstFixedInput)
        )
        {
            _context.Findings.AddUnknown(UnknownReason.CleanDeleted);
        }
        else if (_context.Scope.CleanCompacted)
        {
            _context.Findings.AddUnknown(UnknownReason.Compacted);
        }
        else if (!_context.CleanIsComplete && input > backbone.LastFixedInput)
        {
            _context.Findings.AddUnknown(UnknownReason.CleanPending);
        }
        else
        {
            string detail =
                isInDuplicates ? $"is in {_context.Duplicates!.Topic}, but is no duplicate"
                : _context.Quarantine is null
                    ? "a record that the clean topic refuses for good lies in quarantine: audit with the quarantine topic to tell"
                : "";
            _context.Report(FindingKind.Lost, input, 0, detail);
        }
    }
}
