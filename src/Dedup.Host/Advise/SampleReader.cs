using Dedup.Audit.Logs;
using Dedup.Host.Samples;
using Dedup.Topology.Records;

namespace Dedup.Host.Advise;

/// <summary>What was read and counted.</summary>
internal sealed record SampleResult
{
    /// <summary>Name of the topic.</summary>
    public required string Topic { get; init; }

    /// <summary>Its partitions.</summary>
    public required int Partitions { get; init; }

    /// <summary>Which part of it.</summary>
    public required SampleRange Range { get; init; }

    /// <summary>Records read.</summary>
    public required long Records { get; init; }

    /// <summary>Earliest timestamp, 0 without records.</summary>
    public required long FromMs { get; init; }

    /// <summary>Latest timestamp, 0 without records.</summary>
    public required long ToMs { get; init; }

    /// <summary>Each candidate with what it found; the last one is content.</summary>
    public required IReadOnlyList<Tried> Tried { get; init; }

    /// <summary>Record time in ms.</summary>
    public long SpanMs => ToMs - FromMs;

    /// <summary>Records per second of record time; 0 where that cannot be told.</summary>
    public double RecordsPerSecond => SpanMs < 1000 ? 0 : Records * 1000.0 / SpanMs;
}

/// <summary>Reads a sample twice: a first part of each partition to find candidates, then all of it to count.</summary>
internal sealed class SampleReader(ITopicLog log, Func<long, long[]> offsetsAt, long nowMs)
{
    // Enough to see what nearly every record has, and to tell an ID's values from a type's.
    private const int LookedAt = 10_000;
    private const int ProgressEvery = 50_000;

    /// <summary>Reads and counts.</summary>
    /// <param name="most">Most records.</param>
    /// <param name="given">Recipes that the user wants tried as well.</param>
    /// <param name="progress">Hears how many records were read, of how many.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="Audit.AuditException">The topic cannot be read; the message says why.</exception>
    public SampleResult Read(
        int most,
        IReadOnlyList<Candidate> given,
        Action<long, long> progress,
        CancellationToken cancellation
    )
    {
        SampleRange range = SampleRange.Newest(log, most, offsetsAt, nowMs);
        var finder = new CandidateFinder();
        int each = Math.Max(1, LookedAt / log.Partitions);
        for (int p = 0; p < log.Partitions; p++)
        {
            Each(range, p, each, (in RecordView r) => finder.See(r), cancellation);
        }

        IReadOnlyList<Candidate> found = finder.Candidates();
        Candidate[] candidates =
        [
            .. given,
            .. found.Where(f => !given.Any(g => g.Recipe.Text == f.Recipe.Text)),
        ];
        // A recipe that the user gave may be content as well: what compares payloads stays the last.
        candidates =
            candidates[^1].Kind == CandidateKind.Content ? candidates : [.. candidates, found[^1]];
        int capacity = (int)Math.Min(range.Offsets, most);
        var table = new SampleTable(candidates, capacity);
        for (int p = 0; p < log.Partitions; p++)
        {
            Each(
                range,
                p,
                int.MaxValue,
                (in RecordView record) =>
                {
                    if (!table.IsFull)
                    {
                        table.Add(record);
                        if (table.Count % ProgressEvery == 0)
                        {
                            progress(table.Count, capacity);
                        }
                    }
                },
                cancellation
            );
        }

        return Result(range, candidates, table);
    }

    private SampleResult Result(SampleRange range, Candidate[] candidates, SampleTable table)
    {
        var counter = new RepeatCounter(table, log.Partitions);
        ReadOnlySpan<long> times = table.Times.AsSpan(0, table.Count);
        long from = long.MaxValue;
        long to = long.MinValue;
        foreach (long time in times)
        {
            if (time > 0)
            {
                from = Math.Min(from, time);
                to = Math.Max(to, time);
            }
        }

        return new SampleResult
        {
            Topic = log.Topic,
            Partitions = log.Partitions,
            Range = range,
            Records = table.Count,
            FromMs = from == long.MaxValue ? 0 : from,
            ToMs = from == long.MaxValue ? 0 : to,
            Tried = [.. candidates.Select((c, i) => new Tried(c, counter.Count(i)))],
        };
    }

    private delegate void See(in RecordView record);

    private void Each(
        SampleRange range,
        int partition,
        int most,
        See see,
        CancellationToken cancellation
    )
    {
        if (range.From[partition] >= range.To[partition])
        {
            return;
        }

        using IRecordStream stream = log.Open(
            partition,
            range.From[partition],
            range.To[partition],
            waitForPending: false,
            cancellation
        );
        int seen = 0;
        while (seen < most && stream.Next() is { } batch)
        {
            for (int i = 0; i < batch.Count && seen < most; i++)
            {
                batch.Get(i, out RecordView record);
                see(record);
                seen++;
            }

            batch.Release();
        }
    }
}
