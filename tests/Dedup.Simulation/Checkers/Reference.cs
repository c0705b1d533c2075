using System.Text;
using Dedup.Contracts.Headers;
using Dedup.Contracts.Identity;
using Dedup.Simulation.Broker;
using Dedup.Simulation.Scenarios;
using Dedup.Topology.Pipelines;

namespace Dedup.Simulation.Checkers;

/// <summary>
/// The definition of semantics.md once more, as plainly as it can be said, over one partition's input: no store, no buckets,
/// no transactions, no code of the product.
/// </summary>
public sealed class Reference
{
    private readonly Scenario _scenario;
    private readonly Dictionary<string, List<(long SeenMs, long Offset)>> _seen = [];
    private readonly int _partition;
    private readonly int _recordLimit;
    private readonly Func<LogEntry, Reason> _tooFar;

    /// <summary>Makes the reference of a partition.</summary>
    /// <param name="scenario">The scenario.</param>
    /// <param name="partition">Input partition.</param>
    /// <param name="tooFar">What becomes of a record for being too far in the future, a matter of the wall clock at the time of judging; None for nothing.</param>
    public Reference(Scenario scenario, int partition, Func<LogEntry, Reason> tooFar)
    {
        _scenario = scenario;
        _partition = partition;
        _recordLimit = Math.Min(scenario.MaxMessageBytes, scenario.ClientMaxBytes);
        _tooFar = tooFar;
    }

    /// <summary>Highest timestamp of a record that was judged; -1 before the first.</summary>
    public long ClockMs { get; private set; } = -1;

    /// <summary>The ledger: what a marker has to count.</summary>
    public SortedDictionary<string, long> Counts { get; } = new(StringComparer.Ordinal);

    private long WindowMs => _scenario.Spec.Windows[0].WindowMs;

    private long GraceMs => _scenario.Spec.Windows[0].GraceMs;

    /// <summary>Judges the next record of the partition.</summary>
    public void Judge(LogEntry entry, ExpectedTransaction transaction)
    {
        ModelRecord record = entry.Record!;
        Count("consumed");
        if (InvalidReason(entry) is { } reason and not Reason.None)
        {
            Quarantine(transaction, entry, "invalid", reason);
            return;
        }

        string id = Convert.ToHexString(record.Key!);
        long clockMs = Math.Max(ClockMs, record.TimestampMs);
        (long SeenMs, long Offset)? first = FindFirst(id, record.TimestampMs, clockMs);
        if (first is { } known)
        {
            Duplicate(transaction, entry, known, clockMs);
            return;
        }

        bool isLate = record.TimestampMs < clockMs - GraceMs;
        if (isLate && _scenario.Spec.Late == LatePolicy.Drop)
        {
            ClockMs = clockMs;
            Count("to.late-dropped");
            Count("verdict.late");
            return;
        }

        if (isLate && _scenario.Spec.Late == LatePolicy.Quarantine)
        {
            ClockMs = Quarantine(transaction, entry, "late", Reason.Late) ? clockMs : ClockMs;
            return;
        }

        if (record.Size > _recordLimit)
        {
            Quarantine(transaction, entry, "invalid", Reason.RefusedTooLarge);
            return;
        }

        ClockMs = clockMs;
        Count("to.clean");
        Count(isLate ? "verdict.late" : "verdict.first");
        transaction.Clean.Add(new ExpectedRecord(entry.Offset, record));
        if (clockMs <= record.TimestampMs + WindowMs + GraceMs)
        {
            Remember(id, record.TimestampMs, entry.Offset);
            transaction.Entries.Add(new ExpectedEntry(id, record.TimestampMs, entry.Offset));
        }
    }

    private Reason InvalidReason(LogEntry entry) =>
        entry.Record!.TimestampMs <= 0 ? Reason.TimestampMissing
        : _tooFar(entry) is { } reason and not Reason.None ? reason
        : entry.Record.Key is null ? Reason.NullKey
        : Reason.None;

    /// <summary>
    /// The latest first occurrence that still counts (clock ≤ first seen + window + grace) and lies within the window of the
    /// record's time.
    /// </summary>
    private (long SeenMs, long Offset)? FindFirst(string id, long timestampMs, long clockMs)
    {
        if (!_seen.TryGetValue(id, out List<(long SeenMs, long Offset)>? entries))
        {
            return null;
        }

        (long SeenMs, long Offset)? best = null;
        foreach ((long SeenMs, long Offset) entry in entries)
        {
            bool counts = clockMs <= entry.SeenMs + WindowMs + GraceMs;
            bool isNear = Math.Abs(timestampMs - entry.SeenMs) <= WindowMs;
            if (counts && isNear && (best is null || entry.SeenMs > best.Value.SeenMs))
            {
                best = entry;
            }
        }

        return best;
    }

    private void Remember(string id, long seenMs, long offset)
    {
        if (!_seen.TryGetValue(id, out List<(long SeenMs, long Offset)>? entries))
        {
            _seen[id] = entries = [];
        }

        entries.Add((seenMs, offset));
    }

    private void Duplicate(
        ExpectedTransaction transaction,
        LogEntry entry,
        (long SeenMs, long Offset) first,
        long clockMs
    )
    {
        ModelRecord record = entry.Record!;
        if (_scenario.Spec.Duplicates is not null)
        {
            ModelHeader[] added =
            [
                .. SourceHeaders(entry),
                Header(HeaderNames.FirstTopic, _scenario.Spec.Input),
                Header(HeaderNames.FirstPartition, $"{_partition}"),
                Header(HeaderNames.FirstOffset, $"{first.Offset}"),
                Header(HeaderNames.FirstTimestamp, $"{first.SeenMs}"),
            ];
            ModelRecord sent = With(record, added, record.TimestampMs);
            if (sent.Size > _recordLimit)
            {
                Quarantine(transaction, entry, "invalid", Reason.RefusedTooLarge);
                return;
            }

            transaction.Duplicates.Add(new ExpectedRecord(entry.Offset, sent));
        }

        ClockMs = clockMs;
        Count("to.duplicate");
        Count("verdict.duplicate");
    }

    /// <summary>Expects a record in quarantine; false when the topic refuses it there, too: then it goes without payload, as invalid.</summary>
    private bool Quarantine(
        ExpectedTransaction transaction,
        LogEntry entry,
        string verdict,
        Reason reason
    )
    {
        ModelRecord sent = QuarantineForm(entry, reason);
        bool isAsJudged = sent.Size <= _recordLimit;
        if (!isAsJudged)
        {
            // Refused once, the reason is another one, with another length.
            verdict = "invalid";
            reason = Reason.RefusedTooLarge;
            sent = QuarantineForm(entry, reason);
        }

        bool fits = sent.Size <= _recordLimit;
        if (!fits)
        {
            sent = new ModelRecord
            {
                Key = [],
                Value = null,
                Headers =
                [
                    .. SourceHeaders(entry),
                    Header(HeaderNames.Reason, ReasonText.Of(reason)),
                    Header(
                        HeaderNames.Detail,
                        "payload left out: the quarantine topic refuses it too"
                    ),
                ],
            };
        }

        Count("to.quarantine");
        Count("verdict." + verdict);
        Count("reason." + ReasonText.Of(reason));
        transaction.Quarantine.Add((new ExpectedRecord(entry.Offset, sent, !fits), reason));
        return isAsJudged;
    }

    private ModelRecord QuarantineForm(LogEntry entry, Reason reason) =>
        With(
            entry.Record!,
            [
                .. SourceHeaders(entry),
                Header(HeaderNames.Reason, ReasonText.Of(reason)),
                Header(HeaderNames.Detail, ReasonText.DetailOf(reason)),
            ],
            -1
        );

    private ModelHeader[] SourceHeaders(LogEntry entry) =>
        [
            Header(HeaderNames.SourceTopic, _scenario.Spec.Input),
            Header(HeaderNames.SourcePartition, $"{_partition}"),
            Header(HeaderNames.SourceOffset, $"{entry.Offset}"),
            Header(HeaderNames.SourceTimestamp, $"{entry.Record!.TimestampMs}"),
        ];

    private static ModelRecord With(ModelRecord record, ModelHeader[] added, long timestampMs) =>
        new()
        {
            Key = record.Key,
            Value = record.Value,
            Headers = [.. record.Headers, .. added],
            TimestampMs = timestampMs,
        };

    private static ModelHeader Header(string name, string value) =>
        new(Encoding.UTF8.GetBytes(name), Encoding.UTF8.GetBytes(value));

    private void Count(string name) => Counts[name] = Counts.GetValueOrDefault(name) + 1;
}
