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

                if (MayBeConflicts(a, b, onClean))
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
    /// With refresh: a record on clean behind a suppressed one of its own partition, within a window of it. Not where a still
    /// later one may have taken the place of that.
    /// </summary>
    public void HoldAgainstSuppressed(EventGroup group, List<int> onClean, List<int> suppressed)
    {
        _group = group;
        if (suppressed.Count == 0)
        {
            return;
        }

        long latestMs = group.Inputs[suppressed[^1]].TimeMs;
        foreach (int b in onClean)
        {
            foreach (int d in suppressed)
            {
                ref readonly InputEntry moved = ref group.Inputs[d];
                ref readonly InputEntry record = ref group.Inputs[b];
                if (
                    PartitionOf(d) == PartitionOf(b)
                    && moved.Position < record.Position
                    && moved.TimeMs <= record.TimeMs
                    && latestMs <= record.TimeMs
                    && context.IsWithin(moved, record)
                    && !context.MayBeDropped(moved, PartitionOf(d))
                    && !MayBeConflicts(d, b, onClean)
                    && !MayFollow(d, b, out bool isUnknown)
                )
                {
                    if (isUnknown)
                    {
                        context.Findings.AddUnknown(UnknownReason.MaybeLeftOut);
                    }
                    else
                    {
                        context.Report(
                            FindingKind.Twice,
                            record.Position,
                            group.Cleans[group.CleanOf[b]].Position,
                            "a duplicate of one that was suppressed within the window"
                        );
                    }

                    break;
                }
            }
        }
    }

    /// <summary>
    /// Whether two may both be on clean since conflicts are forwarded: contents that differ, or equal ones beside which a third
    /// stands that differs, where it cannot be told which came first.
    /// </summary>
    private bool MayBeConflicts(int a, int b, List<int> onClean)
    {
        if (!context.Rules.ComparesContents || context.Rules.Conflict != AuditConflictPolicy.Clean)
        {
            return false;
        }

        if (Differ(a, b))
        {
            return true;
        }

        foreach (int c in onClean)
        {
            if (
                Differ(b, c)
                && (
                    context.Rules.Refresh
                    || context.IsWithin(_group.Inputs[c], _group.Inputs[a])
                    || context.IsWithin(_group.Inputs[c], _group.Inputs[b])
                )
            )
            {
                context.Findings.AddUnknown(UnknownReason.ConflictOrder);
                return true;
            }
        }

        return false;
    }

    private bool Differ(int a, int b) =>
        _group.Inputs[a].Fingerprint != 0
        && _group.Inputs[b].Fingerprint != 0
        && _group.Inputs[a].Fingerprint != _group.Inputs[b].Fingerprint;

    private bool MayFollow(int first, int second, out bool isUnknown) =>
        context.MayFollow(_group.Inputs[first], _group.Inputs[second], out isUnknown);

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
