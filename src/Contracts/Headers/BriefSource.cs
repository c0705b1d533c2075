using System.Buffers.Text;
using System.Text;
using Dedup.Contracts.Identity;

namespace Dedup.Contracts.Headers;

/// <summary>
/// What the reason header of a record in quarantine says for <see cref="Reason.OverQuota"/>, in place of five headers: the
/// reason, and where the record came from.
/// </summary>
/// <remarks>
/// <code>
/// over-quota TOPIC/PARTITION/OFFSET/TIMESTAMP            numbers in decimal digits; no topic has a blank or a slash in it
/// </code>
/// A tenant that is far over its quota sends such records by the million, and they must not slow the others down. Each
/// header is an object of librdkafka's that two threads touch: five of them cost as much as all else of a record.
/// </remarks>
public static class BriefSource
{
    /// <summary>The most bytes that one can take: the reason, a topic of 249, three numbers, and what is between them.</summary>
    public const int MaxSize = 512;

    private const byte Between = (byte)'/';

    private static readonly byte[] Start = Encoding.UTF8.GetBytes(
        ReasonText.Of(Reason.OverQuota) + " "
    );

    /// <summary>Writes it; gives the number of bytes. No allocation.</summary>
    /// <param name="target">At least <see cref="MaxSize"/> bytes.</param>
    /// <param name="topic">Input topic in UTF-8, at most 249 bytes.</param>
    /// <param name="partition">Input partition.</param>
    /// <param name="offset">Offset.</param>
    /// <param name="timestampMs">Timestamp of the record, in ms.</param>
    public static int Write(
        Span<byte> target,
        ReadOnlySpan<byte> topic,
        int partition,
        long offset,
        long timestampMs
    )
    {
        Start.CopyTo(target);
        int length = Start.Length;
        topic.CopyTo(target[length..]);
        length += topic.Length;
        foreach (long number in (ReadOnlySpan<long>)[partition, offset, timestampMs])
        {
            target[length++] = Between;
            _ = Utf8Formatter.TryFormat(number, target[length..], out int digits);
            length += digits;
        }

        return length;
    }

    /// <summary>Reads it; false when the bytes are anything else. Never throws.</summary>
    public static bool TryRead(
        ReadOnlySpan<byte> value,
        out ReadOnlySpan<byte> topic,
        out int partition,
        out long offset,
        out long timestampMs
    )
    {
        topic = default;
        partition = 0;
        offset = 0;
        timestampMs = 0;
        if (!value.StartsWith(Start))
        {
            return false;
        }

        ReadOnlySpan<byte> rest = value[Start.Length..];
        bool isWhole =
            TakeLast(ref rest, out timestampMs)
            && TakeLast(ref rest, out offset)
            && TakeLast(ref rest, out long number)
            && number is >= 0 and <= int.MaxValue
            && (partition = (int)number) >= 0
            && offset >= 0
            && !rest.IsEmpty;
        topic = isWhole ? rest : default;
        return isWhole;
    }

    private static bool TakeLast(ref ReadOnlySpan<byte> rest, out long number)
    {
        number = 0;
        int at = rest.LastIndexOf(Between);
        if (at < 0)
        {
            return false;
        }

        ReadOnlySpan<byte> digits = rest[(at + 1)..];
        rest = rest[..at];
        return Utf8Parser.TryParse(digits, out number, out int used) && used == digits.Length;
    }
}
