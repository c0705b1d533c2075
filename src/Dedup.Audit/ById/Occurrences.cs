using Dedup.Audit.Contents;
using Dedup.Audit.Judging;
using Dedup.Audit.Matching;

namespace Dedup.Audit.ById;

/// <summary>What of an event stands near a record of it, on clean or, with refresh, suppressed.</summary>
/// <param name="OnClean">Whether a record on clean does.</param>
/// <param name="OnlyLater">Whether all that do are later ones of its own partition.</param>
/// <param name="IsNamed">Whether the one that the duplicates topic names is among them.</param>
/// <param name="SameContents">Whether one of them has its fingerprint, or one is unknown.</param>
/// <param name="OtherContents">Whether one of them has another.</param>
/// <param name="IsSure">Whether one of them was remembered for certain when the record was judged.</param>
/// <param name="InDoubt">
/// Where none of them is one to repeat but because a clock is in doubt, that of a record or that by which state expired: a
/// record whose own clock had passed it, or, where all are later ones of its own partition, itself. <see cref="None"/> where one
/// counts by the clocks as they seem, or where nothing is near.
/// </param>
internal readonly record struct Near(
    bool OnClean,
    bool OnlyLater,
    bool IsNamed,
    bool SameContents,
    bool OtherContents,
    bool IsSure,
    int InDoubt
)
{
    /// <summary><see cref="InDoubt"/> of no record.</summary>
    public const int None = -1;

    /// <summary>
    /// <see cref="InDoubt"/> with another one near, that counts because of the doubt in that record. A later one decides
    /// nothing where there are others.
    /// </summary>
    public int InDoubtWith(int doubt, bool isLater) =>
        OnClean && (InDoubt == None || isLater) ? InDoubt : doubt;
}

/// <summary>Who is near whom in time, among all records of one ID.</summary>
/// <remarks>
/// With refresh a suppressed record moves the window on when it is later than what it repeats. So from a record on clean
/// upwards in time, each suppressed one that is within a window of the one before it is <em>reached</em>.
/// </remarks>
internal sealed class Occurrences(ByIdContext context)
{
    private readonly List<int> _onClean = [];
    private readonly List<int> _reached = [];
    private readonly Dictionary<uint, int> _last = [];
    private readonly Dictionary<int, int> _reachedInDoubt = [];
    private EventGroup _group = new();

    /// <summary>Records on clean by time.</summary>
    public List<int> OnClean => _onClean;

    /// <summary>Suppressed records that the window counts from as well, by time; empty without refresh.</summary>
    public List<int> Reached => _reached;

    /// <summary>Looks at a group that has been paired.</summary>
    public void Collect(EventGroup group)
    {
        _group = group;
        _onClean.Clear();
        _reached.Clear();
        _reachedInDoubt.Clear();
        for (int i = 0; i < group.InputCount; i++)
        {
            if (group.CleanOf[i] >= 0)
            {
                _onClean.Add(i);
            }
        }

        group.SortByTime(_onClean);
        if (context.Rules.Refresh)
        {
            Reach();
        }
    }

    /// <summary>What is near a record that is not on clean.</summary>
    public Near NearTo(int i, int partition)
    {
        ref readonly InputEntry input = ref _group.Inputs[i];
        var near = new Near(false, OnlyLater: true, false, false, false, false, Near.None);
        foreach (int first in _onClean)
        {
            ref readonly InputEntry other = ref _group.Inputs[first];
            bool isHere = context.Whole.OfInput(other.Position).Partition == partition;
            bool isLater = isHere && other.Position > input.Position;
            if (!context.IsWithin(other, input) || !context.MayCountFor(other, input, isLater))
            {
                continue;
            }

            bool differs = Differs(other, input);
            near = new Near(
                true,
                near.OnlyLater && isLater,
                near.IsNamed || other.Position == input.FirstPosition,
                near.SameContents || !differs,
                near.OtherContents || differs,
                near.IsSure || (isHere && !isLater && CountsFor(other, input, partition)),
                near.InDoubtWith(isLater ? i : DoubtOf(first, i), isLater)
            );
        }

        foreach (int moved in _reached)
        {
            ref readonly InputEntry other = ref _group.Inputs[moved];
            if (
                moved == i
                || (context.IsWithin(other, input) && context.MayCountFor(other, input, false))
            )
            {
                // The window may count from it, whichever first it repeats.
                bool differs = moved != i && Differs(other, input);
                near = new Near(
                    true,
                    OnlyLater: false,
                    IsNamed: true,
                    near.SameContents || !differs,
                    near.OtherContents || differs,
                    near.IsSure,
                    near.InDoubtWith(moved == i ? ReachedInDoubt(i) : DoubtOf(moved, i), false)
                );
            }
        }

        return near;
    }

    /// <summary>
    /// Of a record that may count for another: which one's clock has to have been lower than it seems for that, or
    /// <see cref="Near.None"/> where it counts by the clocks as they seem.
    /// </summary>
    private int DoubtOf(int first, int record)
    {
        ref readonly InputEntry a = ref _group.Inputs[first];
        ref readonly InputEntry b = ref _group.Inputs[record];
        return a.ClockMs > context.CountsUntil(a, a.Class) ? first
            : b.ClockMs > context.CountsUntil(a, b.Class) ? record
            : ReachedInDoubt(first);
    }

    private int ReachedInDoubt(int moved) => _reachedInDoubt.GetValueOrDefault(moved, Near.None);

    /// <summary>
    /// Whether a record on clean of the record's own partition still counted for it, also if that had been left out. A conflict
    /// that was forwarded is not remembered.
    /// </summary>
    private bool CountsFor(in InputEntry first, in InputEntry record, int partition)
    {
        if (context.Rules.ComparesContents && context.Rules.Conflict == AuditConflictPolicy.Clean)
        {
            return false;
        }

        long last = context.CountsUntil(first, record.Class);
        return record.ClockMs <= last
            && context.HighestClockBeside(partition, record.Class) <= last;
    }

    private static bool Differs(in InputEntry a, in InputEntry b) =>
        a.Fingerprint != 0 && b.Fingerprint != 0 && a.Fingerprint != b.Fingerprint;

    private void Reach()
    {
        List<int> suppressed = [];
        for (int i = 0; i < _group.InputCount; i++)
        {
            ref readonly InputEntry input = ref _group.Inputs[i];
            if (
                _group.CleanOf[i] < 0
                && input.BucketMs == 0
                && !input.Has(InputMarks.InQuarantine)
                && !EventJudge.IsInvalid(input, context.LatestMs)
            )
            {
                suppressed.Add(i);
            }
        }

        _group.SortByTime(suppressed);
        _last.Clear();
        int next = 0;
        foreach (int i in suppressed)
        {
            ref readonly InputEntry input = ref _group.Inputs[i];
            while (next < _onClean.Count && _group.Inputs[_onClean[next]].TimeMs < input.TimeMs)
            {
                int first = _onClean[next++];
                if (context.MayBeRemembered(_group.Inputs[first]))
                {
                    // Else it would hide the one before it, which the window does count from.
                    _last[ContentsOf(first)] = first;
                }
            }

            if (
                _last.TryGetValue(ContentsOf(i), out int last)
                && context.IsWithin(_group.Inputs[last], input)
                && context.MayCountFor(_group.Inputs[last], input, isLater: false)
            )
            {
                _reached.Add(i);
                if (DoubtOf(last, i) is var doubt and not Near.None)
                {
                    // What it moves the window on to counts no more surely than it does itself.
                    _reachedInDoubt[i] = doubt;
                }

                _last[ContentsOf(i)] = i;
            }
        }
    }

    /// <summary>Contents that have a chain of their own: of conflicts only those that count as duplicates share one.</summary>
    private uint ContentsOf(int i) =>
        context.Rules.Conflict == AuditConflictPolicy.Duplicate ? 0 : _group.Inputs[i].Fingerprint;
}
