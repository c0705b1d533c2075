using Dedup.Audit.Contents;
using Dedup.Audit.Judging;
using Dedup.Audit.Matching;

namespace Dedup.Audit.ById;

/// <summary>
/// Pairs clean records of an ID with input records of the same contents in the same partition. Of several equal ones (a
/// producer's retries) those are meant that may have come through.
/// </summary>
internal sealed class EqualRecords(ByIdContext context)
{
    private readonly Dictionary<(int Partition, RecordContents Contents), Copies> _copies = [];
    private EventGroup _group = new();

    /// <summary>Pairs them.</summary>
    public void Pair(EventGroup group)
    {
        _group = group;
        _copies.Clear();
        for (int i = 0; i < group.InputCount; i++)
        {
            (int, RecordContents) name = (
                context.Whole.OfInput(group.Inputs[i].Position).Partition,
                group.Inputs[i].Contents
            );
            if (!_copies.TryGetValue(name, out Copies? copies))
            {
                _copies[name] = copies = new Copies();
            }

            copies.Inputs.Add(i);
        }

        for (int c = 0; c < group.CleanCount; c++)
        {
            int partition = context.Whole.OfClean(group.Cleans[c].Position).Partition;
            if (
                _copies.TryGetValue((partition, group.Cleans[c].Contents), out Copies? copies)
                && Take(copies) is var input and >= 0
            )
            {
                group.Pair(c, input);
                context.Order.Match(group.Cleans[c].Position, group.Inputs[input].Position);
                context.CleanAhead += group.Inputs[input].Has(InputMarks.Tail) ? 1 : 0;
            }
        }
    }

    /// <summary>
    /// The first that lies in no side topic and comes when the copy before it on clean no longer counts; else the first that
    /// lies in none; else the first. -1 when all are taken.
    /// </summary>
    private int Take(Copies copies)
    {
        int chosen = -1;
        int rank = 0;
        for (int at = copies.Next; at < copies.Inputs.Count && rank < 3; at++)
        {
            int i = copies.Inputs[at];
            int its = i < 0 ? 0 : RankOf(i, copies.Last);
            if (its > rank)
            {
                rank = its;
                chosen = at;
            }
        }

        if (chosen < 0)
        {
            return -1;
        }

        int input = copies.Inputs[chosen];
        copies.Inputs[chosen] = -1;
        copies.Last = input;
        while (copies.Next < copies.Inputs.Count && copies.Inputs[copies.Next] < 0)
        {
            copies.Next++;
        }

        return input;
    }

    private int RankOf(int i, int before)
    {
        ref readonly InputEntry input = ref _group.Inputs[i];
        if (input.Has(InputMarks.InDuplicates) || input.Has(InputMarks.InQuarantine))
        {
            return 1;
        }

        if (before < 0 || !KeepsCopiesBack(input))
        {
            return 3;
        }

        AuditWindow window = context.Rules.WindowOf(input.Class);
        long last = input.TimeMs + window.WindowMs + window.GraceMs;
        return input.ClockMs > last && input.Position > _group.Inputs[before].Position ? 3 : 2;
    }

    /// <summary>Whether a record on clean keeps equal ones from there as long as it counts.</summary>
    private bool KeepsCopiesBack(in InputEntry input) =>
        input.Has(InputMarks.Enforced)
        && !EventJudge.IsInvalid(input, context.LatestMs)
        && (!context.Rules.ComparesContents || context.Rules.Conflict != AuditConflictPolicy.Clean);

    /// <summary>Equal input records of one partition, in order; -1 where one is taken.</summary>
    private sealed class Copies
    {
        public List<int> Inputs { get; } = [];

        /// <summary>The first that is not taken.</summary>
        public int Next { get; set; }

        /// <summary>The one taken last; -1 before the first.</summary>
        public int Last { get; set; } = -1;
    }
}
