using Dedup.Audit;
using Dedup.Audit.Logs;
using Dedup.Audit.Reports;
using Dedup.Simulation.Broker;
using Dedup.Simulation.Clients;
using Dedup.Simulation.Runs;
using Dedup.Simulation.Worlds;
using Dedup.Topology.Pipelines;
using Dedup.Topology.Records;

namespace Dedup.Simulation.Checkers;

/// <summary>
/// The audit of <c>dedup verify</c> over the topics of a run that the checkers found sound: whatever it reports is a mistake of
/// the audit, or one of the checkers.
/// </summary>
internal static class OutsideAudit
{
    /// <summary>Plenty for a run, so that nothing is written to a file.</summary>
    private const long MemoryBytes = 1L << 30;

    /// <summary>Audits; throws when something is found, or when nothing is unknown and the counts are not those of the ledger.</summary>
    public static void Check(SimulatedRun run)
    {
        // The audit goes by one configuration: what was judged under another one it cannot know (docs/policies.md).
        if (run.Scenario.ModeChanges.Count > 0 || (run.Scenario.IsById && IsAnyNearFuture(run)))
        {
            return;
        }

        AuditReport report = Audit(run);
        if (!report.IsSound)
        {
            Finding first = report.Findings[0].Shown[0];
            throw Broken(
                $"{string.Join(", ", report.Findings.Select(static g => $"{g.Count} {g.Kind}"))}; the first: partition {first.Partition} input {first.InputOffset} clean {first.CleanOffset} {first.Changed} {first.Detail} {first.Input} {first.Clean}"
            );
        }

        if (report.UnknownTotal == 0 && !run.Scenario.IsById)
        {
            CheckCounts(report.Counts, run.Scenario.Spec.Duplicates is not null);
        }
    }

    /// <summary>Audits the topics of a run, clean as a test has changed it.</summary>
    /// <param name="run">The run.</param>
    /// <param name="damage">What becomes of the committed records of a clean partition; null leaves them as they are.</param>
    public static AuditReport Audit(
        SimulatedRun run,
        Func<int, IReadOnlyList<ModelRecord>, IReadOnlyList<ModelRecord>>? damage = null
    )
    {
        PipelineSpec spec = run.Scenario.Spec;
        using var input = new Log(run.Cluster.Topic(spec.Input));
        using var clean = new Log(run.Cluster.Topic(spec.Clean), damage);
        using var quarantine = new Log(run.Cluster.Topic(spec.Quarantine));
        using Log? duplicates = spec.Duplicates is { } d ? new Log(run.Cluster.Topic(d)) : null;
        var topics = new AuditTopics
        {
            Input = input,
            Clean = clean,
            Quarantine = quarantine,
            Duplicates = duplicates,
            RepartitionPartitions = run.Scenario.IsById ? spec.RepartitionPartitions : null,
        };
        return new AuditEngine(
            RulesOf(spec),
            topics,
            new AuditLimits(MemoryBytes, Path.GetTempPath()),
            new Latest(run)
        ).Run();
    }

    /// <summary>
    /// Whether the two hops may disagree on whether a record is too far in the future, since their clocks differ or time has
    /// passed between them: nobody outside can know the clocks then.
    /// </summary>
    private static bool IsAnyNearFuture(SimulatedRun run)
    {
        foreach (ModelLog log in run.Cluster.Topic(run.Scenario.Spec.Input).Logs)
        {
            foreach (LogEntry entry in log.Archive.Where(static e => e.IsVisible))
            {
                long timeMs = Events.TimeOf(run.Scenario, entry.Record!).TimeMs;
                long earliestMs = ModelTime.EpochMs + entry.AppendedMs + run.EarliestClockMs;
                long latestMs = ModelTime.EpochMs + run.World.NowMs + run.LatestClockMs;
                long maxMs = run.Scenario.Spec.MaxFutureMs;
                if (timeMs > earliestMs + maxMs && timeMs <= latestMs + maxMs)
                {
                    return true;
                }
            }
        }

        return false;
    }

    private static void CheckCounts(AuditCounts counts, bool hasDuplicates)
    {
        long onClean =
            counts.First + counts.Late + counts.Conflicts + counts.Unjudged + counts.Spared;
        if (counts.Undecided != 0 || onClean != counts.Clean)
        {
            throw Broken($"by its counts {onClean} records belong on clean, {counts.Clean} are");
        }

        if (
            counts.Quarantined != counts.InQuarantineTopic
            || (hasDuplicates && counts.Duplicates != counts.InDuplicatesTopic)
        )
        {
            throw Broken(
                $"quarantined {counts.Quarantined} of {counts.InQuarantineTopic}, duplicates {counts.Duplicates} of {counts.InDuplicatesTopic}"
            );
        }
    }

    private static AuditRules RulesOf(PipelineSpec spec) =>
        new()
        {
            Recipe = spec.Recipe,
            Window = new AuditWindow(spec.Windows[0].WindowMs, spec.Windows[0].GraceMs),
            WindowOfClass = c => new AuditWindow(spec.Windows[c].WindowMs, spec.Windows[c].GraceMs),
            Late = (AuditLatePolicy)spec.Late,
            Refresh = spec.Refresh,
            Conflict = (AuditConflictPolicy)spec.Conflict,
            Mode = new AuditMode((AuditModeKind)spec.Mode.Kind, spec.Mode.Percent),
            Time = spec.Time.Payload,
            Headers = (AuditHeaders)spec.Headers,
            HasHiddenReasons = spec.Quota is not null,
            MaxFutureMs = spec.MaxFutureMs,
            MaxFutureOfClass = c => spec.MaxFutureOf(c),
        };

    private static ViolationException Broken(string what) => new(new Violation("Audit", what));

    /// <summary>The latest wall clock that any process had.</summary>
    private sealed class Latest(SimulatedRun run) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() =>
            DateTimeOffset.FromUnixTimeMilliseconds(
                ModelTime.EpochMs + run.World.NowMs + run.LatestClockMs
            );
    }

    /// <summary>All that was ever committed to a topic; of one that was changed without the offsets that it had.</summary>
    private sealed class Log : ITopicLog
    {
        private readonly ModelTopic _topic;
        private readonly LogEntry[][] _entries;

        public Log(
            ModelTopic topic,
            Func<int, IReadOnlyList<ModelRecord>, IReadOnlyList<ModelRecord>>? damage = null
        )
        {
            _topic = topic;
            _entries = [.. topic.Logs.Select(log => Visible(log, damage))];
        }

        public string Topic => _topic.Name;
        public int Partitions => _entries.Length;
        public bool IsCompacted => false;

        public LogRange RangeOf(int partition) =>
            new(0, _entries[partition].Length == 0 ? 0 : _entries[partition][^1].Offset + 1);

        public IRecordStream Open(
            int partition,
            long from,
            long to,
            bool waitForPending,
            CancellationToken cancellation
        ) => new Stream(_entries[partition], partition, from, to);

        public void Dispose() { }

        private static LogEntry[] Visible(
            ModelLog log,
            Func<int, IReadOnlyList<ModelRecord>, IReadOnlyList<ModelRecord>>? damage
        )
        {
            LogEntry[] visible = [.. log.Archive.Where(static e => e.IsVisible)];
            return damage is null
                ? visible
                :
                [
                    .. damage(log.Partition, [.. visible.Select(static e => e.Record!)])
                        .Select(
                            static (record, i) =>
                                new LogEntry
                                {
                                    Offset = i,
                                    Kind = EntryKind.Data,
                                    Record = record,
                                    ProducerId = -1,
                                    AppendedMs = 0,
                                }
                        ),
                ];
        }
    }

    private sealed class Stream(LogEntry[] entries, int partition, long from, long to)
        : IRecordStream
    {
        public long Position { get; private set; } = from;
        public bool IsComplete => Position == to;

        public RecordBatch? Next()
        {
            if (Position == to)
            {
                return null;
            }

            var batch = new ModelBatch();
            foreach (LogEntry entry in entries)
            {
                if (entry.Offset >= Position && entry.Offset < to)
                {
                    batch.Add(partition, entry);
                }
            }

            Position = to;
            return batch;
        }

        public void Dispose() { }
    }
}
