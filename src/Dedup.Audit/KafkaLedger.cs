using Dedup.Audit.Kafka;
using Dedup.Audit.Ledger;
using Dedup.Audit.Logs;

namespace Dedup.Audit;

/// <summary><c>dedup verify --ledger</c>: the pipeline's ledger against its topics on a real cluster, from outside and read-only.</summary>
public static class KafkaLedger
{
    /// <summary>A look takes some 20 ms and a busy partition commits ten times a second: most find one that nothing disturbs.</summary>
    private const int MaxLooks = 50;

    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(20);

    /// <summary>Compares.</summary>
    /// <param name="request">The pipeline; its rules do not matter.</param>
    /// <param name="changelogs">Changelogs by hop, in the order in which records go through them.</param>
    /// <param name="beginsAtZero">Whether the first run began at the input's first record where <see cref="AuditRequest.Started"/> does not say otherwise.</param>
    /// <param name="progress">Hears of waiting.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="AuditException">It cannot be made; the message says why.</exception>
    public static LedgerReport Run(
        AuditRequest request,
        IReadOnlyList<string> changelogs,
        bool beginsAtZero,
        IProgress<AuditProgress>? progress = null,
        CancellationToken cancellation = default
    )
    {
        string group =
            request.Group
            ?? throw new AuditException(
                "the ledger is that of a consumer group, and the pipeline's has committed nothing: name it with --group"
            );
        using var cluster = new Cluster(request.Kafka);
        var notes = new List<string>();
        List<(string Topic, string Group)> reads = [(request.Input, group)];
        if (request.ById is { } byId)
        {
            reads.Add((byId.Repartition, byId.JudgeGroup ?? group));
        }

        foreach ((string topic, string its) in reads)
        {
            KafkaAudit.WaitForLag(request, its, topic, cluster, progress, notes, cancellation);
        }

        string[] names =
        [
            .. reads.Select(static r => r.Topic),
            .. changelogs,
            request.Clean,
            .. new[] { request.Quarantine, request.Duplicates }.OfType<string>(),
        ];
        Moment moment = Look(cluster, reads, names, cancellation);
        Dictionary<string, KafkaTopicLog> logs = names.ToDictionary(
            static name => name,
            name => Open(request, cluster, name, moment.Ranges[name])
        );
        try
        {
            var topics = new LedgerTopics
            {
                Input = request.Input,
                Hops =
                [
                    .. reads.Select(
                        (r, i) =>
                            new LedgerHop
                            {
                                Changelog = logs[changelogs[i]],
                                Reads = logs[r.Topic],
                                Committed = moment.Committed[i],
                                Begins = p => i > 0 ? 0 : BeginOf(request, beginsAtZero, p),
                            }
                    ),
                ],
                Clean = logs[request.Clean],
                Quarantine = request.Quarantine is { } q ? logs[q] : null,
                Duplicates = request.Duplicates is { } d ? logs[d] : null,
                InMotion = moment.InMotion,
            };
            LedgerReport report = new LedgerEngine(topics).Run(cancellation);
            return report with { Notes = notes };
        }
        finally
        {
            foreach (KafkaTopicLog log in logs.Values)
            {
                log.Dispose();
            }
        }
    }

    private static long? BeginOf(AuditRequest request, bool beginsAtZero, int partition) =>
        request.Started is not null && request.Started.TryGetValue(partition, out long begun)
            ? begun
        : beginsAtZero ? 0
        : null;

    /// <summary>
    /// The ends of all topics between two looks at the committed offsets: where those are equal no transaction came between, and
    /// everything below the last stable offsets belongs to them. By-id several lanes write to one partition of clean, so that
    /// there all have to stand, with no transaction open.
    /// </summary>
    private static Moment Look(
        Cluster cluster,
        List<(string Topic, string Group)> reads,
        string[] names,
        CancellationToken cancellation
    )
    {
        Dictionary<string, int> partitions = names
            .Distinct()
            .ToDictionary(static name => name, cluster.PartitionsOf);
        for (int look = 1; ; look++)
        {
            List<Dictionary<int, long>> before = Committed();
            var ranges = partitions.ToDictionary(
                static p => p.Key,
                p => cluster.StableRangesOf(p.Key, p.Value)
            );
            List<Dictionary<int, long>> after = Committed();
            var inMotion = new HashSet<int>();
            for (int hop = 0; hop < reads.Count; hop++)
            {
                inMotion.UnionWith(
                    Enumerable
                        .Range(0, partitions[reads[hop].Topic])
                        .Where(p =>
                            before[hop].GetValueOrDefault(p, -1)
                            != after[hop].GetValueOrDefault(p, -1)
                        )
                );
            }

            if (reads.Count > 1 && (inMotion.Count > 0 || IsAnyOpen(cluster, partitions, ranges)))
            {
                inMotion.UnionWith(Enumerable.Range(0, partitions.Values.Max()));
            }

            if (inMotion.Count == 0 || look == MaxLooks)
            {
                return new Moment(ranges, after, inMotion);
            }

            _ = cancellation.WaitHandle.WaitOne(BetweenLooks);
            cancellation.ThrowIfCancellationRequested();
        }

        List<Dictionary<int, long>> Committed() =>
            reads.ConvertAll(r => cluster.CommittedOf(r.Group, r.Topic, partitions[r.Topic]));
    }

    private static bool IsAnyOpen(
        Cluster cluster,
        Dictionary<string, int> partitions,
        Dictionary<string, LogRange[]> stable
    ) =>
        partitions.Any(p =>
            cluster
                .RangesOf(p.Key, p.Value)
                .Zip(stable[p.Key], static (all, decided) => all.High != decided.High)
                .Any(static differs => differs)
        );

    private static KafkaTopicLog Open(
        AuditRequest request,
        Cluster cluster,
        string topic,
        LogRange[] ranges
    ) =>
        new(
            request.Kafka,
            topic,
            ranges,
            request.Compacted ?? cluster.IsCompacted(topic) ?? false,
            request.PendingTimeout,
            request.StallTimeout,
            request.Time
        );

    private sealed record Moment(
        Dictionary<string, LogRange[]> Ranges,
        List<Dictionary<int, long>> Committed,
        HashSet<int> InMotion
    );
}
