using Confluent.Kafka;

namespace Dedup.Kafka.Transport;

/// <summary>
/// The settings of the Kafka clients: the user's, and those that carry the guarantee, which belong to Dedup.
/// </summary>
public sealed class ClientSettings
{
    /// <summary>
    /// Session time-out of a group member: the longest stall after a death, and long enough for a garbage collection or a
    /// slow disk.
    /// </summary>
    public const int SessionTimeoutMs = 10_000;

    /// <summary>
    /// How often a member hears of the group: so long does a rebalance wait for each member that has partitions (Kafka has no
    /// other way to tell them). With 2 s the lanes of a process that starts shared the partitions only after 2 s.
    /// </summary>
    private const int HeartbeatMs = 500;

    /// <summary>
    /// Transaction time-out: above every wait of a lane inside a transaction, since a transaction that outlives it is
    /// aborted by the broker.
    /// </summary>
    public const int TransactionTimeoutMs = 20_000;

    /// <summary>
    /// Wait of the fetcher when the prefetch queue is full. The client's default of 1000 ms made a copy 5 times slower
    /// (docs/performance.md).
    /// </summary>
    private const int FetchQueueBackoffMs = 2;

    /// <summary>Largest batch: Kafka's own default for a topic's max.message.bytes is 1,048,588.</summary>
    public const int MostBatchBytes = 1_000_000;

    /// <summary>
    /// First wait before a request is repeated; it doubles up to retry.backoff.max.ms. The broker refuses to add offsets to a
    /// transaction for the few ms in which it still writes the markers of the one before (CONCURRENT_TRANSACTIONS), which a lane
    /// that commits a trickle continuously meets nearly each time: with the client's default of 100 ms the median latency was
    /// 118 ms, with this 42 ms (docs/performance.md).
    /// </summary>
    private const int RetryBackoffMs = 5;

    /// <summary>
    /// Longest wait for a batch to fill. Nobody waits for it: a commit flushes at once, and before the commit nobody can read the
    /// record. It is long because librdkafka's broker thread spins (poll with time-out 0, 25,000 times a second) while a partition
    /// has one request in flight and messages older than this behind it: rd_kafka_toppar_producer_serve() gives up for the request in
    /// flight, but leaves the next wake-up at "now". From 25 ms to this: 16 % less CPU for each record.
    /// </summary>
    private const int LingerMs = 200;

    /// <summary>
    /// How often leaders are asked for without cause. A client asks once when a broker dies, and is told the dead one, since the
    /// cluster finds out only by the broker's session time-out; then it waits for this. With the client's default of five minutes
    /// partitions of a killed broker stood still for that long. Also the third part of the time after which an idle client no
    /// longer believes what it knows.
    /// </summary>
    private const int MetadataRefreshMs = 2_000;

    /// <summary>Properties that carry the guarantee or are Dedup's own, each with the reason for which a user's value is refused.</summary>
    public static IReadOnlyDictionary<string, string> Reserved { get; } =
        new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["enable.auto.commit"] = "offsets are committed inside the transaction",
            ["enable.auto.offset.store"] = "offsets are committed inside the transaction",
            ["auto.commit.interval.ms"] = "offsets are committed inside the transaction",
            ["isolation.level"] =
                "input is read committed, or an aborted record would count as seen",
            ["enable.idempotence"] = "a transactional producer is idempotent",
            ["acks"] = "a record must be on all in-sync replicas before its ID is remembered",
            ["request.required.acks"] =
                "a record must be on all in-sync replicas before its ID is remembered",
            ["retries"] = "the transaction decides what is sent again",
            ["message.send.max.retries"] = "the transaction decides what is sent again",
            ["max.in.flight"] = "order must be kept over retries",
            ["max.in.flight.requests.per.connection"] = "order must be kept over retries",
            ["transactional.id"] =
                "it is made of pipeline, instance, and lane, so that a restart fences its own zombie",
            ["transaction.timeout.ms"] = "it belongs to the lane's own time-outs",
            ["auto.offset.reset"] = "a lost position is said, never skipped",
            ["group.id"] = "the group is dedup-<pipeline>",
            ["group.instance.id"] = "use membership: static or dynamic",
            ["group.protocol"] = "rebalances are built for the classic protocol",
            ["partition.assignment.strategy"] = "rebalances are built for cooperative-sticky",
            ["enable.partition.eof"] = "ends are the restore's own business",
            ["allow.auto.create.topics"] =
                "topics are made by dedup topics, with the right settings",
            ["session.timeout.ms"] = "recovery times are built on it",
            ["max.poll.interval.ms"] =
                "it is also the time that the group waits for a member to give its partitions back",
            ["partitioner"] = "records keep their partition",
            ["dotnet.producer.enable.delivery.reports"] = "a lost record shows at the commit",
            ["enable.gapless.guarantee"] = "the transaction gives that",
        };

    private readonly Dictionary<string, string> _user;

    /// <summary>Takes the user's properties, which must not contain a reserved one.</summary>
    public ClientSettings(IEnumerable<KeyValuePair<string, string>> user)
    {
        _user = new Dictionary<string, string>(user, StringComparer.Ordinal);
        foreach (string name in _user.Keys)
        {
            if (Reserved.TryGetValue(name, out string? why))
            {
                throw new ArgumentException($"{name} cannot be set: {why}.", nameof(user));
            }
        }
    }

    /// <summary>bootstrap.servers.</summary>
    public string BootstrapServers => _user.GetValueOrDefault("bootstrap.servers", "");

    /// <summary>Kilobytes of prefetched records for each lane.</summary>
    public int PrefetchKilobytes { get; init; } = 16 * 1024;

    /// <summary>Kilobytes of unsent records for each lane.</summary>
    public int SendKilobytes { get; init; } = 32 * 1024;

    /// <summary>
    /// Bytes of a batch of records: no more than any topic written to takes (max.message.bytes is a limit of batches, too), or the
    /// broker refuses whole batches of records that it would take one by one.
    /// </summary>
    public int BatchBytes { get; init; } = MostBatchBytes;

    /// <summary>For the group member of a lane.</summary>
    /// <param name="group">Consumer group.</param>
    /// <param name="instanceId">group.instance.id for a static member; null for a dynamic one.</param>
    /// <param name="clientId">client.id, unless the user set one.</param>
    public ConsumerConfig Member(string group, string? instanceId, string clientId)
    {
        ConsumerConfig config = Consumer(clientId);
        config.GroupId = group;
        config.Set("partition.assignment.strategy", "cooperative-sticky");
        config.Set("session.timeout.ms", $"{SessionTimeoutMs}");
        Default(config, "heartbeat.interval.ms", $"{HeartbeatMs}");
        // Longer than a revocation can take with all its calls at their time-outs: a static member that is still in one when the
        // group stops waiting misses a generation, in which others get what it was about to be given.
        config.Set("max.poll.interval.ms", "600000");
        config.Set("queued.max.messages.kbytes", $"{PrefetchKilobytes}");
        Default(config, "queued.min.messages", "50000");
        Default(config, "fetch.message.max.bytes", $"{4 << 20}");
        if (instanceId is not null)
        {
            config.GroupInstanceId = instanceId;
        }

        return config;
    }

    /// <summary>For reading a changelog without a group.</summary>
    public ConsumerConfig Reader(string clientId, bool committedOnly)
    {
        ConsumerConfig config = Consumer(clientId);
        // The client asks for a group even where partitions are assigned by hand; nothing is ever committed under it.
        config.GroupId = clientId;
        config.IsolationLevel = committedOnly
            ? IsolationLevel.ReadCommitted
            : IsolationLevel.ReadUncommitted;
        config.EnablePartitionEof = true;
        config.Set("queued.max.messages.kbytes", $"{PrefetchKilobytes}");
        Default(config, "fetch.message.max.bytes", $"{4 << 20}");
        return config;
    }

    /// <summary>For the producer of a lane, or one that only fences.</summary>
    public ProducerConfig Producer(string transactionalId)
    {
        var config = new ProducerConfig(Copy())
        {
            TransactionalId = transactionalId,
            EnableIdempotence = true,
            Acks = Acks.All,
            TransactionTimeoutMs = TransactionTimeoutMs,
            EnableDeliveryReports = false,
        };
        Default(config, "client.id", transactionalId);
        Default(config, "retry.backoff.ms", $"{RetryBackoffMs}");
        // Follows the back-off unless it is set.
        Default(config, "topic.metadata.refresh.fast.interval.ms", "100");
        Default(config, "linger.ms", $"{LingerMs}");
        Default(config, "batch.size", $"{BatchBytes}");
        Default(config, "batch.num.messages", "100000");
        Default(config, "queue.buffering.max.messages", "1000000");
        Default(config, "queue.buffering.max.kbytes", $"{SendKilobytes}");
        Default(config, "message.max.bytes", "10485760");
        // Not the client's own business: the lane's clock says when a transaction is over.
        config.Set("message.timeout.ms", $"{TransactionTimeoutMs - 1000}");
        return config;
    }

    /// <summary>For administration.</summary>
    public AdminClientConfig Admin()
    {
        var config = new AdminClientConfig(Copy());
        Default(config, "client.id", "dedup-admin");
        return config;
    }

    /// <summary>A config object writes into the dictionary that it is given.</summary>
    private Dictionary<string, string> Copy()
    {
        var copy = new Dictionary<string, string>(_user, StringComparer.Ordinal);
        _ = copy.TryAdd("topic.metadata.refresh.interval.ms", $"{MetadataRefreshMs}");
        return copy;
    }

    private ConsumerConfig Consumer(string clientId)
    {
        var config = new ConsumerConfig(Copy())
        {
            EnableAutoCommit = false,
            EnableAutoOffsetStore = false,
            AutoOffsetReset = AutoOffsetReset.Error,
            IsolationLevel = IsolationLevel.ReadCommitted,
            AllowAutoCreateTopics = false,
        };
        Default(config, "client.id", clientId);
        Default(config, "fetch.queue.backoff.ms", $"{FetchQueueBackoffMs}");
        return config;
    }

    private void Default(Config config, string name, string value)
    {
        if (!_user.ContainsKey(name))
        {
            config.Set(name, value);
        }
    }
}
