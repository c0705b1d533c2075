using Dedup.Topology.Records;

namespace Dedup.Topology.Ports;

/// <summary>Reads changelog partitions, committed records only. One for each lane; several partitions may be open. Used by one thread.</summary>
public interface IChangelogReader : IDisposable
{
    /// <summary>Bounds of a changelog partition, with the true high watermark (not the last stable offset).</summary>
    BoundsLookup Bounds(int partition, int timeoutMs);

    /// <summary>Begins to read a partition.</summary>
    void Open(int partition, long fromOffset);

    /// <summary>Stops reading it.</summary>
    void Close(int partition);

    /// <summary>Reads on, in any of the open partitions; the batch may be empty and must be released before the next poll.</summary>
    RecordBatch Poll(int maxRecords, int timeoutMs);

    /// <summary>
    /// The offset up to which everything was read or passed over (control records, aborted ones): the end is reached when
    /// this is at or behind it, since the last offset of a transaction is never a record.
    /// </summary>
    long Position(int partition);
}
