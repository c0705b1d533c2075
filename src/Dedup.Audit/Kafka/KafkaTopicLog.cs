using System.Collections.Concurrent;
using Dedup.Audit.Logs;
using Dedup.Audit.Native;

namespace Dedup.Audit.Kafka;

/// <summary>A topic of a real cluster. Keeps the clients that it made for its threads and uses them again.</summary>
internal sealed class KafkaTopicLog(
    IReadOnlyDictionary<string, string> properties,
    string topic,
    LogRange[] ranges,
    bool isCompacted,
    TimeSpan pending,
    TimeSpan stall,
    TimeProvider time
) : ITopicLog
{
    private readonly ConcurrentBag<NativeClient> _idle = [];

    public string Topic => topic;

    public int Partitions => ranges.Length;

    public bool IsCompacted => isCompacted;

    public LogRange RangeOf(int partition) => ranges[partition];

    public IRecordStream Open(
        int partition,
        long from,
        long to,
        bool waitForPending,
        CancellationToken cancellation
    )
    {
        if (!_idle.TryTake(out NativeClient? client))
        {
            client = new NativeClient(properties);
        }

        try
        {
            var stream = new NativeStream(
                client,
                topic,
                partition,
                from,
                to,
                waitForPending ? pending : TimeSpan.Zero,
                stall,
                time,
                cancellation
            );
            return new Borrowed(stream, client, _idle);
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        while (_idle.TryTake(out NativeClient? client))
        {
            client.Dispose();
        }
    }

    private sealed class Borrowed(
        NativeStream stream,
        NativeClient client,
        ConcurrentBag<NativeClient> idle
    ) : IRecordStream
    {
        private bool _returned;

        public long Position => stream.Position;

        public bool IsComplete => stream.IsComplete;

        public Topology.Records.RecordBatch? Next() => stream.Next();

        public void Dispose()
        {
            if (!_returned)
            {
                _returned = true;
                stream.Dispose();
                idle.Add(client);
            }
        }
    }
}
