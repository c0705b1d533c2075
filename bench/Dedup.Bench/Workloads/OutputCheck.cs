using Dedup.Kafka.Native;
using Dedup.Kafka.Transport;
using Dedup.Topology.Ports;
using Dedup.Topology.Records;

namespace Dedup.Bench.Workloads;

/// <summary>What an output topic holds, read committed.</summary>
/// <param name="Records">Records.</param>
/// <param name="Twice">Records whose ID was there already.</param>
/// <param name="Foreign">Records that the workload never had.</param>
/// <param name="Lost">IDs that are not there.</param>
/// <param name="Misplaced">Partitions whose number of first occurrences is not the expected one.</param>
internal sealed record OutputCounts(
    long Records,
    long Twice,
    long Foreign,
    long Lost,
    int Misplaced
)
{
    /// <summary>Whether each ID is there exactly once, in its partition.</summary>
    public bool IsExact => Twice == 0 && Foreign == 0 && Lost == 0 && Misplaced == 0;
}

/// <summary>Reads a whole output topic and counts each ID.</summary>
internal static class OutputCheck
{
    private const int TimeoutMs = 10_000;
    private const int MaxPollRecords = 4096;

    // Longer without a record, and the broker is not there any more.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public static OutputCounts Count(string bootstrap, string topic, LoadedInput input)
    {
        var clients = new ClientSettings([new("bootstrap.servers", bootstrap)]);
        using LogQueries queries = LogQueries.Of(clients);
        using var reader = new KafkaChangelogReader(
            clients,
            queries,
            topic,
            "dedup-bench-check",
            NativeHandles.Obstacle is null
        );
        int partitions = input.Ends.Length;
        long[] ends = new long[partitions];
        for (int p = 0; p < partitions; p++)
        {
            BoundsLookup bounds = reader.Bounds(p, TimeoutMs);
            if (bounds.Status != LookupStatus.Found)
            {
                throw new BenchException($"{topic}-{p}: its end is not known: {bounds.Detail}");
            }

            ends[p] = bounds.Bounds.LastStable;
        }

        return Read(reader, topic, ends, input);
    }

    private static OutputCounts Read(
        KafkaChangelogReader reader,
        string topic,
        long[] ends,
        LoadedInput input
    )
    {
        for (int p = 0; p < ends.Length; p++)
        {
            reader.Open(p, 0);
        }

        ulong[] seen = new ulong[(input.Ids + 63) / 64];
        long[] firsts = new long[ends.Length];
        long records = 0;
        long twice = 0;
        long foreign = 0;
        long distinct = 0;
        DateTime lastRecord = DateTime.UtcNow;
        while (!IsAtEnd(reader, ends))
        {
            RecordBatch batch = reader.Poll(MaxPollRecords, 100);
            for (int i = 0; i < batch.Count; i++)
            {
                batch.Get(i, out RecordView record);
                records++;
                long number = EventIds.Read(record.Key);
                if (number < 0 || number >= input.Ids)
                {
                    foreign++;
                    continue;
                }

                ulong bit = 1UL << (int)(number & 63);
                ref ulong word = ref seen[number >> 6];
                if ((word & bit) != 0)
                {
                    twice++;
                    continue;
                }

                word |= bit;
                distinct++;
                firsts[record.Partition]++;
            }

            lastRecord = batch.Count > 0 ? DateTime.UtcNow : lastRecord;
            batch.Release();
            if (DateTime.UtcNow - lastRecord > Patience)
            {
                throw new BenchException($"{topic}: could not be read to its end");
            }
        }

        int misplaced = firsts.Where((n, p) => n != input.Firsts[p]).Count();
        return new OutputCounts(records, twice, foreign, input.Ids - distinct, misplaced);
    }

    private static bool IsAtEnd(KafkaChangelogReader reader, long[] ends)
    {
        for (int p = 0; p < ends.Length; p++)
        {
            if (reader.Position(p) < ends[p])
            {
                return false;
            }
        }

        return true;
    }
}
