using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Dedup.Audit.Intake;
using Dedup.Contracts.Headers;
using Dedup.Contracts.Identity;
using Dedup.Topology.Identify;
using Dedup.Topology.Records;

namespace Dedup.Audit.Contents;

/// <summary>
/// The headers that <c>headers: standard</c> promises (docs/policies.md), calculated once more from the record itself. One
/// that the record has already, with a value, is not added.
/// </summary>
internal sealed class StandardHeaders
{
    /// <summary>How many there are: a record has at most so many more on clean than on the input.</summary>
    public const int Count = 7;

    /// <summary>In the order in which they are added.</summary>
    private static readonly byte[][] Names =
    [
        .. new[]
        {
            HeaderNames.TenantId,
            HeaderNames.DedupeKey,
            HeaderNames.EventId,
            HeaderNames.EventTopic,
            HeaderNames.EventCreatedAt,
            HeaderNames.RetryCount,
            HeaderNames.ProcessingAttempt,
        }.Select(Encoding.UTF8.GetBytes),
    ];

    // The last ms that ISO 8601 writes with a year of four digits.
    private const long LatestMs = 253_402_300_799_999;

    private readonly AuditRules _rules;
    private readonly byte[] _topic;
    private readonly byte[] _prefix;
    private byte[] _text = new byte[512];

    public StandardHeaders(AuditRules rules, string inputTopic)
    {
        _rules = rules;
        _topic = Encoding.UTF8.GetBytes(inputTopic);
        _prefix = Encoding.UTF8.GetBytes(rules.Recipe.Prefix);
    }

    /// <summary>The hash of a record's own headers with those that are added behind them.</summary>
    /// <param name="hash">Of its own ones.</param>
    /// <param name="record">The record as it was on the input.</param>
    /// <param name="reading">What the rules make of it.</param>
    /// <param name="scratch">Of the reader that read it last.</param>
    public ulong AddTo(ulong hash, in RecordView record, in EventReading reading, IdScratch scratch)
    {
        if (!scratch.Tenant.IsEmpty)
        {
            hash = Add(hash, record, 0, scratch.Tenant);
        }

        if (reading.Identified.Reason == Reason.None)
        {
            int most = VisibleKey.MaxLength(scratch, _prefix);
            if (_text.Length < most)
            {
                _text = new byte[most];
            }

            int length = VisibleKey.Write(scratch, _prefix, _text);
            hash = Add(hash, record, 1, _text.AsSpan(0, length));
            // The visible key ends with the hash of the ID.
            hash = Add(
                hash,
                record,
                2,
                scratch.Kind is IdKind.Bytes or IdKind.Json
                    ? scratch.Id
                    : _text.AsSpan(length - VisibleKey.HashLength, VisibleKey.HashLength)
            );
        }

        hash = Add(hash, record, 3, _topic);
        hash = Add(hash, record, 4, Time(record));
        return AddAttempts(hash, record);
    }

    /// <summary>The fewest headers that the record can have had before some were added behind them.</summary>
    public static int LeastOwn(in RecordView record, int headers)
    {
        int own = headers;
        int next = Count - 1;
        while (own > 0 && next >= 0)
        {
            record.Batch.GetHeader(
                record.Index,
                own - 1,
                out ReadOnlySpan<byte> name,
                out _,
                out _
            );
            int which = next;
            while (which >= 0 && !name.SequenceEqual(Names[which]))
            {
                which--;
            }

            if (which < 0)
            {
                break;
            }

            own--;
            next = which - 1;
        }

        return own;
    }

    private static ulong Add(
        ulong hash,
        in RecordView record,
        int which,
        ReadOnlySpan<byte> value
    ) =>
        record.Batch.TryGetHeader(record.Index, Names[which], out _)
            ? hash
            : RecordContents.AddHeader(hash, Names[which], value);

    private ReadOnlySpan<byte> Time(in RecordView record)
    {
        // Also of a record without an ID the payload's time counts, where it has one.
        long timeMs =
            _rules.Time is { } payload && payload.Read(record, out long found) == Reason.None
                ? found
                : record.TimestampMs;
        int length;
        if (timeMs is < 0 or > LatestMs)
        {
            _ = Utf8Formatter.TryFormat(timeMs, _text, out length);
        }
        else
        {
            _ = DateTimeOffset
                .FromUnixTimeMilliseconds(timeMs)
                .TryFormat(
                    _text,
                    out length,
                    "yyyy-MM-dd'T'HH:mm:ss.fff'Z'",
                    CultureInfo.InvariantCulture
                );
        }

        return _text.AsSpan(0, length);
    }

    private ulong AddAttempts(ulong hash, in RecordView record)
    {
        uint retries = 0;
        if (record.Batch.TryGetHeader(record.Index, Names[5], out ReadOnlySpan<byte> text))
        {
            bool isNumber =
                Utf8Parser.TryParse(text, out uint number, out int used) && used == text.Length;
            retries = isNumber ? number : 0;
        }

        hash = Add(hash, record, 5, "0"u8);
        _ = Utf8Formatter.TryFormat((ulong)retries + 1, _text, out int length);
        return Add(hash, record, 6, _text.AsSpan(0, length));
    }
}
