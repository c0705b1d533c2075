using System.Diagnostics;
using System.Text;
using Confluent.Kafka;
using Dedup.Kafka.Native;
using Dedup.Topology.Ports;

namespace Dedup.Bench.Workloads;

/// <summary>What lies in an input topic after a load.</summary>
/// <param name="Records">Records in all.</param>
/// <param name="Ids">Different IDs: the numbers below it.</param>
/// <param name="Ends">Records of each partition: its end offset.</param>
/// <param name="Firsts">First occurrences of each partition.</param>
/// <param name="Seconds">How long the load took.</param>
internal sealed record LoadedInput(
    long Records,
    long Ids,
    long[] Ends,
    long[] Firsts,
    double Seconds
);

/// <summary>Fills an input topic as fast as the broker takes it.</summary>
/// <remarks>Hot path: no object is made for a record.</remarks>
internal static class Loader
{
    /// <summary>Header with the ID.</summary>
    public const string IdHeader = "event-id";

    /// <summary>Header with the tenant.</summary>
    public const string TenantHeader = "tenant-id";

    // A broker that stops taking records for so long will not go on.
    private const int FullTimeoutMs = 60_000;

    // {"id":"<ID>","n":"<number>", … : 7 bytes before the ID, 7 between it and the number.
    private const int IdAt = 7;
    private const int NumberAt = IdAt + EventIds.Length + 7;
    private const int Digits = 12;
    private static readonly TimeSpan FlushTimeout = TimeSpan.FromMinutes(2);

    /// <summary>Loads records of a workload; ends early when <paramref name="ids"/> IDs are there, if it is given.</summary>
    /// <param name="bootstrap">host:port.</param>
    /// <param name="topic">Input topic.</param>
    /// <param name="partitions">Its partitions.</param>
    /// <param name="records">Records to load.</param>
    /// <param name="ids">Most IDs.</param>
    /// <param name="forRecipes">
    /// Whether every recipe finds the same duplicates: the ID is in a header, too, beside one for the tenant, and a repetition
    /// has the same payload to the byte.
    /// </param>
    /// <exception cref="BenchException">A record was refused, or not all arrived.</exception>
    public static LoadedInput Load(
        string bootstrap,
        string topic,
        int partitions,
        long records,
        long? ids = null,
        bool forRecipes = false
    )
    {
        long begun = Stopwatch.GetTimestamp();
        var workload = new Workload();
        long[] ends = new long[partitions];
        long[] firsts = new long[partitions];
        long sent = 0;
        using IProducer<byte[], byte[]> producer = new ProducerBuilder<byte[], byte[]>(
            ConfigOf(bootstrap)
        )
            .SetLogHandler(static (_, _) => { })
            .Build();
        using var sender = new NativeRecordSender(
            producer.Handle,
            [topic, "", "", ""],
            FullTimeoutMs
        );
        byte[] key = new byte[EventIds.Length];
        byte[] value = Payload();
        AddedHeaders? headers = forRecipes ? new AddedHeaders() : null;
        while (sent < records && (ids is null || workload.Ids < ids))
        {
            long before = workload.Ids;
            long number = workload.Next();
            ulong hash = EventIds.Write(number, key);
            int partition = EventIds.PartitionOf(hash, partitions);
            Personalise(value, key, forRecipes ? number : sent);
            headers?.Clear();
            headers?.Add(IdHeader, key);
            headers?.Add(TenantHeader, "acme"u8);
            TxResult result = sender.Send(
                SinkTopic.Clean,
                partition,
                key,
                value,
                isTombstone: false,
                DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(),
                headers
            );
            if (!result.IsOk)
            {
                throw new BenchException($"{topic}: a record could not be sent: {result.Detail}");
            }

            ends[partition]++;
            firsts[partition] += number == before ? 1 : 0;
            sent++;
        }

        int left = producer.Flush(FlushTimeout);
        if (left > 0)
        {
            throw new BenchException($"{topic}: {left} records were not sent in time");
        }

        return new LoadedInput(
            sent,
            workload.Ids,
            ends,
            firsts,
            Stopwatch.GetElapsedTime(begun).TotalSeconds
        );
    }

    /// <summary>A value that fills a record to its size, JSON with a free field for the ID and the running number.</summary>
    public static byte[] Payload()
    {
        const int bytes = Workload.RecordBytes - EventIds.Length;
        string head =
            $"{{\"id\":\"{new string('-', EventIds.Length)}\",\"n\":\"{new string('0', Digits)}\","
            + "\"type\":\"order.placed\",\"amount\":129.95,\"currency\":\"EUR\",\"note\":\"";
        return Encoding.UTF8.GetBytes(head + new string('x', bytes - head.Length - 2) + "\"}");
    }

    /// <summary>Writes ID and running number into a payload.</summary>
    public static void Personalise(Span<byte> value, ReadOnlySpan<byte> key, long number)
    {
        key.CopyTo(value[IdAt..]);
        Span<byte> digits = value.Slice(NumberAt, Digits);
        for (int i = digits.Length - 1; i >= 0; i--)
        {
            digits[i] = (byte)('0' + (number % 10));
            number /= 10;
        }
    }

    private static ProducerConfig ConfigOf(string bootstrap) =>
        new()
        {
            BootstrapServers = bootstrap,
            Acks = Acks.Leader,
            LingerMs = 50,
            BatchSize = 1_000_000,
            BatchNumMessages = 100_000,
            QueueBufferingMaxMessages = 1_000_000,
            QueueBufferingMaxKbytes = 128 * 1024,
            // The ends of the log tell whether all arrived.
            EnableDeliveryReports = false,
        };
}
