using Confluent.Kafka;
using Dedup.Host.CrashTest;

namespace Dedup.Acceptance.Recovery;

/// <summary>A consumer of the clean topic as users run one (read_committed), that notes when records reach it.</summary>
internal sealed class CleanReader : IDisposable
{
    private static readonly TimeSpan PollFor = TimeSpan.FromMilliseconds(50);

    private readonly Lock _lock = new();
    private readonly IConsumer<Ignore, Ignore> _consumer;
    private readonly DateTimeOffset[] _last;
    private readonly List<(int Partition, DateTimeOffset From, DateTimeOffset To)> _gaps = [];
    private readonly Thread _thread;
    private volatile bool _stop;

    public CleanReader(CrashTopics topics)
    {
        _last = new DateTimeOffset[topics.Partitions];
        _consumer = new ConsumerBuilder<Ignore, Ignore>(
            new ConsumerConfig(topics.Kafka.ToDictionary())
            {
                GroupId = topics.Clean + "-reader",
                EnableAutoCommit = false,
                IsolationLevel = IsolationLevel.ReadCommitted,
                FetchWaitMaxMs = 50,
                // The client's own rest after a full queue would be taken for a stall.
                FetchQueueBackoffMs = 2,
            }
        ).SetLogHandler(static (_, _) => { }).Build();
        _consumer.Assign(
            Enumerable
                .Range(0, topics.Partitions)
                .Select(p => new TopicPartitionOffset(topics.Clean, p, Offset.End))
        );
        _thread = new Thread(Read) { IsBackground = true, Name = "clean reader" };
        _thread.Start();
    }

    /// <summary>Whether each of the partitions has brought a record after that moment.</summary>
    public bool HasAllSince(IEnumerable<int> partitions, DateTimeOffset moment)
    {
        lock (_lock)
        {
            return partitions.All(p => _last[p] > moment);
        }
    }

    /// <summary>
    /// The time without a record in a partition that ended last after a moment, by its end: from the last record before the
    /// silence to the first one after it. The longest of them.
    /// </summary>
    public (DateTimeOffset From, DateTimeOffset To) LongestSilence(
        int partition,
        DateTimeOffset after
    )
    {
        lock (_lock)
        {
            return _gaps
                .Where(g => g.Partition == partition && g.To > after)
                .Select(static g => (g.From, g.To))
                .OrderByDescending(static g => g.To - g.From)
                .First();
        }
    }

    public void Dispose()
    {
        _stop = true;
        _thread.Join();
        _consumer.Dispose();
    }

    private void Read()
    {
        while (!_stop)
        {
            try
            {
                if (_consumer.Consume(PollFor) is { } record)
                {
                    Note(record.Partition.Value, DateTimeOffset.UtcNow);
                }
            }
            catch (ConsumeException)
            {
                // The next poll goes on.
            }
        }
    }

    private void Note(int partition, DateTimeOffset now)
    {
        lock (_lock)
        {
            DateTimeOffset last = _last[partition];
            _last[partition] = now;
            // Transactions come every 100 ms; shorter silences are the rhythm of the pipeline, not a stall.
            if (last != default && now - last > PollFor)
            {
                _gaps.Add((partition, last, now));
            }
        }
    }
}
