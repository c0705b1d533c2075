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
                _onClean.Insert(FirstFrom(_group.Inputs[input].TimeMs), input);
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
            if (
                !copies.AreSure
                && KeepsCopiesBack(input)
                && (input.Position < before || IsKeptBack(input))
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

    /// <summary>Whether a record on clean keeps equal ones from there as long as it counts.</summary>
    private bool KeepsCopiesBack(in InputEntry input) =>
        input.Has(InputMarks.Enforced)
        && !EventJudge.IsInvalid(input, context.LatestMs)
        && (!context.Rules.ComparesContents || context.Rules.Conflict != AuditConflictPolicy.Clean);

    /// <summary>Whether it would be one too many beside a record of the ID that is on clean, of whatever contents.</summary>
    private bool IsKeptBack(in InputEntry input)
    {
        long reach =
            input.BucketMs > 0 ? 2L * input.BucketMs : context.Rules.WindowOf(input.Class).WindowMs;
        int from = FirstFrom(input.TimeMs - reach);
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
    /// Whether a later copy may be the one on clean as well: after its own partition's clock has passed what kept them back,
    /// each is forwarded as late or still kept back by what a slower partition needs, which does not show.
    /// </summary>
    private bool MayBeLaterOne(int i, Copies copies)
    {
        ref readonly InputEntry input = ref _group.Inputs[i];
        AuditWindow window = context.Rules.WindowOf(input.Class);
        return context.Clocks.Count > 1
            && copies.Waiting.Count > copies.Clean
            && KeepsCopiesBack(input)
            && input.ClockMs > input.TimeMs + window.WindowMs + window.GraceMs;
    }

    /// <summary>Where in <see cref="_onClean"/> the records from that time on begin.</summary>
    private int FirstFrom(long timeMs)
    {
        int low = 0;
        int high = _onClean.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_group.Inputs[_onClean[middle]].TimeMs < timeMs)
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

        /// <summary>Whether there is a clean record for each that is in no side topic.</summary>
        public bool AreSure { get; set; }
    }
}
