using Dedup.Kafka.Tasks;
using Dedup.Topology.Ports;
using Dedup.Topology.Records;

namespace Dedup.Kafka.Ways;

/// <summary>
/// What a lane does with the records that it polls. Everything around it (transaction, rebalance, restore, errors) is the
/// same for both hops of by-id and for by-input.
/// </summary>
internal abstract class RecordWay
{
    /// <summary>
    /// Whether what comes from one partition goes to many: then the partition's changelog is where a pending transaction of a
    /// dead owner is looked for, and each transaction begins with a marker there.
    /// </summary>
    public abstract bool Spreads { get; }

    /// <summary>Handles consecutive records of a partition, all within the open transaction.</summary>
    /// <param name="task">The partition's task.</param>
    /// <param name="batch">The batch as it was polled.</param>
    /// <param name="from">First record.</param>
    /// <param name="count">How many.</param>
    /// <param name="nowMs">Wall clock.</param>
    /// <param name="sent">Records done; less than <paramref name="count"/> when the result is not Ok: the next one failed; or when the task is throttled: the next one waits.</param>
    /// <param name="bytes">Bytes of keys and values of those done.</param>
    public abstract TxResult Take(
        PartitionTask task,
        RecordBatch batch,
        int from,
        int count,
        long nowMs,
        out int sent,
        out long bytes
    );
}
