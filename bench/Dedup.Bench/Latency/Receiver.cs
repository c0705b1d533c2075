using System.Diagnostics;
using Confluent.Kafka;
using Dedup.Bench.Measuring;

namespace Dedup.Bench.Latency;

/// <summary>Latencies of the records that were sent within a span of time.</summary>
/// <param name="SortedMs">Latencies in ms, smallest first.</param>
/// <param name="CpuShare">CPU of the program, 1 for a whole core.</param>
/// <param name="WorstSendLagMs">See <see cref="PacedSender.WorstLagMs"/>.</param>
internal sealed record LatencyResult(double[] SortedMs, double CpuShare, double WorstSendLagMs)
{
    /// <summary>Number of records.</summary>
    public int Count => SortedMs.Length;

    /// <summary>The latency that a share of the records did not exceed.</summary>
    public double Percentile(double share) =>
        SortedMs[Math.Clamp((int)Math.Ceiling(share * Count) - 1, 0, Count - 1)];
}

/// <summary>A consumer that reads committed and notes when each record came.</summary>
internal sealed class Receiver : IDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(90);
    private readonly IConsumer<byte[], byte[]> _consumer;
    private readonly Thread _thread;
    private readonly List<(long Sent, long Received)> _seen = [];
    private volatile bool _stop;
    private readonly long[] _lastSent;

    public Receiver(string bootstrap, string topic, int partitions)
    {
        _consumer = new ConsumerBuilder<byte[], byte[]>(
            new ConsumerConfig
            {
                BootstrapServers = bootstrap,
                GroupId = "dedup-bench-latency",
                IsolationLevel = IsolationLevel.ReadCommitted,
                EnableAutoCommit = false,
                AutoOffsetReset = AutoOffsetReset.Earliest,
                // The broker answers as soon as something is committed; this only bounds what it may overlook.
                FetchWaitMaxMs = 10,
            }
        ).SetLogHandler(static (_, _) => { }).Build();
        _consumer.Assign(
            Enumerable
                .Range(0, partitions)
                .Select(p => new TopicPartitionOffset(topic, p, Offset.Beginning))
        );
        _lastSent = new long[partitions];
        _thread = new Thread(Run) { Name = "receiver" };
    }

    public void Start() => _thread.Start();

    /// <summary>Waits until the first record is through.</summary>
    public void WaitForFirst(MeasuredProcess process) => WaitForSentAfter(0, process);

    /// <summary>Waits until a record of every partition is through that was sent after a timestamp: all before it are, too.</summary>
    public void WaitForSentAfter(long timestamp, MeasuredProcess process)
    {
        var waited = Stopwatch.StartNew();
        while (!HasAllAfter(timestamp))
        {
            if (!process.IsRunning || waited.Elapsed > Timeout)
            {
                throw new BenchException($"not everything comes through\n{process.Tail()}");
            }

            Thread.Sleep(20);
        }
    }

    /// <summary>Latencies of what was sent from one timestamp to another.</summary>
    public LatencyResult Result(long from, long to, double cpuShare, double worstSendLagMs)
    {
        Stop();
        double[] ms =
        [
            .. _seen
                .Where(s => s.Sent >= from && s.Sent < to)
                .Select(static s => Stopwatch.GetElapsedTime(s.Sent, s.Received).TotalMilliseconds)
                .Order(),
        ];
        return ms.Length > 0
            ? new LatencyResult(ms, cpuShare, worstSendLagMs)
            : throw new BenchException("nothing came through while it was measured");
    }

    public void Stop()
    {
        _stop = true;
        _thread.Join();
    }

    public void Dispose()
    {
        Stop();
        _consumer.Dispose();
    }

    private bool HasAllAfter(long timestamp)
    {
        for (int p = 0; p < _lastSent.Length; p++)
        {
            if (Volatile.Read(ref _lastSent[p]) <= timestamp)
            {
                return false;
            }
        }

        return true;
    }

    private void Run()
    {
        while (!_stop)
        {
            ConsumeResult<byte[], byte[]>? result = _consumer.Consume(
                TimeSpan.FromMilliseconds(100)
            );
            if (result is not null)
            {
                long sent = SendTime.Read(result.Message.Value);
                _seen.Add((sent, Stopwatch.GetTimestamp()));
                Volatile.Write(ref _lastSent[result.Partition], sent);
            }
        }
    }
}
