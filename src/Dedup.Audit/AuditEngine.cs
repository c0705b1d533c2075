using System.Security.Cryptography;
using Dedup.Audit.ById;
using Dedup.Audit.Contents;
using Dedup.Audit.Intake;
using Dedup.Audit.Judging;
using Dedup.Audit.Logs;
using Dedup.Audit.Matching;
using Dedup.Audit.Reports;
using Dedup.Audit.Side;
using Dedup.Audit.Spill;
using Dedup.Topology.Identify;

namespace Dedup.Audit;

/// <summary>The topics of a pipeline, as an outsider reads them.</summary>
public sealed record AuditTopics
{
    /// <summary>Input topic.</summary>
    public required ITopicLog Input { get; init; }

    /// <summary>Clean topic; partition p holds what came from input partition p.</summary>
    public required ITopicLog Clean { get; init; }

    /// <summary>Quarantine topic; null: quarantined records are counted, not checked.</summary>
    public ITopicLog? Quarantine { get; init; }

    /// <summary>Duplicates topic; null when the pipeline has none.</summary>
    public ITopicLog? Duplicates { get; init; }

    /// <summary>Committed offset by partition, taken before the clean topic's end was: the audit ends there. Null: at the input's end.</summary>
    public IReadOnlyDictionary<int, long>? Committed { get; init; }

    /// <summary>The committed offset as it is now: what clean holds beyond the audit's end is looked up that far.</summary>
    public Func<int, long>? CommittedNow { get; init; }

    /// <summary>Of a pipeline with by-id: partitions of its repartition topic. Null: by-input.</summary>
    public int? RepartitionPartitions { get; init; }

    /// <summary>Where the pipeline's very first run began, by partition (start: latest or a time). Null: at the input's beginning.</summary>
    public IReadOnlyDictionary<int, long>? Started { get; init; }
}

/// <summary>What the audit may use.</summary>
/// <param name="MemoryBytes">Memory, roughly; beyond it records go to a temporary file.</param>
/// <param name="TempDirectory">Where that file lies.</param>
public readonly record struct AuditLimits(long MemoryBytes, string TempDirectory);

/// <summary>The audit itself, over any logs. Partition by partition: read both sides, judge, compare.</summary>
public sealed class AuditEngine
{
    /// <summary>Read queues of two consumers, buffers of the comparing, the runtime itself.</summary>
    /// <remarks>Measured: 397 MiB with hardly any blocks, 4 M records of 200 bytes.</remarks>
    private const long OverheadBytes = 384L * 1024 * 1024;

    /// <summary>Below this the audit only crawls; taken even where the limit is lower.</summary>
    private const long LeastBlockBytes = 16L * 1024 * 1024;

    private readonly AuditRules _rules;
    private readonly AuditTopics _topics;
    private readonly AuditLimits _limits;
    private readonly TimeProvider _time;
    private readonly FindingLog _findings = new();
    private readonly BlockPool<InputEntry> _inputBlocks = new();
    private readonly BlockPool<CleanEntry> _cleanBlocks = new();
    private readonly SipHash _hash;
    private readonly long _latestMs;
    private AuditCounts _counts = new();
    private long _recordsRead;
    private long _spilled;

    /// <summary>Makes an audit that can be run once.</summary>
    public AuditEngine(AuditRules rules, AuditTopics topics, AuditLimits limits, TimeProvider time)
    {
        if (topics.Input.Partitions != topics.Clean.Partitions)
        {
            throw new AuditException(
                $"{topics.Input.Topic} has {topics.Input.Partitions} partitions and {topics.Clean.Topic} has {topics.Clean.Partitions}: the audit compares partition by partition; name the clean topic of this input"
            );
        }

        _rules = rules;
        _topics = topics;
        _limits = limits;
        _time = time;
        _latestMs = time.GetUtcNow().ToUnixTimeMilliseconds() + rules.EffectiveMaxFutureMs;
        // A key of its own for each audit: nobody can have prepared two IDs that meet under it.
        Span<byte> key = stackalloc byte[16];
        RandomNumberGenerator.Fill(key);
        _hash = new SipHash(BitConverter.ToUInt64(key), BitConverter.ToUInt64(key[8..]));
    }

    /// <summary>Audits all partitions.</summary>
    public AuditReport Run(
        IProgress<AuditProgress>? progress = null,
        CancellationToken cancellation = default
    )
    {
        long started = _time.GetTimestamp();
        var notes = new List<string>();
        PartitionScope[] scopes =
        [
            .. Enumerable.Range(0, _topics.Input.Partitions).Select(ScopeOf),
        ];
        var meter = new ProgressMeter(progress, _time, _findings, TotalOf(scopes));
        using var sideFile = new SpillFile(_limits.TempDirectory);
        using SideTopic? quarantine = LoadSide(
            _topics.Quarantine,
            true,
            sideFile,
            meter,
            notes,
            cancellation
        );
        using SideTopic? duplicates = LoadSide(
            _topics.Duplicates,
            false,
            sideFile,
            meter,
            notes,
            cancellation
        );
        if (_topics.RepartitionPartitions is { } between)
        {
            AuditById(scopes, between, quarantine, duplicates, meter, notes, cancellation);
        }
        else
        {
            foreach (PartitionScope scope in scopes)
            {
                Audit(scope, quarantine, duplicates, meter, notes, cancellation);
            }
        }

        meter.Report(AuditPhase.Picturing);
        TimeSpan duration = _time.GetElapsedTime(started);
        var report = new AuditReport
        {
            Counts = _counts,
            Findings = _findings.Groups(finding => Pictures.Of(finding, _topics, cancellation)),
            Unknown = _findings.Unknown,
            Notes = notes,
            Duration = duration,
            RecordsRead = _recordsRead,
            SpilledBytes = _spilled + sideFile.Length,
        };
        meter.Report(AuditPhase.Done);
        return report;
    }

    private void AuditById(
        PartitionScope[] scopes,
        int repartitionPartitions,
        SideTopic? quarantine,
        SideTopic? duplicates,
        ProgressMeter meter,
        List<string> notes,
        CancellationToken cancellation
    )
    {
        var audit = new ByIdAudit(
            _rules,
            _topics,
            _hash,
            _latestMs,
            repartitionPartitions,
            _findings
        );
        using var file = new SpillFile(_limits.TempDirectory);
        _counts = audit.Run(
            scopes,
            quarantine,
            duplicates,
            BlockBytes(scopes.Sum(static s => s.CleanEnd - s.CleanStart)),
            file,
            meter,
            notes,
            cancellation
        );
        _recordsRead += audit.RecordsRead;
        _spilled += file.Length;
    }

    private long BlockBytes(long cleanPositions) =>
        Math.Max(
            LeastBlockBytes,
            _limits.MemoryBytes - OverheadBytes - (cleanPositions * sizeof(uint))
        );

    private PartitionScope ScopeOf(int partition)
    {
        LogRange input = _topics.Input.RangeOf(partition);
        LogRange clean = _topics.Clean.RangeOf(partition);
        long start = input.Low;
        bool deleted = input.Low > 0;
        if (
            _topics.Started is not null
            && _topics.Started.TryGetValue(partition, out long begun)
            && begun >= start
        )
        {
            // The state was empty there: nothing before it can matter.
            start = begun;
            deleted = false;
        }

        long end = _topics.Committed is null
            ? input.High
            : _topics.Committed.GetValueOrDefault(partition, start);
        return new PartitionScope
        {
            Partition = partition,
            InputStart = start,
            InputEnd = Math.Max(start, end),
            InputHigh = input.High,
            InputHistoryDeleted = deleted,
            InputCompacted = _topics.Input.IsCompacted,
            CleanStart = clean.Low,
            CleanEnd = clean.High,
            CleanHistoryDeleted = clean.Low > 0,
            CleanCompacted = _topics.Clean.IsCompacted,
        };
    }

    private long TotalOf(PartitionScope[] scopes)
    {
        long total = scopes.Sum(static s => s.InputEnd - s.InputStart + s.CleanEnd - s.CleanStart);
        foreach (ITopicLog? side in (ITopicLog?[])[_topics.Quarantine, _topics.Duplicates])
        {
            for (int p = 0; side is not null && p < side.Partitions; p++)
            {
                total += side.RangeOf(p).High - side.RangeOf(p).Low;
            }
        }

        return total;
    }

    private SideTopic? LoadSide(
        ITopicLog? log,
        bool isQuarantine,
        SpillFile file,
        ProgressMeter meter,
        List<string> notes,
        CancellationToken cancellation
    )
    {
        if (log is null)
        {
            return null;
        }

        var side = SideTopic.Load(
            log,
            _topics.Input.Topic,
            _topics.Input.Partitions,
            isQuarantine,
            Math.Max(LeastBlockBytes, _limits.MemoryBytes / 8),
            file,
            meter.Advance,
            cancellation
        );
        _recordsRead += side.Read;
        if (side.WithoutSource > 0)
        {
            notes.Add(
                $"{side.WithoutSource} records of {side.Topic} do not say where they came from; they were left out"
            );
        }

        return side;
    }

    private void Audit(
        PartitionScope scope,
        SideTopic? quarantine,
        SideTopic? duplicates,
        ProgressMeter meter,
        List<string> notes,
        CancellationToken cancellation
    )
    {
        long blockBytes = BlockBytes(scope.CleanEnd - scope.CleanStart);
        using var file = new SpillFile(_limits.TempDirectory);
        _inputBlocks.MemoryBytes =
            blockBytes * InputEntry.Size / (InputEntry.Size + CleanEntry.Size);
        _cleanBlocks.MemoryBytes =
            blockBytes * CleanEntry.Size / (InputEntry.Size + CleanEntry.Size);
        using var inputs = new BucketStore<InputEntry>(scope.Buckets, _inputBlocks, file);
        using var cleans = new BucketStore<CleanEntry>(scope.Buckets, _cleanBlocks, file);
        SideCursor? held = CursorOf(quarantine, scope);
        SideCursor? repeats = CursorOf(duplicates, scope);
        var inputIntake = new InputIntake(
            scope,
            _rules,
            _topics.Input.Topic,
            _hash,
            _latestMs,
            held,
            repeats,
            inputs
        );
        var cleanIntake = new CleanIntake(scope, _rules, _topics.Input.Topic, _hash, cleans);
        var reader = new PartitionReader(_topics, scope, meter);
        bool cleanIsComplete = reader.Read(inputIntake, cleanIntake, cancellation);
        if (!cleanIsComplete)
        {
            notes.Add(
                $"{_topics.Clean.Topic}-{scope.Partition} could not be read to its end: a transaction stays open; run the audit again later"
            );
        }

        var context = new PartitionContext(
            scope,
            _rules,
            _latestMs,
            quarantine,
            duplicates,
            _findings
        )
        {
            CleanIsComplete = cleanIsComplete,
        };
        Compare(context, inputs, cleans, meter, cancellation);
        Sum(context, inputIntake, cleanIntake, held, repeats);
        _spilled += file.Length;
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
                _findings
            );

    private static void Compare(
        PartitionContext context,
        BucketStore<InputEntry> inputs,
        BucketStore<CleanEntry> cleans,
        ProgressMeter meter,
        CancellationToken cancellation
    )
    {
        var leftovers = new Leftovers(context);
        new BucketMatcher(new GroupMatcher(context, leftovers).Match).MatchAll(
            inputs,
            cleans,
            meter,
            cancellation
        );
        leftovers.Decide();
    }

    private void Sum(
        PartitionContext context,
        InputIntake input,
        CleanIntake clean,
        SideCursor? quarantine,
        SideCursor? duplicates
    )
    {
        long judged = Enum.GetValues<Outcome>().Sum(outcome => context[outcome]);
        if (judged != input.Audited)
        {
            throw new InvalidOperationException(
                $"the audit judged {judged} of {input.Audited} records"
            );
        }

        _recordsRead += input.Read + clean.Read;
        _counts = _counts with
        {
            In = _counts.In + input.Audited,
            First = _counts.First + context[Outcome.First],
            Late = _counts.Late + context[Outcome.LateForwarded],
            Conflicts = _counts.Conflicts + context[Outcome.ConflictForwarded],
            Unjudged = _counts.Unjudged + context[Outcome.Unjudged],
            Spared = _counts.Spared + context[Outcome.Spared],
            Duplicates = _counts.Duplicates + context[Outcome.Duplicate],
            Quarantined =
                _counts.Quarantined
                + context[Outcome.Quarantined]
                + context[Outcome.WronglyQuarantined],
            QuarantinedUnchecked = _counts.QuarantinedUnchecked + context.QuarantinedUnchecked,
            Dropped = _counts.Dropped + context[Outcome.LateDropped],
            Undecided = _counts.Undecided + context[Outcome.Undecided],
            Clean = _counts.Clean + clean.Read,
            CleanAhead = _counts.CleanAhead + context.CleanAhead,
            InQuarantineTopic = _counts.InQuarantineTopic + (quarantine?.Matched ?? 0),
            InDuplicatesTopic = _counts.InDuplicatesTopic + (duplicates?.Matched ?? 0),
        };
    }
}
