using Dedup.Audit.Contents;
using Dedup.Audit.Reports;

namespace Dedup.Audit.Side;

/// <summary>
/// Walks through what a side topic holds of one input partition, beside the input records, and reports what it holds
/// twice, changed, or of records that do not exist.
/// </summary>
internal sealed class SideCursor(
    SideEntry[] entries,
    string topic,
    int partition,
    long inputStart,
    bool historyDeleted,
    bool gapsAreNormal,
    FindingLog findings
)
{
    private int _next;

    /// <summary>Entries that lie within the audited range and were matched.</summary>
    public long Matched { get; private set; }

    /// <summary>Finds the entry of the input record; offsets have to rise from call to call.</summary>
    /// <param name="offset">Offset of the input record.</param>
    /// <param name="contents">Its contents.</param>
    /// <param name="audited">Whether it lies within the audited range.</param>
    /// <param name="entry">The entry.</param>
    public bool TryTake(long offset, in RecordContents contents, bool audited, out SideEntry entry)
    {
        SkipTo(offset);
        entry = default;
        if (_next == entries.Length || entries[_next].SourceOffset != offset)
        {
            return false;
        }

        entry = entries[_next++];
        RecordParts changed = entry.Contents.Differences(contents);
        if (entry.IsWithoutPayload)
        {
            changed &= RecordParts.Timestamp;
        }

        if (changed != RecordParts.None)
        {
            Report(entry, $"differs from its input record in {topic} ({changed})", changed);
        }

        while (_next < entries.Length && entries[_next].SourceOffset == offset)
        {
            Report(entries[_next++], $"is in {topic} more than once", RecordParts.None);
        }

        Matched += audited ? 1 : 0;
        return true;
    }

    /// <summary>All entries before that offset belong to records that were not there.</summary>
    public void SkipTo(long offset)
    {
        for (; _next < entries.Length && entries[_next].SourceOffset < offset; _next++)
        {
            SideEntry entry = entries[_next];
            if (entry.SourceOffset < inputStart && historyDeleted)
            {
                findings.AddUnknown(UnknownReason.InputDeleted);
            }
            else if (gapsAreNormal)
            {
                findings.AddUnknown(UnknownReason.Compacted);
            }
            else if (entry.SourceOffset >= inputStart)
            {
                Report(
                    entry,
                    $"is in {topic}, but the input has no committed record at that offset",
                    RecordParts.None
                );
            }
        }
    }

    private void Report(in SideEntry entry, string detail, RecordParts changed) =>
        findings.Add(
            new Finding
            {
                Kind = FindingKind.LedgerMismatch,
                Partition = partition,
                InputOffset = entry.SourceOffset,
                SidePartition = entry.OwnPartition,
                SideOffset = entry.OwnOffset,
                Changed = changed,
                Detail = detail,
            }
        );
}
