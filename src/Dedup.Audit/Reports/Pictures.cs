using System.Globalization;
using System.Text;
using Dedup.Audit.Logs;
using Dedup.Topology.Records;

namespace Dedup.Audit.Reports;

/// <summary>Reads the records of a finding once more, to show them.</summary>
internal static class Pictures
{
    /// <summary>Characters shown of a key or value: a line of a terminal.</summary>
    private const int MaxLength = 80;

    public static Finding Of(Finding finding, AuditTopics topics, CancellationToken cancellation) =>
        finding with
        {
            Input = Read(topics.Input, finding.Partition, finding.InputOffset, cancellation),
            Clean = Read(topics.Clean, finding.Partition, finding.CleanOffset, cancellation),
        };

    private static RecordPicture? Read(
        ITopicLog log,
        int partition,
        long? offset,
        CancellationToken cancellation
    )
    {
        if (offset is not { } at || at < log.RangeOf(partition).Low)
        {
            return null;
        }

        try
        {
            using IRecordStream stream = log.Open(
                partition,
                at,
                at + 1,
                waitForPending: false,
                cancellation
            );
            if (stream.Next() is not { Count: > 0 } batch)
            {
                return null;
            }

            batch.Get(0, out RecordView record);
            var picture = new RecordPicture(
                record.KeyIsNull ? null : Text(record.Key),
                record.ValueIsNull ? null : Text(record.Value),
                batch.HeaderCount(0),
                record.TimestampMs
            );
            batch.Release();
            return picture;
        }
        catch (AuditException)
        {
            // A finding without a picture is better than no report: the record may have been deleted meanwhile.
            return null;
        }
    }

    private static string Text(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder();
        ReadOnlySpan<byte> rest = bytes;
        while (!rest.IsEmpty && text.Length < MaxLength)
        {
            bool isText =
                Rune.DecodeFromUtf8(rest, out Rune rune, out int used)
                == System.Buffers.OperationStatus.Done;
            if (isText && !Rune.IsControl(rune))
            {
                _ = text.Append(rune.ToString());
            }
            else
            {
                for (int i = 0; i < used; i++)
                {
                    _ = text.Append(CultureInfo.InvariantCulture, $"\\x{rest[i]:x2}");
                }
            }

            rest = rest[used..];
        }

        return rest.IsEmpty ? text.ToString() : text.Append('…').ToString();
    }
}
