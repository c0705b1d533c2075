using System.Collections.Immutable;
using System.Text;
using Dedup.Audit.Logs;
using Dedup.Audit.Side;
using Dedup.Contracts.Changelog;
using Dedup.Topology.Records;

namespace Dedup.Audit.Ledger;

/// <summary>
/// Holds the ledger in the changelog's markers against what lies in the topics, record by record counted: clean + duplicates +
/// quarantined + dropped = consumed, in each partition and in sum.
/// </summary>
/// <remarks>
/// By-input, the partitions of clean and of the input belong together, and records aside name theirs. By-id, the second hop's
/// partitions are those between the hops: what it sent where is compared in sum.
/// </remarks>
public sealed class LedgerEngine(LedgerTopics topics)
{
    private readonly List<LedgerPartition> _partitions = [];
    private readonly List<LedgerMismatch> _mismatches = [];
    private readonly List<LedgerUnknown> _unknown = [];
    private readonly Dictionary<string, Dictionary<int, long>> _sources = [];

    private bool IsById => topics.Hops.Count > 1;

    /// <summary>Compares everything.</summary>
    public LedgerReport Run(CancellationToken cancellation = default)
    {
        foreach (LedgerHop hop in topics.Hops)
        {
            for (int p = 0; p < hop.Changelog.Partitions; p++)
            {
                _partitions.Add(Read(hop, p, cancellation));
            }
        }

        LedgerHop judge = topics.Hops[^1];
        LedgerPartition[] judged =
        [
            .. _partitions.Where(p => p.Changelog == judge.Changelog.Topic),
        ];
        LedgerCounts sum = Sum(judged);
        if (IsById)
        {
            CompareHops(Sum(_partitions.Except(judged)), sum, judge, cancellation);
            CompareTopics(Sum(_partitions), null, cancellation);
        }
        else
        {
            foreach (LedgerPartition partition in judged)
            {
                CompareTopics(partition.Counts, partition.Partition, cancellation);
            }

            Compare(null, "consumed, and where it went", sum.Consumed, sum.Placed);
        }

        return new LedgerReport
        {
            Partitions = _partitions,
            Sum = sum,
            Mismatches = _mismatches,
            Unknown = _unknown,
        };
    }

    private static LedgerCounts Sum(IEnumerable<LedgerPartition> partitions) =>
        partitions.Aggregate(new LedgerCounts(), static (sum, p) => sum.Plus(p.Counts));

    private LedgerPartition Read(LedgerHop hop, int partition, CancellationToken cancellation)
    {
        Marker? marker = MarkerReader.Last(hop.Changelog, partition, cancellation);
        LedgerCounts counts = CountsOf(marker);
        string name = IsById ? $"{hop.Reads.Topic}: " : "";
        long? committed = hop.Committed.TryGetValue(partition, out long offset) ? offset : null;
        if (topics.InMotion.Contains(partition))
        {
            _unknown.Add(
                new LedgerUnknown(
                    partition,
                    $"{name}was committed to while the topics were looked at: verify again with --wait, or when the pipeline stands"
                )
            );
            return new LedgerPartition(
                hop.Changelog.Topic,
                partition,
                counts,
                marker?.InputOffset,
                committed,
                null
            );
        }

        Compare(partition, $"{name}consumed, and where it went", counts.Consumed, counts.Placed);
        if (marker?.InputOffset != committed && !IsFresh(hop, partition, marker, committed))
        {
            _mismatches.Add(
                new LedgerMismatch(
                    partition,
                    $"{name}offset of the marker, and the group's committed one",
                    marker?.InputOffset ?? -1,
                    committed ?? -1
                )
            );
        }

        long? records = CountInput(hop, partition, marker?.InputOffset ?? 0, name, cancellation);
        if (records is { } found)
        {
            Compare(partition, $"{name}consumed, and records read", counts.Consumed, found);
        }

        return new LedgerPartition(
            hop.Changelog.Topic,
            partition,
            counts,
            marker?.InputOffset,
            committed,
            records
        );
    }

    /// <summary>Without a marker nothing was consumed: the group may stand where the first run begins.</summary>
    private static bool IsFresh(LedgerHop hop, int partition, Marker? marker, long? committed) =>
        marker is null && (hop.Begins(partition) is not { } begin || committed == begin);

    private static LedgerCounts CountsOf(Marker? marker)
    {
        ImmutableArray<KeyValuePair<string, long>> counts = marker?.Counts ?? [];
        return new LedgerCounts
        {
            Consumed = Of("consumed"),
            Clean = Of("to.clean"),
            Duplicates = Of("to.duplicate"),
            Quarantined = Of("to.quarantine"),
            Dropped = Of("to.late-dropped"),
            HandedOn = Of("to.repartition"),
        };

        long Of(string name) => counts.FirstOrDefault(c => c.Key == name).Value;
    }

    /// <summary>Records that the partition must have consumed; null where some of them are gone.</summary>
    private long? CountInput(
        LedgerHop hop,
        int partition,
        long end,
        string name,
        CancellationToken cancellation
    )
    {
        LogRange range = hop.Reads.RangeOf(partition);
        if (hop.Begins(partition) is not { } begin)
        {
            _unknown.Add(
                new LedgerUnknown(
                    partition,
                    $"{name}where the first run began is not known: name it with --started"
                )
            );
            return null;
        }

        if (range.Low > begin || hop.Reads.IsCompacted)
        {
            // Between the hops everything is deleted once it was judged: that is compared in sum.
            if (hop == topics.Hops[0])
            {
                string why = hop.Reads.IsCompacted
                    ? "is compacted"
                    : $"now begins at offset {range.Low}";
                _unknown.Add(
                    new LedgerUnknown(
                        partition,
                        $"{hop.Reads.Topic} {why}: what was consumed of it can no longer be counted"
                    )
                );
            }

            return null;
        }

        return Count(hop.Reads, partition, begin, Math.Min(end, range.High), cancellation);
    }

    /// <summary>By-id: what the first hop handed on was judged by the second, or lies between them.</summary>
    private void CompareHops(
        LedgerCounts first,
        LedgerCounts second,
        LedgerHop judge,
        CancellationToken cancellation
    )
    {
        Compare(null, "first hop: consumed, and where it went", first.Consumed, first.Placed);
        Compare(null, "second hop: consumed, and where it went", second.Consumed, second.Placed);
        if (topics.InMotion.Count > 0)
        {
            return;
        }

        long between = 0;
        for (int p = 0; p < judge.Reads.Partitions; p++)
        {
            LogRange range = judge.Reads.RangeOf(p);
            long from = Math.Max(range.Low, judge.Committed.GetValueOrDefault(p));
            between += Count(judge.Reads, p, from, range.High, cancellation);
        }

        Compare(
            null,
            $"handed on by the first hop, and judged by the second or still in {judge.Reads.Topic}",
            first.HandedOn,
            second.Consumed + between
        );
    }

    /// <summary>What the ledger says was sent, and what the topics hold; null for all partitions.</summary>
    private void CompareTopics(LedgerCounts counts, int? partition, CancellationToken cancellation)
    {
        if (partition is { } p ? topics.InMotion.Contains(p) : topics.InMotion.Count > 0)
        {
            return;
        }

        long clean = 0;
        bool isWhole = true;
        for (int c = partition ?? 0; c <= (partition ?? topics.Clean.Partitions - 1); c++)
        {
            LogRange range = topics.Clean.RangeOf(c);
            clean += Count(topics.Clean, c, range.Low, range.High, cancellation);
            isWhole &= range.Low == 0 && !topics.Clean.IsCompacted;
        }

        Hold(partition, topics.Clean, "to clean", counts.Clean, clean, isWhole);
        Aside(topics.Quarantine, "to quarantine", counts.Quarantined, partition, cancellation);
        Aside(topics.Duplicates, "to duplicates", counts.Duplicates, partition, cancellation);
        if (topics.Quarantine is null && counts.Quarantined > 0)
        {
            _unknown.Add(
                new LedgerUnknown(
                    partition,
                    $"{counts.Quarantined} records to quarantine: no quarantine topic was named"
                )
            );
        }
    }

    private void Aside(
        ITopicLog? topic,
        string what,
        long ledger,
        int? partition,
        CancellationToken cancellation
    )
    {
        if (topic is null)
        {
            return;
        }

        Dictionary<int, long> bySource = SourcesOf(topic, cancellation);
        bool isWhole = !topic.IsCompacted;
        for (int p = 0; p < topic.Partitions; p++)
        {
            isWhole &= topic.RangeOf(p).Low == 0;
        }

        long found = partition is { } one ? bySource.GetValueOrDefault(one) : bySource.Values.Sum();
        Hold(partition, topic, what, ledger, found, isWhole);
    }

    /// <summary>Records of a topic that name the input as their source, by its partition.</summary>
    private Dictionary<int, long> SourcesOf(ITopicLog topic, CancellationToken cancellation)
    {
        if (_sources.TryGetValue(topic.Topic, out Dictionary<int, long>? known))
        {
            return known;
        }

        byte[] input = Encoding.UTF8.GetBytes(topics.Input);
        // What somebody else wrote between the hops names the topic between them.
        byte[] between = Encoding.UTF8.GetBytes(topics.Hops[^1].Reads.Topic);
        var found = new Dictionary<int, long>();
        for (int p = 0; p < topic.Partitions; p++)
        {
            LogRange range = topic.RangeOf(p);
            using IRecordStream stream = topic.Open(p, range.Low, range.High, false, cancellation);
            while (stream.Next() is { } batch)
            {
                for (int i = 0; i < batch.Count; i++)
                {
                    batch.Get(i, out RecordView record);
                    SideHeaders headers = SideHeaders.Of(record);
                    bool isOurs =
                        headers.SourceTopic.SequenceEqual(input)
                        || headers.SourceTopic.SequenceEqual(between);
                    if (headers.HasSource && isOurs)
                    {
                        found[headers.SourcePartition] =
                            found.GetValueOrDefault(headers.SourcePartition) + 1;
                    }
                }

                batch.Release();
            }
        }

        return _sources[topic.Topic] = found;
    }

    /// <summary>Compares; of a topic that has lost records only that it holds no more than were sent.</summary>
    private void Hold(
        int? partition,
        ITopicLog topic,
        string what,
        long ledger,
        long found,
        bool isWhole
    )
    {
        if (isWhole || found > ledger)
        {
            Compare(partition, $"{what}, and records of {topic.Topic}", ledger, found);
        }
        else
        {
            _unknown.Add(
                new LedgerUnknown(
                    partition,
                    $"{ledger} {what}; {topic.Topic} has lost its beginning or is compacted, and holds {found}"
                )
            );
        }
    }

    private void Compare(int? partition, string what, long ledger, long found)
    {
        if (ledger != found)
        {
            _mismatches.Add(new LedgerMismatch(partition, what, ledger, found));
        }
    }

    private static long Count(
        ITopicLog log,
        int partition,
        long from,
        long to,
        CancellationToken cancellation
    )
    {
        long count = 0;
        if (from < to)
        {
            using IRecordStream stream = log.Open(partition, from, to, false, cancellation);
            while (stream.Next() is { } batch)
            {
                count += batch.Count;
                batch.Release();
            }
        }

        return count;
    }
}
