using System.Buffers.Text;
using System.Text;
using Dedup.Contracts.Headers;
using Dedup.Contracts.Identity;
using Dedup.Topology.Records;

namespace Dedup.Audit.Side;

/// <summary>The headers that Dedup added behind a record's own when it put it into the quarantine or duplicates topic.</summary>
internal ref struct SideHeaders
{
    private static readonly byte[][] Names =
    [
        .. new[]
        {
            HeaderNames.Reason,
            HeaderNames.Detail,
            HeaderNames.SourceTopic,
            HeaderNames.SourcePartition,
            HeaderNames.SourceOffset,
            HeaderNames.SourceTimestamp,
            HeaderNames.FirstTopic,
            HeaderNames.FirstPartition,
            HeaderNames.FirstOffset,
            HeaderNames.FirstTimestamp,
            HeaderNames.Verdict,
        }.Select(Encoding.UTF8.GetBytes),
    ];

    /// <summary>Which of them is written before all others.</summary>
    private const int First = 2;

    private static readonly byte[][] Reasons =
    [
        .. Enumerable
            .Range(0, ReasonText.Count)
            .Select(static r => Encoding.UTF8.GetBytes(ReasonText.Of((Reason)r))),
    ];

    private static readonly byte[] WithoutPayload = Encoding.UTF8.GetBytes(
        ReasonText.WithoutPayload
    );

    /// <summary>Headers that were the record's own.</summary>
    public int Own;

    public ReadOnlySpan<byte> SourceTopic;
    public int SourcePartition;
    public long SourceOffset;
    public long? SourceTimestampMs;
    public int FirstPartition;
    public long FirstOffset;
    public Reason Reason;

    /// <summary>Whether the detail says that the payload was left out.</summary>
    public bool IsWithoutPayload;

    /// <summary>Whether topic, partition, and offset of the source are all there.</summary>
    public bool HasSource;

    /// <summary>
    /// Reads the added headers: those at the end whose names are ours, from the source's topic on, which is always the first.
    /// A record that had such headers already (a replayed one, or a forged one) keeps them as its own.
    /// </summary>
    public static SideHeaders Of(in RecordView record)
    {
        var found = new SideHeaders
        {
            Own = record.Batch.HeaderCount(record.Index),
            FirstPartition = -1,
            FirstOffset = -1,
            SourcePartition = -1,
            SourceOffset = -1,
        };
        int seen = 0;
        while (found.Own > 0)
        {
            record.Batch.GetHeader(
                record.Index,
                found.Own - 1,
                out ReadOnlySpan<byte> name,
                out ReadOnlySpan<byte> value,
                out _
            );
            int which = IndexOf(Names, name);
            if (which < 0 || (seen & (1 << which)) != 0)
            {
                break;
            }

            seen |= 1 << which;
            found.Own--;
            if (which == 0 && found.TakeBrief(value))
            {
                // It says everything, so that whatever stands before it is the record's own.
                break;
            }

            found.Take(which, value);
            if (which == First)
            {
                break;
            }
        }

        found.HasSource =
            !found.SourceTopic.IsEmpty && found.SourcePartition >= 0 && found.SourceOffset >= 0;
        return found;
    }

    private bool TakeBrief(ReadOnlySpan<byte> value)
    {
        if (
            !BriefSource.TryRead(
                value,
                out ReadOnlySpan<byte> topic,
                out int partition,
                out long offset,
                out long timestampMs
            )
        )
        {
            return false;
        }

        Reason = Reason.OverQuota;
        SourceTopic = topic;
        SourcePartition = partition;
        SourceOffset = offset;
        SourceTimestampMs = timestampMs;
        return true;
    }

    private void Take(int which, ReadOnlySpan<byte> value)
    {
        switch (which)
        {
            case 0:
                Reason = (Reason)Math.Max(0, IndexOf(Reasons, value));
                break;
            case 1:
                IsWithoutPayload = value.SequenceEqual(WithoutPayload);
                break;
            case 2:
                SourceTopic = value;
                break;
            case 3:
                SourcePartition = (int)Math.Clamp(Number(value) ?? -1, -1, int.MaxValue);
                break;
            case 4:
                SourceOffset = Number(value) ?? -1;
                break;
            case 5:
                SourceTimestampMs = Number(value);
                break;
            case 7:
                FirstPartition = (int)Math.Clamp(Number(value) ?? -1, -1, int.MaxValue);
                break;
            case 8:
                FirstOffset = Number(value) ?? -1;
                break;
            default:
                break;
        }
    }

    private static long? Number(ReadOnlySpan<byte> digits) =>
        Utf8Parser.TryParse(digits, out long number, out int used) && used == digits.Length
            ? number
            : null;

    private static int IndexOf(byte[][] names, ReadOnlySpan<byte> name)
    {
        for (int i = 0; i < names.Length; i++)
        {
            if (name.SequenceEqual(names[i]))
            {
                return i;
            }
        }

        return -1;
    }
}
