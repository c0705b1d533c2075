using System.Collections.Frozen;

namespace Dedup.Host.Configuration;

/// <summary>librdkafka properties that carry the guarantee: they belong to Dedup, and set by a user they are refused with the reason.</summary>
public static class GuardedProperties
{
    private const string Offsets =
        "Dedup commits offsets inside the transaction that carries the output; committed elsewhere, records would be lost or doubled";

    private const string Group =
        "the consumer group is dedup-<pipeline>, so that offsets, state, and changelog belong together";

    private const string Assignment =
        "partitions move with the cooperative-sticky assignor, so that their state is handed over one by one";

    private const string Idempotence =
        "transactions need acks=all, an idempotent producer, and its retries; less would lose or double records";

    private const string Ordering = "it would change the order of records or where they go";

    private static readonly FrozenDictionary<string, string> Reasons = new Dictionary<
        string,
        string
    >(StringComparer.Ordinal)
    {
        ["enable.auto.commit"] = Offsets,
        ["auto.commit.enable"] = Offsets,
        ["auto.commit.interval.ms"] = Offsets,
        ["enable.auto.offset.store"] = Offsets,
        ["offset.store.method"] = Offsets,
        ["offset.store.path"] = Offsets,
        ["offset.store.sync.interval.ms"] = Offsets,
        ["auto.offset.reset"] =
            "a lost position must be said and decided, not jumped over; the first run begins where pipelines.*.start says",
        ["isolation.level"] =
            "Dedup reads committed records only; a record of an aborted transaction would be remembered though it never happened",
        ["group.id"] = Group,
        ["group.instance.id"] =
            "it is the instance id in the state directory and the lane, so that a restart gets its partitions back; see membership",
        ["group.protocol"] = Assignment,
        ["group.protocol.type"] = Assignment,
        ["group.remote.assignor"] = Assignment,
        ["partition.assignment.strategy"] = Assignment,
        ["enable.idempotence"] = Idempotence,
        ["acks"] = Idempotence,
        ["request.required.acks"] = Idempotence,
        ["retries"] = Idempotence,
        ["message.send.max.retries"] = Idempotence,
        ["max.in.flight"] = Idempotence,
        ["max.in.flight.requests.per.connection"] = Idempotence,
        ["enable.gapless.guarantee"] = Idempotence,
        ["message.timeout.ms"] = Idempotence,
        ["delivery.timeout.ms"] = Idempotence,
        ["transactional.id"] =
            "it is made of pipeline, instance id, and lane, so that a restart fences its own predecessor and nobody else's",
        ["transaction.timeout.ms"] =
            "it follows from commit.interval, so that a dead owner's transaction ends soon and a live one's never",
        ["max.poll.interval.ms"] =
            "it is also how long the group waits for a member to give its partitions back; a shorter wait lets two work on one",
        ["session.timeout.ms"] = "recovery times and membership rest on it",
        ["dotnet.producer.enable.delivery.reports"] =
            "delivery reports are off; a lost record shows at the commit",
        ["allow.auto.create.topics"] =
            "a missing topic is refused; made by the broker it would have another number of partitions than the input",
        ["partitioner"] = Ordering,
        ["queuing.strategy"] = Ordering,
        ["msg_order_cmp"] = Ordering,
        ["sticky.partitioning.linger.ms"] = Ordering,
        ["enable.partition.eof"] =
            "the transport's batches would carry end-of-partition marks among the records",
        ["delivery.report.only.error"] =
            "delivery reports are off; a lost record shows at the commit",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>All guarded names.</summary>
    public static IEnumerable<string> Names => Reasons.Keys.Order(StringComparer.Ordinal);

    /// <summary>Why a property is Dedup's; null for one that a user may set.</summary>
    public static string? ReasonFor(string name) => Reasons.GetValueOrDefault(name);
}
