using System.Buffers.Text;
using System.Text.RegularExpressions;

namespace Dedup.Host.Advise;

/// <summary>What names and values look like IDs, and what names change with each try of sending. Only tells what to try.</summary>
internal static partial class IdLooks
{
    /// <summary>Longest value that may be an ID; longer ones are texts.</summary>
    public const int MaxBytes = 200;

    private const int UuidLength = 36;
    private const int UlidLength = 26;
    private const int LeastHex = 16;

    /// <summary>Points for a name: an event's own ID goes before an ID of something.</summary>
    public static int PointsOf(string name) =>
        EventIdPattern.IsMatch(name) ? 100
        : AnyIdPattern.IsMatch(name) ? 50
        : 0;

    /// <summary>Whether a member says when or how often something was sent, so that two tries of one event differ in it.</summary>
    public static bool IsOfSending(string name) => SendingPattern.IsMatch(name);

    /// <summary>Whether a name is that of a time.</summary>
    public static bool IsTime(string name) => TimePattern.IsMatch(name);

    /// <summary>UUID, ULID, or a long hex number.</summary>
    public static bool IsUnique(ReadOnlySpan<byte> value) =>
        (
            value.Length == UuidLength
            && Utf8Parser.TryParse(value, out Guid _, out int read)
            && read == value.Length
        )
        || (
            value.Length == UlidLength
            && IsAll(value, static b => char.IsAsciiLetterOrDigit((char)b))
        )
        || (value.Length >= LeastHex && IsAll(value, static b => char.IsAsciiHexDigit((char)b)));

    /// <summary>Whether it is one word, as an ID is.</summary>
    public static bool IsWord(ReadOnlySpan<byte> value) =>
        value.Length is > 0 and <= MaxBytes
        && !value.ContainsAny((byte)' ', (byte)'\n', (byte)'\t');

    private static bool IsAll(ReadOnlySpan<byte> value, Func<byte, bool> test)
    {
        foreach (byte b in value)
        {
            if (!test(b))
            {
                return false;
            }
        }

        return true;
    }

    [GeneratedRegex(
        @"^(event|message|msg|record|request|command|idempotency|dedup|dedupe|deduplication|ce)?[_\-.]?(id|uuid|guid|ulid|key)$",
        RegexOptions.IgnoreCase
    )]
    private static partial Regex EventIdPattern { get; }

    [GeneratedRegex(
        @"([_\-.]|^)(id|uuid|guid|ulid|key|ref|reference|nonce|seq|sequence|number|token|hash)$|(Id|ID|Uuid|UUID|Guid|Key|Ref|Number|Token|Hash)$",
        RegexOptions.None
    )]
    private static partial Regex AnyIdPattern { get; }

    [GeneratedRegex(
        @"^(sent|send|published|publish|delivered|processed|ingested|received|retried)[_\-]?(at|time|ts|timestamp|on)$|^(attempt|attempts|retry|retries|retry[_\-]?count|delivery[_\-]?attempt|trace[_\-]?id|traceparent|tracestate|span[_\-]?id)$",
        RegexOptions.IgnoreCase
    )]
    private static partial Regex SendingPattern { get; }

    [GeneratedRegex(
        @"([_\-.]|^)(at|on|ts|time|timestamp|date|datetime)$|(At|On|Time|Timestamp|Date)$",
        RegexOptions.None
    )]
    private static partial Regex TimePattern { get; }
}
