namespace Dedup.Topology.Ports;

/// <summary>Answer to the question whether a transaction is open on a partition.</summary>
/// <param name="Status">How the look-up ended.</param>
/// <param name="IsPending">Whether the last stable offset lies below the high watermark.</param>
/// <param name="Detail">What went wrong otherwise.</param>
public readonly record struct PendingLookup(LookupStatus Status, bool IsPending, string? Detail);

/// <summary>Answer to the question who holds a transaction open on a changelog partition.</summary>
/// <param name="Status">Found, None (no uncommitted marker), or Pending (ask again).</param>
/// <param name="TransactionalId">The writer named by the last marker behind the last stable offset.</param>
public readonly record struct WriterLookup(LookupStatus Status, string? TransactionalId);

/// <summary>Finds and ends what a dead producer left pending, when a partition is taken over.</summary>
public interface IFencer
{
    /// <summary>Whether a transaction is open on the partition: its readers are held up.</summary>
    PendingLookup Pending(SinkTopic topic, int partition, int timeoutMs);

    /// <summary>
    /// Reads a changelog partition uncommitted, behind its last stable offset, and returns the writer named by the last marker
    /// there. Each transaction writes its marker before its chunks, so a pending one that reached the changelog is named.
    /// </summary>
    WriterLookup PendingWriter(int partition, int timeoutMs);

    /// <summary>
    /// InitTransactions under a foreign transactional.id, on a short-lived producer: ends the pending transaction and fences
    /// its producer, at once.
    /// </summary>
    TxResult Fence(string transactionalId, int timeoutMs);
}
