using System.Text;
using Dedup.Contracts.Headers;
using Dedup.Contracts.Identity;
using Dedup.Simulation.Broker;

namespace Dedup.Simulation.Checkers;

/// <content>How a record looks on clean, on the duplicates, and on the quarantine topic.</content>
public sealed partial class Reference
{
    /// <summary>Expects a record on clean, unchanged; false when the topic refuses it: then it goes to quarantine, as invalid.</summary>
    private bool Forward(
        ExpectedTransaction transaction,
        LogEntry entry,
        string verdict,
        bool isSpared
    )
    {
        ModelRecord sent = With(
            entry.Record!,
            Events.Added(_scenario, entry.Record!, verdict),
            entry.Record!.TimestampMs
        );
        if (sent.Size > _recordLimit)
        {
            _ = Quarantine(transaction, entry, "invalid", Reason.RefusedTooLarge);
            return false;
        }

        Count("to.clean");
        Count("verdict." + verdict);
        if (isSpared)
        {
            Count("shadow." + verdict);
        }

        transaction.Clean.Add(new ExpectedRecord(entry.Offset, sent));
        return true;
    }

    private bool Duplicate(
        ExpectedTransaction transaction,
        LogEntry entry,
        string verdict,
        Occurrence first
    )
    {
        ModelRecord record = entry.Record!;
        if (Spec.Duplicates is not null)
        {
            ModelRecord sent = With(
                record,
                [.. SourceHeaders(entry), .. FirstHeaders(first)],
                record.TimestampMs
            );
            if (sent.Size > _recordLimit)
            {
                _ = Quarantine(transaction, entry, "invalid", Reason.RefusedTooLarge);
                return false;
            }

            transaction.Duplicates.Add(new ExpectedRecord(entry.Offset, sent));
        }

        Count("to.duplicate");
        Count("verdict." + verdict);
        return true;
    }

    private ModelRecord QuarantineForm(LogEntry entry, Reason reason, Occurrence? first)
    {
        ModelRecord record = entry.Record!;
        ModelHeader[] added =
            reason == Reason.OverQuota
                ?
                [
                    Header(
                        HeaderNames.Reason,
                        $"over-quota {Spec.Input}/{Partition}/{entry.Offset}/{record.TimestampMs}"
                    ),
                ]
                :
                [
                    .. SourceHeaders(entry),
                    Header(HeaderNames.Reason, ReasonText.Of(reason)),
                    Header(HeaderNames.Detail, ReasonText.DetailOf(reason)),
                    .. first is null ? [] : FirstHeaders(first),
                ];
        return With(record, added, -1);
    }

    private ModelHeader[] FirstHeaders(Occurrence first) =>
        [
            Header(HeaderNames.FirstTopic, Spec.Input),
            Header(HeaderNames.FirstPartition, $"{first.Partition}"),
            Header(HeaderNames.FirstOffset, $"{first.Offset}"),
            Header(HeaderNames.FirstTimestamp, $"{first.SeenMs}"),
        ];

    private ModelHeader[] SourceHeaders(LogEntry entry) =>
        [
            Header(HeaderNames.SourceTopic, _scenario.Spec.Input),
            Header(HeaderNames.SourcePartition, $"{Partition}"),
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
}
