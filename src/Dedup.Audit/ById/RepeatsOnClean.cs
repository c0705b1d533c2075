using Dedup.Audit.Contents;
using Dedup.Audit.Judging;
using Dedup.Audit.Matching;
using Dedup.Audit.Reports;

namespace Dedup.Audit.ById;

/// <summary>Finds records of one ID on clean that should not both be there.</summary>
internal sealed class RepeatsOnClean(ByIdContext context)
{
    /// <summary>Clean records before one in time that it is held against: more within a window are a topic that is damaged throughout.</summary>
    private const int MaxNeighbours = 64;

    private EventGroup _group = new();

    /// <summary>Two of an ID within a window on clean are one too many, unless the first could be forgotten by then.</summary>
    public void HoldAgainstOneAnother(EventGroup group, List<int> onClean)
    {
        _group = group;
        for (int k = 1; k < onClean.Count; k++)
        {
            int b = onClean[k];
            for (int j = k - 1; j >= Math.Max(0, k - MaxNeighbours); j--)
            {
                int a = onClean[j];
                if (!context.IsWithin(_group.Inputs[a], _group.Inputs[b]))
                {
                    break;
                }

                if (!MayFollow(a, b, out bool abUnknown) && !MayFollow(b, a, out bool baUnknown))
                {
                    if (abUnknown || baUnknown)
                    {
                        context.Findings.AddUnknown(UnknownReason.MaybeLeftOut);
                    }
                    else
                    {
                        Twice(a, b);
                    }

                    break;
                }
            }
        }
    }

    /// <summary>
    /// Whether <paramref name="second"/> may have been judged when <paramref name="first"/> no longer counted: by the clock of
    /// its own partition, or, which cannot be told from outside, because its partition had been left out.
    /// </summary>
    private bool MayFollow(int first, int second, out bool isUnknown)
    {
        ref readonly InputEntry a = ref _group.Inputs[first];
        ref readonly InputEntry b = ref _group.Inputs[second];
        isUnknown = false;
        int partition = PartitionOf(second);
        if (PartitionOf(first) == partition && a.Position > b.Position)
        {
            return false;
        }

        const InputMarks Unsure = InputMarks.HistoryDeleted | InputMarks.HistoryCompacted;
        AuditWindow window = context.Rules.WindowOf(b.Class);
        long counts = a.Contents.TimestampMs + window.WindowMs + window.GraceMs;
        if (
            b.ClockMs > counts
            || b.Has(Unsure)
            || (b.Has(InputMarks.MaybeTooFar) && context.Quarantine is null)
        )
        {
            return true;
        }

        isUnknown = context.HighestClockBeside(partition, b.Class) > counts;
        return false;
    }

    private void Twice(int a, int b)
    {
        // Of the same partition the later one is the one too many; of two partitions nobody can say.
        if (
            PartitionOf(a) == PartitionOf(b)
            && _group.Inputs[a].Position > _group.Inputs[b].Position
        )
        {
            (a, b) = (b, a);
        }

        context.Report(
            FindingKind.Twice,
            _group.Inputs[b].Position,
            _group.Cleans[_group.CleanOf[b]].Position,
            "a duplicate that should have been suppressed",
            firstClean: _group.Cleans[_group.CleanOf[a]].Position
        );
    }

    private int PartitionOf(int input) =>
        context.Whole.OfInput(_group.Inputs[input].Position).Partition;
}
