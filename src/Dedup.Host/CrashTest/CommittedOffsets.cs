using System.Diagnostics;
using Confluent.Kafka;

namespace Dedup.Host.CrashTest;

/// <summary>Watches committed offsets and ends of a group's input without being a member of it.</summary>
/// <remarks>
/// A consumer and not the admin client: librdkafka's ListConsumerGroupOffsets ends the process with SIGSEGV when the
/// coordinator has moved or is still being made (github.com/confluentinc/librdkafka/issues/5040).
/// </remarks>
internal sealed class CommittedOffsets : IDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(25);

    private readonly IConsumer<Ignore, Ignore> _consumer;
    private readonly TopicPartition[] _partitions;

    /// <summary>Watches the group of a crash test.</summary>
    public CommittedOffsets(CrashTopics topics)
        : this(topics.Kafka, topics.Input, topics.Group, topics.Partitions) { }

    /// <summary>Watches a group.</summary>
    /// <param name="kafka">librdkafka's properties.</param>
    /// <param name="input">Topic.</param>
    /// <param name="group">Consumer group.</param>
    /// <param name="partitions">Partitions of the topic.</param>
    public CommittedOffsets(
        IReadOnlyDictionary<string, string> kafka,
        string input,
        string group,
        int partitions
    )
    {
        _partitions =
        [
            .. Enumerable
                .Range(0, partitions)
                .Select(p => new TopicPartition(input, new Partition(p))),
        ];
        _consumer = new ConsumerBuilder<Ignore, Ignore>(
            new ConsumerConfig(kafka.ToDictionary())
            {
                GroupId = group,
                EnableAutoCommit = false,
                // Leaders that have moved are otherwise not asked for again for minutes.
                TopicMetadataRefreshIntervalMs = 1_000,
                // With read_committed the broker would hold the answer back while a transaction is open, which is always.
                IsolationLevel = IsolationLevel.ReadUncommitted,
            }
        ).SetLogHandler(static (_, _) => { }).SetErrorHandler(static (_, _) => { }).Build();
    }

    /// <summary>Committed offset of each partition, 0 where there is none; null when nobody answers for the group just now.</summary>
    public long[]? Committed()
    {
        try
        {
            long[] offsets = new long[_partitions.Length];
            foreach (TopicPartitionOffset p in _consumer.Committed(_partitions, Timeout))
            {
                offsets[p.Partition.Value] = p.Offset.IsSpecial ? 0 : p.Offset.Value;
            }

            return offsets;
        }
        catch (KafkaException)
        {
            // The coordinator is being made, or moves: the next question comes soon.
            return null;
        }
    }

    /// <summary>End of each partition, -1 while it is not known.</summary>
    public long[] Ends()
    {
        long[] ends = new long[_partitions.Length];
        for (int p = 0; p < ends.Length; p++)
        {
            try
            {
                ends[p] = _consumer.QueryWatermarkOffsets(_partitions[p], Timeout).High.Value;
            }
            catch (KafkaException)
            {
                ends[p] = -1;
            }
        }

        return ends;
    }

    /// <summary>Waits until the group has committed the end of every partition.</summary>
    public async Task<bool> DrainedAsync(
        TimeSpan limit,
        Func<bool> goOn,
        CancellationToken cancellation
    ) =>
        await Until(
            () =>
                Committed() is { } committed
                && Ends() is { } ends
                && ends.Zip(committed).All(static e => e.First >= 0 && e.Second >= e.First),
            limit,
            goOn,
            cancellation
        )
            is not null;

    /// <summary>
    /// Waits until every partition has committed a record beyond <paramref name="before"/>; returns how long that took, null
    /// when it did not come to it. Once the load is done, a partition that is already at its end counts as well.
    /// </summary>
    public Task<TimeSpan?> AdvancedAsync(
        long[] before,
        TimeSpan limit,
        Func<bool> loadIsDone,
        Func<bool> goOn,
        CancellationToken cancellation
    )
    {
        bool[] done = new bool[before.Length];
        return Until(
            () =>
            {
                if (Committed() is not { } committed)
                {
                    return false;
                }

                long[]? ends = loadIsDone() ? Ends() : null;
                for (int p = 0; p < before.Length; p++)
                {
                    done[p] |=
                        committed[p] > before[p]
                        || (ends is not null && ends[p] >= 0 && ends[p] <= before[p]);
                }

                return Array.TrueForAll(done, static d => d);
            },
            limit,
            goOn,
            cancellation
        );
    }

    /// <inheritdoc/>
    public void Dispose() => _consumer.Dispose();

    private static async Task<TimeSpan?> Until(
        Func<bool> condition,
        TimeSpan limit,
        Func<bool> goOn,
        CancellationToken cancellation
    )
    {
        long begun = Stopwatch.GetTimestamp();
        while (!condition())
        {
            if (Stopwatch.GetElapsedTime(begun) > limit || !goOn())
            {
                return null;
            }

            await Task.Delay(LookEvery, cancellation);
        }

        return Stopwatch.GetElapsedTime(begun);
    }
}
