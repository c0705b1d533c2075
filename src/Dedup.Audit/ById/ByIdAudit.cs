using Dedup.Audit.Contents;
using Dedup.Audit.Intake;
using Dedup.Audit.Judging;
using Dedup.Audit.Matching;
using Dedup.Audit.Reports;
using Dedup.Audit.Side;
using Dedup.Audit.Spill;
using Dedup.Topology.Identify;

namespace Dedup.Audit.ById;

/// <summary>
/// The audit of a pipeline with partitioning: by-id. All partitions are read first, since the records of an ID may lie in any
/// of them; then each ID is compared over all partitions at once.
/// </summary>
/// <remarks>
/// Which of two records in two partitions was judged first cannot be told from outside, so no verdict is worked out for each
/// record as in by-input. What is asked: is every clean record an input record of its partition, byte for byte; are no two of
/// an ID within a window on clean; does every input record that is not on clean repeat one that is, and not only later ones of
/// its own partition; is it in quarantine, or dropped as late, where it has to be; is the order kept where it is promised.
/// </remarks>
internal sealed class ByIdAudit(
    AuditRules rules,
    AuditTopics topics,
    SipHash hash,
    long latestMs,
    int repartitionPartitions,
    FindingLog findings
)
{
    private readonly BlockPool<InputEntry> _inputBlocks = new();
    private readonly BlockPool<CleanEntry> _cleanBlocks = new();

    /// <summary>Records read from input and clean.</summary>
    public long RecordsRead { get; private set; }

    /// <summary>Audits; gives the counts.</summary>
    public AuditCounts Run(
        PartitionScope[] scopes,
        SideTopic? quarantine,
        SideTopic? duplicates,
        long blockBytes,
        SpillFile file,
        ProgressMeter meter,
        List<string> notes,
        CancellationToken cancellation
    )
    {
        var whole = new WholeScope(scopes);
        var order = new RouteOrder(whole, repartitionPartitions);
        var context = new ByIdContext(
            whole,
            rules,
            latestMs,
            quarantine,
            duplicates,
            findings,
            order
        )
        {
            CleanHasGaps = scopes.Any(static s => s.CleanHistoryDeleted || s.CleanCompacted),
        };
        const int Both = InputEntry.Size + CleanEntry.Size;
        _inputBlocks.MemoryBytes = blockBytes * InputEntry.Size / Both;
        _cleanBlocks.MemoryBytes = blockBytes * CleanEntry.Size / Both;
        int buckets = PartitionScope.BucketsFor(
            Math.Max(whole.InputPositions, whole.CleanPositions)
        );
        using var inputs = new BucketStore<InputEntry>(buckets, _inputBlocks, file);
        using var cleans = new BucketStore<CleanEntry>(buckets, _cleanBlocks, file);
        var counts = new AuditCounts();
        foreach (PartitionScope scope in whole.Scopes)
        {
            SideCursor? held = CursorOf(quarantine, scope);
            SideCursor? repeats = CursorOf(duplicates, scope);
            var input = new InputIntake(
                scope,
                rules,
                topics.Input.Topic,
                hash,
                latestMs,
                held,
                repeats,
                inputs
            );
            var clean = new CleanIntake(scope, rules, topics.Input.Topic, hash, cleans, order);
            bool isComplete = new PartitionReader(topics, scope, meter).Read(
                input,
                clean,
                cancellation
            );
            if (!isComplete)
            {
                context.CleanIsComplete = false;
                notes.Add(
                    $"{topics.Clean.Topic}-{scope.Partition} could not be read to its end: a transaction stays open; run the audit again later"
                );
            }

            context.Clocks.Add(input.Clocks.ToArray());
            context.DoubtUntilMs = Math.Max(context.DoubtUntilMs, input.DoubtUntilMs);
            RecordsRead += input.Read + clean.Read;
            counts = counts with
            {
                In = counts.In + input.Audited,
                Clean = counts.Clean + clean.Read,
                InQuarantineTopic = counts.InQuarantineTopic + (held?.Matched ?? 0),
                InDuplicatesTopic = counts.InDuplicatesTopic + (repeats?.Matched ?? 0),
            };
        }

        Compare(context, inputs, cleans, meter, cancellation);
        return Sum(context, counts);
    }

    private static void Compare(
        ByIdContext context,
        BucketStore<InputEntry> inputs,
        BucketStore<CleanEntry> cleans,
        ProgressMeter meter,
        CancellationToken cancellation
    )
    {
        new BucketMatcher(new ByIdMatcher(context).Match).MatchAll(
            inputs,
            cleans,
            meter,
            cancellation
        );
        context.Order.FindMoved(
            (clean, input) => context.Report(FindingKind.OutOfOrder, input, clean, "")
        );
    }

    private static AuditCounts Sum(ByIdContext context, AuditCounts counts)
    {
        long judged = Enum.GetValues<Outcome>().Sum(outcome => context[outcome]);
        if (judged != counts.In)
        {
            throw new InvalidOperationException(
                $"the audit judged {judged} of {counts.In} records"
            );
        }

        return counts with
        {
            First = context[Outcome.First],
            Late = context[Outcome.LateForwarded],
            Conflicts = context[Outcome.ConflictForwarded],
            Unjudged = context[Outcome.Unjudged],
            Spared = context[Outcome.Spared],
            Duplicates = context[Outcome.Duplicate],
            Quarantined = context[Outcome.Quarantined] + context[Outcome.WronglyQuarantined],
            QuarantinedUnchecked = context.QuarantinedUnchecked,
            Dropped = context[Outcome.LateDropped],
            Undecided = context[Outcome.Undecided],
            CleanAhead = context.CleanAhead,
        };
    }

    private SideCursor? CursorOf(SideTopic? side, PartitionScope scope) =>
        side is null
            ? null
            : new SideCursor(
                side.Of(scope.Partition),
                side.Topic,
                scope.Partition,
                scope.InputStart,
                scope.InputHistoryDeleted,
                scope.InputCompacted,
                findings
            );
}
