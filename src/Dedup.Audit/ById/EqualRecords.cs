using Dedup.Audit.Contents;
using Dedup.Audit.Judging;
using Dedup.Audit.Matching;

namespace Dedup.Audit.ById;

/// <summary>
/// Pairs clean records of an ID with input records of the same contents in the same partition. Of several equal ones (a
/// producer's retries) those are meant that may have come through beside all else of the ID that is on clean.
/// </summary>
internal sealed class EqualRecords(ByIdContext context)
{
    /// <summary>Clean records near one in time that it is held against: more are a topic that is damaged throughout.</summary>
    private const int MaxNeighbours = 64;

    private readonly Dictionary<(int Partition, RecordContents Contents), Copies> _copies = [];

    // Input records that are paired, by time.
    private readonly List<int> _onClean = [];

    // Where conflicts are forwarded, and it is not plain which copies came through: all that were judged, by time.
    private readonly List<int> _judged = [];
    private EventGroup _group = new();

    /// <summary>Pairs them.</summary>
    public void Pair(EventGroup group)
    {
        _group = group;
        Collect();
        // Who can be told without asking tells something of the others.
        PairThose(whoAreSure: true);
        PairThose(whoAreSure: false);
    }

    private void Collect()
    {
        _copies.Clear();
        _onClean.Clear();
        for (int i = 0; i < _group.InputCount; i++)
        {
            (int, RecordContents) name = (PartitionOf(i), _group.Inputs[i].Contents);
            if (!_copies.TryGetValue(name, out Copies? copies))
            {
                _copies[name] = copies = new Copies();
            }

            if (_group.Inputs[i].Has(InputMarks.InDuplicates | InputMarks.InQuarantine))
            {
                (copies.InSideTopic ??= new()).Enqueue(i);
            }
            else
            {
                copies.Waiting.Enqueue(i);
            }
        }

        for (int c = 0; c < _group.CleanCount; c++)
        {
            if (CopiesOf(c) is { } copies)
            {
                copies.Clean++;
                copies.AreSure = copies.Waiting.Count <= copies.Clean;
            }
        }

        _judged.Clear();
        if (
            ForwardsConflicts && _copies.Values.Any(static c => c is { Clean: > 0, AreSure: false })
        )
        {
            CollectJudged();
        }
    }

    private void CollectJudged()
    {
        for (int i = 0; i < _group.InputCount; i++)
        {
            if (
                !_group.Inputs[i].Has(InputMarks.InQuarantine)
                && !EventJudge.IsInvalid(_group.Inputs[i], context.LatestMs)
            )
            {
                _judged.Add(i);
            }
        }

        _group.SortByTime(_judged);
        foreach (Copies copies in _copies.Values)
        {
            if (copies is { Clean: > 0, AreSure: false })
            {
                copies.Due = copies.Waiting.Count(IsDue);
            }
        }
    }

    private void PairThose(bool whoAreSure)
    {
        int partition = -1;
        uint before = 0;
        for (int c = 0; c < _group.CleanCount; c++)
        {
            int itsPartition = context.Whole.OfClean(_group.Cleans[c].Position).Partition;
            before = itsPartition == partition ? before : 0;
            partition = itsPartition;
            if (
                _group.InputOf[c] < 0
                && CopiesOf(c) is { } copies
                && copies.AreSure == whoAreSure
                && Take(copies, before) is var input and >= 0
            )
            {
                copies.Clean--;
                _group.Pair(c, input);
                _onClean.Insert(FirstFrom(_onClean, _group.Inputs[input].TimeMs), input);
                context.CleanAhead += _group.Inputs[input].Has(InputMarks.Tail) ? 1 : 0;
                if (!MayBeLaterOne(input, copies))
                {
                    context.Order.Match(_group.Cleans[c].Position, _group.Inputs[input].Position);
                }
            }

            before =
                _group.InputOf[c] < 0
                    ? before
                    : Math.Max(before, _group.Inputs[_group.InputOf[c]].Position);
        }
    }

    /// <summary>
    /// The first that lies in no side topic and may have come through; else the first that lies in none; else the first. -1 when
    /// all are taken.
    /// </summary>
    private int Take(Copies copies, uint before)
    {
        while (copies.Waiting.TryDequeue(out int i))
        {
            ref readonly InputEntry input = ref _group.Inputs[i];
            bool isDue = ForwardsConflicts && !copies.AreSure && IsDue(i);
            copies.Due -= isDue ? 1 : 0;
            if (
                !copies.AreSure
                && MayBeSuppressed(input)
                && (
                    input.Position < before
                    || IsKeptBack(input)
                    || (ForwardsConflicts && !isDue && copies.Due >= copies.Clean)
                )
            )
            {
                // For good: what is paired stays so, and what comes next is behind the same records on clean.
                (copies.KeptBack ??= new()).Enqueue(i);
            }
            else
            {
                return i;
            }
        }

        return copies.KeptBack is { } keptBack && keptBack.TryDequeue(out int kept) ? kept
            : copies.InSideTopic is { } inSideTopic && inSideTopic.TryDequeue(out int aside) ? aside
            : -1;
    }

    /// <summary>
    /// Whether conflicts are on clean and not remembered: of equal records each comes through then, but where one of the same
    /// contents is what counts.
    /// </summary>
    private bool ForwardsConflicts =>
        context.Rules.ComparesContents && context.Rules.Conflict == AuditConflictPolicy.Clean;

    /// <summary>Whether it is kept from clean when it repeats something.</summary>
    private bool MayBeSuppressed(in InputEntry input) =>
        input.Has(InputMarks.Enforced) && !EventJudge.IsInvalid(input, context.LatestMs);

    /// <summary>Whether it would be one too many beside a record of the ID that is on clean, of whatever contents.</summary>
    private bool IsKeptBack(in InputEntry input)
    {
        if (MayBeConflict(input))
        {
            return false;
        }

        int from = FirstFrom(_onClean, input.TimeMs - ReachOf(input));
        for (int k = from; k < Math.Min(_onClean.Count, from + MaxNeighbours); k++)
        {
            ref readonly InputEntry other = ref _group.Inputs[_onClean[k]];
            if (
                context.IsWithin(other, input)
                && !context.MayFollow(other, input, out _)
                && !context.MayFollow(input, other, out _)
            )
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// Whether it may have been forwarded as a conflict: something near it, or near what it repeats, has other contents. With
    /// refresh that may be any.
    /// </summary>
    private bool MayBeConflict(in InputEntry input)
    {
        if (!ForwardsConflicts)
        {
            return false;
        }

        bool isAny = context.Rules.Refresh;
        long reach = 2 * ReachOf(input);
        int from = isAny ? 0 : FirstFrom(_judged, input.TimeMs - reach);
        for (int k = from; k < _judged.Count; k++)
        {
            ref readonly InputEntry other = ref _group.Inputs[_judged[k]];
            if (!isAny && other.TimeMs > input.TimeMs + reach)
            {
                break;
            }

            if (k == from + MaxNeighbours || !MayBeOfOne(other, input))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// Whether it belongs on clean whatever became of the others, since none of its contents that came before it, or in another
    /// partition, can have counted for it.
    /// </summary>
    private bool IsDue(int i)
    {
        ref readonly InputEntry input = ref _group.Inputs[i];
        int partition = PartitionOf(i);
        if (
            !MayBeSuppressed(input)
            || (
                context.Rules.Late != AuditLatePolicy.Forward && context.MayBeLate(input, partition)
            )
        )
        {
            return false;
        }

        int from = FirstFrom(_judged, input.TimeMs - ReachOf(input));
        for (int k = from; k < _judged.Count; k++)
        {
            ref readonly InputEntry other = ref _group.Inputs[_judged[k]];
            if (other.TimeMs > input.TimeMs + ReachOf(input))
            {
                break;
            }

            bool isLater = PartitionOf(_judged[k]) == partition && other.Position >= input.Position;
            if (
                k == from + MaxNeighbours
                || (
                    !isLater
                    && MayBeOfOne(other, input)
                    && context.IsWithin(other, input)
                    && context.MayCountFor(other, input, isLater: false)
                )
            )
            {
                return false;
            }
        }

        return true;
    }

    private static bool MayBeOfOne(in InputEntry a, in InputEntry b) =>
        a.Fingerprint == 0 || b.Fingerprint == 0 || a.Fingerprint == b.Fingerprint;

    /// <summary>How far in time one that it may repeat can be at most.</summary>
    private long ReachOf(in InputEntry input) =>
        input.BucketMs > 0 ? 2L * input.BucketMs : context.Rules.WindowOf(input.Class).WindowMs;

    /// <summary>
    /// Whether a later copy may be the one on clean as well: after its own partition's clock has passed what kept them back,
    /// each is forwarded as late or still kept back by what a slower partition needs, which does not show; nor does what
    /// counted for it among contents that conflict.
    /// </summary>
    private bool MayBeLaterOne(int i, Copies copies)
    {
        ref readonly InputEntry input = ref _group.Inputs[i];
        bool isInDoubt =
            context.MayLagBehind && input.ClockMs > context.CountsUntil(input, input.Class);
        return copies.Waiting.Count > copies.Clean
            && MayBeSuppressed(input)
            && (isInDoubt || (MayBeConflict(input) && !IsDue(i)));
    }

    /// <summary>Where in a list by time the records from that time on begin.</summary>
    private int FirstFrom(List<int> byTime, long timeMs)
    {
        int low = 0;
        int high = byTime.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_group.Inputs[byTime[middle]].TimeMs < timeMs)
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

    private Copies? CopiesOf(int clean) =>
        _copies.GetValueOrDefault(
            (
                context.Whole.OfClean(_group.Cleans[clean].Position).Partition,
                _group.Cleans[clean].Contents
            )
        );

    private int PartitionOf(int input) =>
        context.Whole.OfInput(_group.Inputs[input].Position).Partition;

    /// <summary>Equal input records of one partition, in order.</summary>
    private sealed class Copies
    {
        /// <summary>Those that nobody has asked for yet, and that are in no side topic.</summary>
        public Queue<int> Waiting { get; } = new();

        /// <summary>Those that something on clean keeps from there; null for none.</summary>
        public Queue<int>? KeptBack { get; set; }

        /// <summary>Those in quarantine or among the duplicates; null for none.</summary>
        public Queue<int>? InSideTopic { get; set; }

        /// <summary>Equal clean records that are not paired.</summary>
        public int Clean { get; set; }

        /// <summary>Those that wait and belong on clean whatever became of the others; 0 where conflicts are not forwarded.</summary>
        public int Due { get; set; }

        /// <summary>Whether there is a clean record for each that is in no side topic.</summary>
        public bool AreSure { get; set; }
    }
}
