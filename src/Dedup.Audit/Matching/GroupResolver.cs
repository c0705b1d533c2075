using Dedup.Audit.Contents;
using Dedup.Audit.Judging;
using Dedup.Audit.Reports;

namespace Dedup.Audit.Matching;

/// <summary>
/// Reads a group that can be read in several ways the way that the order of all other records suggests: of two equal copies
/// the one at its place is the record and the other the damage.
/// </summary>
internal sealed class GroupResolver(PartitionContext context, Leftovers leftovers)
{
    /// <summary>How many candidates are looked at for a changed record; groups with more are damaged throughout.</summary>
    private const int MaxCandidates = 64;

    /// <summary>Decides the group.</summary>
    /// <param name="group">The group.</param>
    /// <param name="orderIsKnown">Whether the backbone can say what place a clean record has.</param>
    public void Resolve(EventGroup group, bool orderIsKnown)
    {
        int[] before = group.InputOf[..group.CleanCount];
        var known = new Dictionary<RecordContents, int>();
        for (int i = 0; i < group.InputCount; i++)
        {
            _ = known.TryAdd(group.Inputs[i].Contents, i);
        }

        MatchEqual(group, orderIsKnown);
        for (int c = 0; c < group.CleanCount; c++)
        {
            if (group.InputOf[c] < 0 && !known.ContainsKey(group.Cleans[c].Contents))
            {
                MatchChanged(group, c, orderIsKnown);
            }
        }

        Untangle(group, before);
        for (int c = 0; c < group.CleanCount; c++)
        {
            if (before[c] < 0)
            {
                Conclude(group, c, known);
            }
        }

        for (int i = 0; i < group.InputCount; i++)
        {
            leftovers.Unmatched(group, i);
        }
    }

    /// <summary>
    /// Equal input records (late ones that come through each time) can stand for one another: their clean records are dealt
    /// out in order, so that none seems moved.
    /// </summary>
    private static void Untangle(EventGroup group, int[] before)
    {
        IEnumerable<IGrouping<RecordContents, int>> equal = Enumerable
            .Range(0, group.InputCount)
            .Where(i => group.CleanOf[i] >= 0 && before[group.CleanOf[i]] < 0)
            .GroupBy(i => group.Inputs[i].Contents)
            .Where(static g => g.Skip(1).Any());
        foreach (IGrouping<RecordContents, int> inputs in equal)
        {
            int[] cleans = [.. inputs.Select(i => group.CleanOf[i]).Order()];
            foreach ((int input, int clean) in inputs.Zip(cleans))
            {
                group.CleanOf[input] = clean;
                group.InputOf[clean] = input;
            }
        }
    }

    private void Conclude(EventGroup group, int clean, Dictionary<RecordContents, int> known)
    {
        ref readonly CleanEntry record = ref group.Cleans[clean];
        int input = group.InputOf[clean];
        if (input >= 0)
        {
            context.Match(record, group.Inputs[input], group.Judged[input]);
            if (!record.Contents.Equals(group.Inputs[input].Contents))
            {
                context.ReportChanged(
                    group.Inputs[input].Position,
                    group.Inputs[input].Contents,
                    record.Position,
                    record.Contents
                );
            }
        }
        else if (known.TryGetValue(record.Contents, out int same))
        {
            Superfluous(group, clean, same);
        }
        else
        {
            int first = FirstNear(group, record.Contents.TimestampMs);
            leftovers.Stray.Add(
                record.Position,
                record.Contents,
                first < 0 ? 0 : group.Inputs[first].Position
            );
        }
    }

    /// <summary>
    /// Equal contents: first those at their place, then whatever is left, in order; each time those that belong on clean before
    /// those that may be there.
    /// </summary>
    private void MatchEqual(EventGroup group, bool orderIsKnown)
    {
        Dictionary<RecordContents, List<int>> belong = Waiting(group, static j => j.BelongsOnClean);
        Dictionary<RecordContents, List<int>> may = Waiting(group, static j => j.MayBeOnClean);
        if (orderIsKnown)
        {
            Deal(group, belong, atTheirPlace: true);
            Deal(group, may, atTheirPlace: true);
        }

        Deal(group, belong, atTheirPlace: false);
        Deal(group, may, atTheirPlace: false);
    }

    private static Dictionary<RecordContents, List<int>> Waiting(
        EventGroup group,
        Func<Judged, bool> isMeant
    )
    {
        var waiting = new Dictionary<RecordContents, List<int>>();
        for (int i = 0; i < group.InputCount; i++)
        {
            if (group.CleanOf[i] < 0 && isMeant(group.Judged[i]))
            {
                if (!waiting.TryGetValue(group.Inputs[i].Contents, out List<int>? same))
                {
                    waiting[group.Inputs[i].Contents] = same = [];
                }

                same.Add(i);
            }
        }

        return waiting;
    }

    private void Deal(
        EventGroup group,
        Dictionary<RecordContents, List<int>> waiting,
        bool atTheirPlace
    )
    {
        for (int c = 0; c < group.CleanCount; c++)
        {
            if (
                group.InputOf[c] < 0
                && waiting.TryGetValue(group.Cleans[c].Contents, out List<int>? same)
            )
            {
                int at =
                    atTheirPlace ? same.FindIndex(i => Fits(group, c, i))
                    : same.Count > 0 ? 0
                    : -1;
                if (at >= 0)
                {
                    group.Pair(c, same[at]);
                    same.RemoveAt(at);
                }
            }
        }
    }

    /// <summary>A clean record whose input record is known and does not need it.</summary>
    private void Superfluous(EventGroup group, int clean, int input)
    {
        uint position = group.Cleans[clean].Position;
        switch (group.Judged[input].Outcome)
        {
            case Outcome.Quarantined:
            case Outcome.WronglyQuarantined:
                Mismatch(
                    group.Inputs[input],
                    position,
                    "is on clean, but belongs in quarantine or is there"
                );
                break;
            case Outcome.LateDropped:
                Mismatch(
                    group.Inputs[input],
                    position,
                    "is on clean, but is late and the policy drops it"
                );
                break;
            default:
                int first = group.Judged[input].BelongsOnClean
                    ? input
                    : FirstNear(group, group.Inputs[input].TimeMs);
                uint firstClean =
                    first >= 0 && group.CleanOf[first] >= 0
                        ? group.Cleans[group.CleanOf[first]].Position
                        : 0;
                string detail =
                    first == input ? "" : "a duplicate that should have been suppressed";
                context.Report(
                    FindingKind.Twice,
                    group.Inputs[input].Position,
                    position,
                    detail,
                    firstClean: firstClean
                );
                break;
        }
    }

    /// <summary>A clean record with the ID of an expected one that is missing, but other contents.</summary>
    private void MatchChanged(EventGroup group, int clean, bool orderIsKnown)
    {
        int best = -1;
        int bestRank = int.MaxValue;
        int looked = 0;
        for (int i = 0; i < group.InputCount && looked < MaxCandidates; i++)
        {
            if (
                !IsWaiting(group, i)
                && !(group.Judged[i].Outcome == Outcome.Undecided && group.CleanOf[i] < 0)
            )
            {
                continue;
            }

            looked++;
            int differences = System.Numerics.BitOperations.PopCount(
                (uint)group.Cleans[clean].Contents.Differences(group.Inputs[i].Contents)
            );
            int rank = differences + (orderIsKnown && !Fits(group, clean, i) ? 8 : 0);
            if (
                rank >= bestRank
                || MayBelongToDeleted(group.Inputs[i], group.Cleans[clean].Position)
            )
            {
                continue;
            }

            best = i;
            bestRank = rank;
        }

        if (best >= 0)
        {
            group.Pair(clean, best);
        }
    }

    /// <summary>Whether the clean record may as well be what became of an older occurrence of the event that is gone.</summary>
    private bool MayBelongToDeleted(in InputEntry input, uint clean)
    {
        uint firstFixed = context.Backbone.FirstFixedClean;
        return input.Has(InputMarks.HistoryCompacted)
            || (input.Has(InputMarks.HistoryDeleted) && (firstFixed == 0 || clean < firstFixed));
    }

    private bool Fits(EventGroup group, int clean, int input)
    {
        (uint after, uint before) = context.Backbone.Gap(group.Cleans[clean].Position);
        uint position = group.Inputs[input].Position;
        return after < position && position < before;
    }

    /// <summary>
    /// The record that belongs on clean within the window of that time; −1 when there is none. Where the time is in the payload,
    /// that of a clean record which is no input record says nothing: any does.
    /// </summary>
    private int FirstNear(EventGroup group, long timestampMs)
    {
        for (int i = 0; i < group.InputCount; i++)
        {
            if (
                group.Judged[i].BelongsOnClean
                && (
                    context.Rules.Time is not null
                    || EventMemory.IsSame(
                        timestampMs,
                        group.Inputs[i],
                        context.Rules.WindowOf(group.Inputs[i].Class)
                    )
                )
            )
            {
                return i;
            }
        }

        return -1;
    }

    private static bool IsWaiting(EventGroup group, int i) =>
        group.CleanOf[i] < 0 && group.Judged[i].BelongsOnClean;

    private void Mismatch(in InputEntry input, uint clean, string detail) =>
        context.Report(FindingKind.LedgerMismatch, input.Position, clean, detail);
}
