using Dedup.Simulation.Broker;

namespace Dedup.Simulation.Clients;

/// <summary>isolation.level of a consumer.</summary>
public enum Isolation : byte
{
    /// <summary>Only what is stable and not aborted.</summary>
    ReadCommitted,

    /// <summary>All up to the high watermark.</summary>
    ReadUncommitted,
}

/// <summary>How a fetcher reads a log.</summary>
public static class LogReader
{
    /// <summary>Up to where a fetch reads.</summary>
    public static long EndOf(ModelLog log, Isolation isolation) =>
        isolation == Isolation.ReadCommitted ? log.LastStableOffset : log.HighWatermark;

    /// <summary>
    /// Reads at most so many records from a position, which moves past control records and aborted ones as well
    /// (the fetcher skips them; Consumer.position() counts them).
    /// </summary>
    public static int Read(
        ModelLog log,
        Isolation isolation,
        ref long position,
        int maxRecords,
        ModelBatch batch
    )
    {
        long end = EndOf(log, isolation);
        int read = 0;
        for (int i = log.IndexOf(position); i < log.Entries.Count; i++)
        {
            LogEntry entry = log.Entries[i];
            if (entry.Offset >= end || read >= maxRecords)
            {
                break;
            }

            position = entry.Offset + 1;
            bool wanted =
                isolation == Isolation.ReadCommitted
                    ? entry.IsVisible
                    : entry.Kind == EntryKind.Data;
            if (wanted)
            {
                batch.Add(log.Partition, entry);
                read++;
            }
        }

        // What the cleaner took at the end of the readable part is passed over, too.
        if (read < maxRecords && position < end && log.IndexOf(position) == log.IndexOf(end))
        {
            position = end;
        }

        return read;
    }
}
