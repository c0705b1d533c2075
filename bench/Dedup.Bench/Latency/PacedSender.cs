using System.Diagnostics;
using Confluent.Kafka;
using Dedup.Bench.Workloads;
using Dedup.Kafka.Native;
using Dedup.Topology.Ports;

namespace Dedup.Bench.Latency;

/// <summary>Sends records at a steady rate; each carries the moment of its sending.</summary>
internal sealed class PacedSender : IDisposable
{
    private const int FullTimeoutMs = 5_000;
    private readonly IProducer<byte[], byte[]> _producer;
    private readonly NativeRecordSender _sender;
    private readonly Thread _thread;
    private readonly int _partitions;
    private readonly int _rate;
    private volatile bool _stop;
    private double _worstLagMs;

    public PacedSender(string bootstrap, string topic, int partitions, int rate)
    {
        _partitions = partitions;
        _rate = rate;
        _producer = new ProducerBuilder<byte[], byte[]>(
            new ProducerConfig
            {
                BootstrapServers = bootstrap,
                Acks = Acks.Leader,
                LingerMs = 1,
                // As Java's producers have it. The broker serves a connection's requests one by one: without a bound (librdkafka's
                // default) a busy broker gets a queue of tiny batches that never shrinks, and the figure is that queue.
                MaxInFlight = 5,
                EnableDeliveryReports = false,
            }
        ).SetLogHandler(static (_, _) => { }).Build();
        _sender = new NativeRecordSender(_producer.Handle, [topic, "", "", ""], FullTimeoutMs);
        _thread = new Thread(Run) { Name = "sender" };
    }

    /// <summary>Longest time by which a record was sent after its turn, in ms: what the machine, not the pipeline, held up.</summary>
    public double WorstLagMs => Volatile.Read(ref _worstLagMs);

    public void Start() => _thread.Start();

    public void ForgetLag() => Volatile.Write(ref _worstLagMs, 0);

    public void Stop()
    {
        _stop = true;
        _thread.Join();
    }

    public void Dispose()
    {
        Stop();
        _sender.Dispose();
        _producer.Dispose();
    }

    private void Run()
    {
        var workload = new Workload();
        byte[] key = new byte[EventIds.Length];
        byte[] value = Loader.Payload();
        long begun = Stopwatch.GetTimestamp();
        long sent = 0;
        while (!_stop)
        {
            double due = Stopwatch.GetElapsedTime(begun).TotalSeconds * _rate;
            if (due > sent)
            {
                double lagMs = (due - sent) * 1000 / _rate;
                if (lagMs > _worstLagMs)
                {
                    Volatile.Write(ref _worstLagMs, lagMs);
                }
            }

            for (; sent < due; sent++)
            {
                ulong hash = EventIds.Write(workload.Next(), key);
                SendTime.Write(value, Stopwatch.GetTimestamp());
                _ = _sender.Send(
                    SinkTopic.Clean,
                    EventIds.PartitionOf(hash, _partitions),
                    key,
                    value,
                    isTombstone: false,
                    DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(),
                    added: null
                );
            }

            Thread.Sleep(1);
        }
    }
}
