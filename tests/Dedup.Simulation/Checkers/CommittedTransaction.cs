using Dedup.Simulation.Broker;

namespace Dedup.Simulation.Checkers;

/// <summary>A committed transaction as a reader of one partition sees it: the records between two control records of a producer.</summary>
/// <param name="ProducerId">Producer id.</param>
/// <param name="CommitOffset">Offset of the control record.</param>
/// <param name="Entries">Its records in this partition.</param>
public sealed record CommittedTransaction(
    long ProducerId,
    long CommitOffset,
    IReadOnlyList<LogEntry> Entries
)
{
    /// <summary>The committed transactions with records in a log, in the order of their control records.</summary>
    public static List<CommittedTransaction> Of(ModelLog log)
    {
        var result = new List<CommittedTransaction>();
        var open = new Dictionary<long, List<LogEntry>>();
        foreach (LogEntry entry in log.Archive)
        {
            if (entry.Kind == EntryKind.Data)
            {
                if (!open.TryGetValue(entry.ProducerId, out List<LogEntry>? entries))
                {
                    open[entry.ProducerId] = entries = [];
                }

                entries.Add(entry);
            }
            else if (
                open.Remove(entry.ProducerId, out List<LogEntry>? entries)
                && entry.Kind == EntryKind.CommitMarker
            )
            {
                result.Add(new CommittedTransaction(entry.ProducerId, entry.Offset, entries));
            }
        }

        return result;
    }
}
