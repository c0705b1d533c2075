using Dedup.Audit.Kafka;
using Dedup.Audit.Logs;
using Dedup.Audit.Reports;

namespace Dedup.Audit;

/// <summary><c>dedup verify</c>: the audit of a pipeline's topics on a real cluster, from outside and read-only.</summary>
public static class KafkaAudit
{
    /// <summary>How often the lag is looked at while waiting.</summary>
    private static readonly TimeSpan LagInterval = TimeSpan.FromMilliseconds(250);

    /// <summary>Offsets that may be control records only: looked at record by record before they count as lag.</summary>
    private const long MaxControlLag = 10_000;

    /// <summary>Audits.</summary>
    /// <param name="request">What.</param>
    /// <param name="progress">Hears how far it is, from several threads, some ten times a second.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="AuditException">It cannot be made; the message says why.</exception>
    public static AuditReport Run(
        AuditRequest request,
        IProgress<AuditProgress>? progress = null,
        CancellationToken cancellation = default
    )
    {
        if (request.Problems() is { IsEmpty: false } problems)
        {
            throw new AuditException(string.Join("; ", problems));
        }

        var notes = new List<string>();
        using var cluster = new Cluster(request.Kafka);
        int partitions = cluster.PartitionsOf(request.Input);
        WaitForLag(request, request.Group, request.Input, cluster, progress, notes, cancellation);
        if (request.ById is { } byId)
        {
            WaitForLag(
                request,
                byId.JudgeGroup,
                byId.Repartition,
                cluster,
                progress,
                notes,
                cancellation
            );
        }

        // The order matters: what was committed before the clean topic's end was taken is on clean below that end.
        Dictionary<int, long>? committed = request.Group is null
            ? null
            : cluster.CommittedOf(request.Group, request.Input, partitions);
        LowerToJudged(request, cluster, committed, notes, cancellation);
        using ITopicLog clean = Open(request, cluster, request.Clean, notes);
        RefuseEmptyGroup(request, committed, clean, notes);
        using ITopicLog? quarantine = request.Quarantine is { } q
            ? Open(request, cluster, q, notes)
            : null;
        using ITopicLog? duplicates = request.Duplicates is { } d
            ? Open(request, cluster, d, notes)
            : null;
        using KafkaTopicLog input = Open(request, cluster, request.Input, notes);
        var topics = new AuditTopics
        {
            Input = input,
            Clean = clean,
            Quarantine = quarantine,
            Duplicates = duplicates,
            Committed = committed,
            CommittedNow = request.Group is { } group
                ? p =>
                    Math.Min(
                        cluster.CommittedOf(group, request.Input, partitions).GetValueOrDefault(p),
                        // By-id has given positions up to here; whatever clean holds was read before.
                        request.ById
                            is null
                            ? long.MaxValue
                            : input.RangeOf(p).High
                    )
                : null,
            RepartitionPartitions = request.ById is { } between
                ? cluster.PartitionsOf(between.Repartition)
                : null,
            Started = request.Started,
        };
        var limits = new AuditLimits(request.MemoryBytes, request.TempDirectory);
        var engine = new AuditEngine(request.Rules, topics, limits, request.Time);
        AuditReport report = engine.Run(progress, cancellation);
        return report with { Notes = [.. notes, .. report.Notes] };
    }

    /// <summary>With by-id the first hop's offsets run ahead of what has been judged.</summary>
    private static void LowerToJudged(
        AuditRequest request,
        Cluster cluster,
        Dictionary<int, long>? committed,
        List<string> notes,
        CancellationToken cancellation
    )
    {
        if (committed is null || request.ById is not { JudgeGroup: { } judge } byId)
        {
            return;
        }

        // Ends first, judged offsets then: what lies between was not judged, or not long ago.
        using KafkaTopicLog between = Open(request, cluster, byId.Repartition, notes);
        Dictionary<int, long> judged = cluster.CommittedOf(
            judge,
            byId.Repartition,
            between.Partitions
        );
        InFlight.Lower(committed, judged, between, cancellation);
    }

    /// <summary>A group without offsets beside a clean topic with records is a wrong name, or its offsets have expired.</summary>
    private static void RefuseEmptyGroup(
        AuditRequest request,
        Dictionary<int, long>? committed,
        ITopicLog clean,
        List<string> notes
    )
    {
        if (committed is not { Count: 0 })
        {
            return;
        }

        string what = $"group {request.Group} has committed nothing of {request.Input}";
        if (Enumerable.Range(0, clean.Partitions).Any(p => clean.RangeOf(p).High > 0))
        {
            throw new AuditException(
                $"{what}, but {request.Clean} has records: name the pipeline's group, or leave it out to audit up to the input's end"
            );
        }

        notes.Add($"{what}: nothing was audited");
    }

    private static KafkaTopicLog Open(
        AuditRequest request,
        Cluster cluster,
        string topic,
        List<string> notes
    )
    {
        int partitions = cluster.PartitionsOf(topic);
        bool? compacted = request.Compacted ?? cluster.IsCompacted(topic);
        if (compacted is null)
        {
            notes.Add(
                $"cleanup.policy of {topic} could not be read (DescribeConfigs): taken as not compacted"
            );
        }

        return Log(request, topic, cluster.RangesOf(topic, partitions), compacted ?? false);
    }

    private static KafkaTopicLog Log(
        AuditRequest request,
        string topic,
        LogRange[] ranges,
        bool compacted
    ) =>
        new(
            request.Kafka,
            topic,
            ranges,
            compacted,
            request.PendingTimeout,
            request.StallTimeout,
            request.Time
        );

    internal static void WaitForLag(
        AuditRequest request,
        string? group,
        string topic,
        Cluster cluster,
        IProgress<AuditProgress>? progress,
        List<string> notes,
        CancellationToken cancellation
    )
    {
        if (group is null || request.Wait is not { } bound || bound <= TimeSpan.Zero)
        {
            return;
        }

        long started = request.Time.GetTimestamp();
        int partitions = cluster.PartitionsOf(topic);
        LogRange[] ranges = cluster.RangesOf(topic, partitions);
        long total = ranges.Sum(static r => r.High - r.Low);
        while (true)
        {
            Dictionary<int, long> committed = cluster.CommittedOf(group, topic, partitions);
            long lag = 0;
            for (int p = 0; p < partitions; p++)
            {
                long from = Math.Max(ranges[p].Low, committed.GetValueOrDefault(p));
                lag += Lag(request, topic, ranges, p, from, cancellation);
            }

            progress?.Report(new AuditProgress(AuditPhase.Waiting, lag, total, 0));
            if (lag == 0)
            {
                return;
            }

            if (request.Time.GetElapsedTime(started) >= bound)
            {
                notes.Add(
                    $"group {group} still has a lag of {lag} records after {bound.TotalSeconds:0} s; audited up to its committed offsets"
                );
                return;
            }

            _ = cancellation.WaitHandle.WaitOne(LagInterval);
            cancellation.ThrowIfCancellationRequested();
        }
    }

    /// <summary>
    /// Records between the committed offset and the end. A producer that uses transactions leaves control records at the
    /// end, which no consumer commits past, so a short rest is counted record by record.
    /// </summary>
    private static long Lag(
        AuditRequest request,
        string topic,
        LogRange[] ranges,
        int partition,
        long from,
        CancellationToken cancellation
    )
    {
        long rest = ranges[partition].High - from;
        if (rest is <= 0 or > MaxControlLag)
        {
            return Math.Max(0, rest);
        }

        using KafkaTopicLog log = Log(request, topic, ranges, compacted: false);
        using IRecordStream stream = log.Open(
            partition,
            from,
            ranges[partition].High,
            false,
            cancellation
        );
        long records = 0;
        while (stream.Next() is { } batch)
        {
            records += batch.Count;
            batch.Release();
        }

        return records;
    }
}
