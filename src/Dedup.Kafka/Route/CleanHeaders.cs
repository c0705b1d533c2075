using System.Buffers.Text;
using System.Text;
using Dedup.Contracts.Headers;
using Dedup.Contracts.Identity;
using Dedup.Topology.Identify;
using Dedup.Topology.Judge;
using Dedup.Topology.Pipelines;
using Dedup.Topology.Ports;
using Dedup.Topology.Proof;
using Dedup.Topology.Records;

namespace Dedup.Kafka.Route;

/// <summary>The headers that a user asked for on clean records. Of the standard ones a record keeps those that it has.</summary>
/// <remarks>
/// The record is identified once more, since judging keeps hashes only: what that costs is paid by pipelines that ask for
/// these headers. No allocation.
/// </remarks>
internal sealed class CleanHeaders(PipelineSpec spec)
{
    private static readonly byte[] TenantId = Utf8(HeaderNames.TenantId);
    private static readonly byte[] DedupeKey = Utf8(HeaderNames.DedupeKey);
    private static readonly byte[] EventId = Utf8(HeaderNames.EventId);
    private static readonly byte[] EventTopic = Utf8(HeaderNames.EventTopic);
    private static readonly byte[] EventCreatedAt = Utf8(HeaderNames.EventCreatedAt);
    private static readonly byte[] RetryCount = Utf8(HeaderNames.RetryCount);
    private static readonly byte[] ProcessingAttempt = Utf8(HeaderNames.ProcessingAttempt);

    // The last ms that ISO 8601 writes with a year of four digits.
    private const long LatestMs = 253_402_300_799_999;

    private readonly AddedHeaders _added = new();
    private readonly IdScratch _scratch = new();
    private readonly byte[] _prefix = Utf8(spec.Recipe.Prefix);
    private readonly byte[] _topic = Utf8(spec.Input);
    private byte[] _text = new byte[512];

    /// <summary>The headers of a record; valid until the next call.</summary>
    public AddedHeaders Of(RecordBatch batch, int index, in Judgement judgement)
    {
        _added.Clear();
        if ((spec.Headers & HeaderSets.Standard) != 0)
        {
            batch.Get(index, out RecordView record);
            AddIdentity(record);
            AddCircumstances(record);
        }

        if ((spec.Headers & HeaderSets.Verdict) != 0 && judgement.Verdict != Verdict.Unjudged)
        {
            Verdict verdict = Planted.Is(PlantedBug.VerdictOfPlace)
                ? Verdict.First
                : judgement.Verdict;
            _added.Add(HeaderNames.Verdict, VerdictText.Of(verdict));
        }

        return _added;
    }

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);

    private static bool Has(in RecordView record, byte[] name) =>
        record.Batch.TryGetHeader(record.Index, name, out _);

    private void AddIdentity(in RecordView record)
    {
        // Any key of the hash does: only the frame in the scratch is of interest.
        spec.Recipe.Identify(record, _scratch, default, out Identified identified);
        if (!_scratch.Tenant.IsEmpty && !Has(record, TenantId))
        {
            _added.Add(HeaderNames.TenantId, _scratch.Tenant);
        }

        if (identified.Reason != Reason.None)
        {
            return;
        }

        if (!Has(record, DedupeKey))
        {
            int most = VisibleKey.MaxLength(_scratch, _prefix);
            if (_text.Length < most)
            {
                _text = new byte[most];
            }

            _added.Add(
                HeaderNames.DedupeKey,
                _text.AsSpan(0, VisibleKey.Write(_scratch, _prefix, _text))
            );
        }

        if (Has(record, EventId))
        {
            return;
        }

        if (_scratch.Kind is IdKind.Bytes or IdKind.Json)
        {
            _added.Add(HeaderNames.EventId, _scratch.Id);
        }
        else
        {
            VisibleKey.WriteHash(_scratch, _text);
            _added.Add(HeaderNames.EventId, _text.AsSpan(0, VisibleKey.HashLength));
        }
    }

    private void AddCircumstances(in RecordView record)
    {
        if (!Has(record, EventTopic))
        {
            _added.Add(HeaderNames.EventTopic, _topic);
        }

        if (!Has(record, EventCreatedAt))
        {
            AddTime(record);
        }

        bool retried = record.Batch.TryGetHeader(
            record.Index,
            RetryCount,
            out ReadOnlySpan<byte> text
        );
        long retries =
            Utf8Parser.TryParse(text, out uint number, out int used) && used == text.Length
                ? number
                : 0;
        if (!retried)
        {
            _added.Add(HeaderNames.RetryCount, 0);
        }

        if (!Has(record, ProcessingAttempt))
        {
            _added.Add(HeaderNames.ProcessingAttempt, retries + 1);
        }
    }

    private void AddTime(in RecordView record)
    {
        long timeMs = record.TimestampMs;
        if (
            spec.Time.Payload is { } payload
            && payload.Read(record, out long payloadMs) == Reason.None
        )
        {
            timeMs = payloadMs;
        }

        if (timeMs > LatestMs)
        {
            _added.Add(HeaderNames.EventCreatedAt, timeMs);
            return;
        }

        _ = DateTimeOffset
            .FromUnixTimeMilliseconds(timeMs)
            .TryFormat(
                _text,
                out int length,
                "yyyy-MM-dd'T'HH:mm:ss.fff'Z'",
                System.Globalization.CultureInfo.InvariantCulture
            );
        _added.Add(HeaderNames.EventCreatedAt, _text.AsSpan(0, length));
    }
}
