using System.Text;
using static Dedup.Audit.Native.LibRdKafka;

namespace Dedup.Audit.Native;

/// <summary>
/// A consumer without a group (librdkafka's simple consumer): it joins nothing, commits nothing, and needs no right but to
/// read the topic.
/// </summary>
internal sealed class NativeClient : IDisposable
{
    /// <summary>
    /// What makes the audit right and fast; the user's properties cannot change it. The queue backoff is a second by default:
    /// once the prefetch queue is full, the fetcher would sleep that long.
    /// </summary>
    private static readonly (string Name, string Value)[] Fixed =
    [
        ("isolation.level", "read_committed"),
        ("enable.partition.eof", "true"),
        ("auto.offset.reset", "error"),
        ("fetch.queue.backoff.ms", "2"),
        ("queued.min.messages", "200000"),
        ("queued.max.messages.kbytes", "49152"),
        ("max.partition.fetch.bytes", "8388608"),
        ("fetch.wait.max.ms", "20"),
    ];

    /// <summary>The user's properties that concern a group, a producer, or Confluent's own wrapper.</summary>
    private static readonly HashSet<string> Ignored = new(StringComparer.Ordinal)
    {
        "group.id",
        "group.instance.id",
        "group.protocol",
        "partition.assignment.strategy",
        "transactional.id",
        "enable.idempotence",
        "enable.auto.commit",
        "enable.auto.offset.store",
        "log_level",
        "debug",
    };

    public NativeClient(IReadOnlyDictionary<string, string> properties)
    {
        nint conf = rd_kafka_conf_new();
        try
        {
            foreach ((string name, string value) in properties)
            {
                if (
                    !Ignored.Contains(name) && !name.StartsWith("dotnet.", StringComparison.Ordinal)
                )
                {
                    Set(conf, name, value);
                }
            }

            foreach ((string name, string value) in Fixed)
            {
                Set(conf, name, value);
            }

            rd_kafka_conf_set_log_cb(conf, 0);
            Handle = Create(conf);
        }
        catch
        {
            rd_kafka_conf_destroy(conf);
            throw;
        }
    }

    public RdKafkaHandle Handle { get; }

    public void Dispose() => Handle.Dispose();

    private static unsafe RdKafkaHandle Create(nint conf)
    {
        Span<byte> error = stackalloc byte[512];
        fixed (byte* words = error)
        {
            nint client = rd_kafka_new(Consumer, conf, words, (nuint)error.Length);
            return client != 0
                ? new RdKafkaHandle(client)
                : throw new AuditException($"the Kafka client cannot be made: {Words(error)}");
        }
    }

    private static unsafe void Set(nint conf, string name, string value)
    {
        Span<byte> error = stackalloc byte[512];
        fixed (byte* words = error)
        {
            if (rd_kafka_conf_set(conf, name, value, words, (nuint)error.Length) != ConfOk)
            {
                throw new AuditException($"kafka property {name} is refused: {Words(error)}");
            }
        }
    }

    private static string Words(ReadOnlySpan<byte> zeroTerminated)
    {
        int end = zeroTerminated.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? zeroTerminated : zeroTerminated[..end]);
    }
}
