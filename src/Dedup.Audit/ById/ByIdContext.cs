using Dedup.Audit.Contents;
using Dedup.Audit.Intake;
using Dedup.Audit.Judging;
using Dedup.Audit.Reports;
using Dedup.Audit.Side;

namespace Dedup.Audit.ById;

/// <summary>What the comparing of a by-id pipeline needs to know, and where it writes what it finds.</summary>
internal sealed class ByIdContext(
    WholeScope whole,
    AuditRules rules,
    long latestMs,
    SideTopic? quarantine,
    SideTopic? duplicates,
    FindingLog findings,
    RouteOrder order
)
{
    private const InputMarks Unsure =
        InputMarks.HistoryDeleted
        | InputMarks.HistoryCompacted
        | InputMarks.MaybeTooFar
        | InputMarks.ClockUnsure;

    private readonly long[] _outcomes = new long[Enum.GetValues<Outcome>().Length];

    public WholeScope Whole => whole;
    public AuditRules Rules => rules;
    public long LatestMs => latestMs;
    public SideTopic? Quarantine => quarantine;
    public SideTopic? Duplicates => duplicates;
    public FindingLog Findings => findings;
    public RouteOrder Order => order;

    /// <summary>Whether the clean topic could be read to the end that was fixed at the start.</summary>
    public bool CleanIsComplete { get; set; } = true;

    /// <summary>Whether a clean partition has lost its beginning, or records from its middle.</summary>
    public bool CleanHasGaps { get; init; }

    /// <summary>Records up to that time may repeat one that was deleted from an input partition; long.MinValue when none was.</summary>
    public long DoubtUntilMs { get; set; } = long.MinValue;

    /// <summary>Last clocks by input partition and class.</summary>
    public List<long[]> Clocks { get; } = [];

    /// <summary>Quarantined records that nobody looked for.</summary>
    public long QuarantinedUnchecked { get; set; }

    /// <summary>Clean records whose input record lies behind the audited end.</summary>
    public long CleanAhead { get; set; }

    /// <summary>Audited input records with that outcome.</summary>
    public long this[Outcome outcome] => _outcomes[(int)outcome];

    /// <summary>Counts an audited input record.</summary>
    public void Count(Outcome outcome) => _outcomes[(int)outcome]++;

    /// <summary>
    /// The highest clock of a class over all input partitions but one: state cannot have expired beyond it, wherever that one
    /// was left out as idle. long.MinValue when there is no other.
    /// </summary>
    public long HighestClockBeside(int partition, ushort windowClass)
    {
        long highest = long.MinValue;
        for (int p = 0; p < Clocks.Count; p++)
        {
            if (p != partition && windowClass < Clocks[p].Length)
            {
                highest = Math.Max(highest, Clocks[p][windowClass]);
            }
        }

        return highest;
    }

    /// <summary>Whether two records of an ID are the same event by their times: within a window, or in neighbouring buckets.</summary>
    public bool IsWithin(in InputEntry a, in InputEntry b) =>
        EventMemory.IsSame(a.TimeMs, b, rules.WindowOf(b.Class));

    /// <summary>
    /// Whether <paramref name="second"/> may have been judged when <paramref name="first"/> no longer counted: by the clock of
    /// its own partition, or, which cannot be told from outside, because its partition had been left out.
    /// </summary>
    public bool MayFollow(in InputEntry first, in InputEntry second, out bool isUnknown)
    {
        isUnknown = false;
        int partition = whole.OfInput(second.Position).Partition;
        if (
            whole.OfInput(first.Position).Partition == partition
            && first.Position > second.Position
        )
        {
            return false;
        }

        long counts = CountsUntil(first, second.Class);
        if (second.ClockMs > counts || second.Has(Unsure))
        {
            return true;
        }

        isUnknown = HighestClockBeside(partition, second.Class) > counts;
        return false;
    }

    /// <summary>
    /// Whether a record may have counted when the other was judged, if it was remembered. What is remembered expires by the slowest input
    /// partition, and how far that one was then does not show: it may, unless there is no other partition. Of a later one of the
    /// record's own partition, which cannot have counted, only whether it would have by that partition's clock.
    /// </summary>
    public bool MayCountFor(in InputEntry first, in InputEntry record, bool isLater) =>
        (MayLagBehind && !isLater)
        || (
            MayBeRemembered(first)
            && (record.Has(Unsure) || record.ClockMs <= CountsUntil(first, record.Class))
        );

    /// <summary>
    /// Whether a record on clean may have been remembered: one so late that it had expired when it came was forwarded and not
    /// remembered.
    /// </summary>
    public bool MayBeRemembered(in InputEntry first) =>
        MayLagBehind || first.Has(Unsure) || first.ClockMs <= CountsUntil(first, first.Class);

    /// <summary>Whether state may expire by a clock that is behind that of the record's own partition.</summary>
    public bool MayLagBehind => Clocks.Count > 1;

    /// <summary>The last clock by which a record still counts for those of a class.</summary>
    public long CountsUntil(in InputEntry first, ushort windowClass)
    {
        AuditWindow window = rules.WindowOf(windowClass);
        return first.TimeMs + window.WindowMs + window.GraceMs;
    }

    /// <summary>Whether a record may be late: by its own clock, or by one of the others if its partition was left out.</summary>
    public bool MayBeLate(in InputEntry input, int partition) =>
        input.TimeMs
        < Math.Max(input.ClockMs, HighestClockBeside(partition, input.Class))
            - rules.WindowOf(input.Class).GraceMs;

    /// <summary>Whether a record that is in no topic may have been dropped as late, and not as a duplicate.</summary>
    public bool MayBeDropped(in InputEntry input, int partition) =>
        rules.Late == AuditLatePolicy.Drop
        && !input.Has(InputMarks.InDuplicates)
        && MayBeLate(input, partition);

    /// <summary>Reports something; positions of 0 stand for no record.</summary>
    public void Report(
        FindingKind kind,
        uint input,
        uint clean,
        string detail,
        RecordParts changed = RecordParts.None,
        uint firstClean = 0
    )
    {
        PartitionScope scope = clean != 0 ? whole.OfClean(clean) : whole.OfInput(input);
        PartitionScope? first = firstClean == 0 ? null : whole.OfClean(firstClean);
        if (first is not null && first.Partition != scope.Partition)
        {
            detail =
                $"{detail}{(detail.Length > 0 ? "; " : "")}the other one is in clean partition {first.Partition} at offset {first.CleanOffset(firstClean)}";
            first = null;
        }

        findings.Add(
            new Finding
            {
                Kind = kind,
                Partition = scope.Partition,
                InputOffset = input == 0 ? null : whole.OfInput(input).InputOffset(input),
                CleanOffset = clean == 0 ? null : scope.CleanOffset(clean),
                FirstCleanOffset = first?.CleanOffset(firstClean),
                Changed = changed,
                Detail = detail,
            }
        );
    }
}
