using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Dedup.Topology.Ports;

namespace Dedup.Kafka.Transport;

/// <summary>
/// Asks brokers for the ends of a log, and for a group. Through the admin client, because only there the isolation level is said with the
/// question: a consumer that reads committed answers with the last stable offset where the high watermark was meant.
/// </summary>
internal sealed class LogQueries(IAdminClient admin) : IDisposable
{
    /// <summary>The broker's answer for a time behind the last record.</summary>
    private const long NoneAtOrAfter = -1;

    /// <summary>On a client, and so a connection, of their own.</summary>
    public static LogQueries Of(ClientSettings settings) =>
        new(new AdminClientBuilder(settings.Admin()).SetLogHandler(static (_, _) => { }).Build());

    /// <summary>First offset, high watermark, last stable offset.</summary>
    public BoundsLookup Bounds(string topic, int partition, int timeoutMs)
    {
        (LookupStatus status, long low, string? detail) = Ask(
            topic,
            partition,
            OffsetSpec.Earliest(),
            IsolationLevel.ReadUncommitted,
            timeoutMs
        );
        if (status != LookupStatus.Found)
        {
            return new BoundsLookup(status, default, detail);
        }

        // Stable before high: if they are equal, nothing was open in between.
        (status, long stable, detail) = Ask(
            topic,
            partition,
            OffsetSpec.Latest(),
            IsolationLevel.ReadCommitted,
            timeoutMs
        );
        if (status != LookupStatus.Found)
        {
            return new BoundsLookup(status, default, detail);
        }

        (status, long high, detail) = Ask(
            topic,
            partition,
            OffsetSpec.Latest(),
            IsolationLevel.ReadUncommitted,
            timeoutMs
        );
        return status == LookupStatus.Found
            ? new BoundsLookup(status, new LogBounds(low, high, Math.Min(stable, high)), null)
            : new BoundsLookup(status, default, detail);
    }

    /// <summary>Last stable offset.</summary>
    public OffsetLookup End(string topic, int partition, int timeoutMs)
    {
        (LookupStatus status, long offset, string? detail) = Ask(
            topic,
            partition,
            OffsetSpec.Latest(),
            IsolationLevel.ReadCommitted,
            timeoutMs
        );
        return new OffsetLookup(status, offset, detail);
    }

    /// <summary>First offset at or after a time; the end when there is none.</summary>
    public OffsetLookup OffsetAt(string topic, int partition, long timestampMs, int timeoutMs)
    {
        (LookupStatus status, long offset, string? detail) = Ask(
            topic,
            partition,
            OffsetSpec.ForTimestamp(timestampMs),
            IsolationLevel.ReadCommitted,
            timeoutMs,
            lowest: NoneAtOrAfter
        );
        return status == LookupStatus.Found && offset == NoneAtOrAfter
            ? End(topic, partition, timeoutMs)
            : new OffsetLookup(status, offset, detail);
    }

    /// <summary>
    /// A consumer group with its members, as its coordinator knows it; null when not all brokers answer in time, or none knows
    /// the group. Waits: not for a lane's thread.
    /// </summary>
    public GroupInfo? Group(string group, TimeSpan timeout)
    {
        try
        {
            return admin.ListGroup(group, timeout);
        }
        catch (KafkaException)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => admin.Dispose();

    /// <summary>
    /// What a look-up that failed with this error means to the lane. A partition that is not there yet is waited for: topics
    /// grow while pipelines run.
    /// </summary>
    public static LookupStatus StatusOf(ErrorCode code) =>
        ErrorLadder.IsMisconfiguration(code)
        && code is not (ErrorCode.Local_UnknownPartition or ErrorCode.Local_UnknownTopic)
            ? LookupStatus.Failed
            : LookupStatus.Pending;

    private (LookupStatus Status, long Offset, string? Detail) Ask(
        string topic,
        int partition,
        OffsetSpec spec,
        IsolationLevel isolation,
        int timeoutMs,
        long lowest = 0
    )
    {
        try
        {
            ListOffsetsResult result = admin
                .ListOffsetsAsync(
                    [
                        new TopicPartitionOffsetSpec
                        {
                            TopicPartition = new(topic, partition),
                            OffsetSpec = spec,
                        },
                    ],
                    new ListOffsetsOptions
                    {
                        IsolationLevel = isolation,
                        RequestTimeout = TimeSpan.FromMilliseconds(timeoutMs),
                    }
                )
                .GetAwaiter()
                .GetResult();
            TopicPartitionOffsetError answer = result.ResultInfos[0].TopicPartitionOffsetError;
            if (answer.Error.IsError)
            {
                return (StatusOf(answer.Error.Code), -1, answer.Error.Reason);
            }

            // While a client is still finding its brokers it can answer "unset" without an error.
            return answer.Offset.Value < lowest
                ? (LookupStatus.Pending, -1, $"no offset yet ({answer.Offset})")
                : (LookupStatus.Found, answer.Offset.Value, null);
        }
        catch (KafkaException e)
        {
            return (StatusOf(e.Error.Code), -1, e.Error.Reason);
        }
    }
}
