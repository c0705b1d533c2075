using Dedup.Topology.Records;

namespace Dedup.Audit.Logs;

/// <summary>What exists of a partition.</summary>
/// <param name="Low">First offset that still exists.</param>
/// <param name="High">High watermark.</param>
public readonly record struct LogRange(long Low, long High);

/// <summary>One topic as an outsider reads it: committed records only. Used by several threads at once.</summary>
public interface ITopicLog : IDisposable
{
    /// <summary>Name.</summary>
    string Topic { get; }

    /// <summary>Number of partitions.</summary>
    int Partitions { get; }

    /// <summary>Whether compaction may have taken records out of the middle.</summary>
    bool IsCompacted { get; }

    /// <summary>What existed of a partition when the log was opened.</summary>
    LogRange RangeOf(int partition);

    /// <summary>Reads a partition from <paramref name="from"/> up to, not including, <paramref name="to"/>.</summary>
    /// <param name="partition">Which.</param>
    /// <param name="from">First offset.</param>
    /// <param name="to">Offset behind the last one.</param>
    /// <param name="waitForPending">Whether an open transaction below the end is waited for.</param>
    /// <param name="cancellation">Ends the reading.</param>
    IRecordStream Open(
        int partition,
        long from,
        long to,
        bool waitForPending,
        CancellationToken cancellation
    );
}

/// <summary>A range of a partition being read. Used by one thread.</summary>
public interface IRecordStream : IDisposable
{
    /// <summary>The next records; null at the end. The batch has to be released before the next call.</summary>
    RecordBatch? Next();

    /// <summary>Offset up to which everything was read.</summary>
    long Position { get; }

    /// <summary>Whether the end was reached; false when a transaction that is still open stood in the way.</summary>
    bool IsComplete { get; }
}
