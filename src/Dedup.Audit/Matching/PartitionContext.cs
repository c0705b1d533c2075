using Dedup.Audit.Contents;
using Dedup.Audit.Intake;
using Dedup.Audit.Judging;
using Dedup.Audit.Reports;
using Dedup.Audit.Side;
using Dedup.Contracts.Identity;

namespace Dedup.Audit.Matching;

/// <summary>What the comparing of one partition needs to know, and where it writes what it finds.</summary>
internal sealed class PartitionContext(
    PartitionScope scope,
    AuditRules rules,
    long latestMs,
    SideTopic? quarantine,
    SideTopic? duplicates,
    FindingLog findings
)
{
    private readonly long[] _outcomes = new long[Enum.GetValues<Outcome>().Length];

    public PartitionScope Scope => scope;
    public AuditRules Rules => rules;
    public SideTopic? Quarantine => quarantine;
    public SideTopic? Duplicates => duplicates;
    public FindingLog Findings => findings;
    public Backbone Backbone { get; } = new(scope.CleanEnd - scope.CleanStart);
    public EventJudge Judge { get; } =
        new(rules, quarantine is not null, duplicates is not null, latestMs);

    /// <summary>Whether the clean topic could be read to the end that was fixed at the start.</summary>
    public bool CleanIsComplete { get; set; } = true;

    /// <summary>Quarantined records that nobody looked for.</summary>
    public long QuarantinedUnchecked { get; set; }

    /// <summary>Clean records whose input record lies behind the audited end.</summary>
    public long CleanAhead { get; private set; }

    /// <summary>Audited input records with that outcome.</summary>
    public long this[Outcome outcome] => _outcomes[(int)outcome];

    /// <summary>Counts an audited input record.</summary>
    public void Count(Outcome outcome) => _outcomes[(int)outcome]++;

    /// <summary>A clean record is that input record.</summary>
    public void Match(in CleanEntry clean, in InputEntry input, in Judged judged)
    {
        Backbone.Match(clean.Position, input.Position);
        CleanAhead += input.Has(InputMarks.Tail) ? 1 : 0;
        if (!rules.HasVerdicts || !(judged.BelongsOnClean || judged.MayBeOnClean))
        {
            return;
        }

        if (judged.Verdict is not { } verdict)
        {
            findings.AddUnknown(UnknownReason.VerdictUnsure);
        }
        else if (clean.Verdict != (byte)verdict)
        {
            Report(
                FindingKind.Changed,
                input.Position,
                clean.Position,
                $"its added header says the verdict {VerdictHeader.NameOf(clean.Verdict)}, it is {VerdictText.Of(verdict)}",
                RecordParts.Headers
            );
        }
    }

    /// <summary>Reports something; positions of 0 stand for no record.</summary>
    public void Report(
        FindingKind kind,
        uint input,
        uint clean,
        string detail,
        RecordParts changed = RecordParts.None,
        uint firstClean = 0
    ) =>
        findings.Add(
            new Finding
            {
                Kind = kind,
                Partition = scope.Partition,
                InputOffset = input == 0 ? null : scope.InputOffset(input),
                CleanOffset = clean == 0 ? null : scope.CleanOffset(clean),
                FirstCleanOffset = firstClean == 0 ? null : scope.CleanOffset(firstClean),
                Changed = changed,
                Detail = detail,
            }
        );

    /// <summary>Reports a changed record.</summary>
    public void ReportChanged(
        uint input,
        in RecordContents was,
        uint clean,
        in RecordContents became
    ) => Report(FindingKind.Changed, input, clean, "", became.Differences(was));
}
