using System.Globalization;
using System.Text;
using Dedup.Contracts.Headers;
using Dedup.Simulation.Broker;
using Dedup.Simulation.Runs;

namespace Dedup.Simulation.Checkers;

/// <summary>Compares an output topic with what has to be in it: record by record, and transaction by transaction.</summary>
public static class OutputChecker
{
    /// <summary>Compares; throws at the first difference.</summary>
    public static void Check(
        ModelLog log,
        IReadOnlyList<(long ProducerId, List<ExpectedRecord> Records)> expected,
        bool isQuarantine
    )
    {
        LogEntry[] actual = [.. log.Archive.Where(static e => e.IsVisible)];
        ExpectedRecord[] wanted = [.. expected.SelectMany(static t => t.Records)];
        for (int i = 0; i < Math.Max(actual.Length, wanted.Length); i++)
        {
            if (i >= actual.Length)
            {
                throw Broken(
                    "I2",
                    log,
                    $"{Text(wanted[i])} is missing at the end: {actual.Length} records, should be {wanted.Length}"
                );
            }

            if (i >= wanted.Length || !IsSame(actual[i].Record!, wanted[i], isQuarantine))
            {
                throw Explain(log, actual, wanted, i, isQuarantine);
            }
        }

        CheckBoundaries(log, expected);
    }

    /// <summary>Where a quarantined record or duplicate says that it came from; null when it does not.</summary>
    public static (long Offset, string Reason)? SourceOf(ModelRecord record)
    {
        long? offset = null;
        string reason = "";
        foreach (ModelHeader header in record.Headers)
        {
            string name = Encoding.UTF8.GetString(header.Name);
            if (name == HeaderNames.SourceOffset)
            {
                offset = long.Parse(header.Value!, CultureInfo.InvariantCulture);
            }
            else if (name == HeaderNames.Reason)
            {
                reason = Encoding.UTF8.GetString(header.Value!);
                if (reason.StartsWith("over-quota ", StringComparison.Ordinal))
                {
                    // over-quota TOPIC/PARTITION/OFFSET/TIMESTAMP
                    offset = long.Parse(reason.Split('/')[^2], CultureInfo.InvariantCulture);
                    reason = "over-quota";
                }
            }
        }

        return offset is { } found ? (found, reason) : null;
    }

    /// <summary>I4: what a transaction wrote here is what its marker in the changelog says.</summary>
    private static void CheckBoundaries(
        ModelLog log,
        IReadOnlyList<(long ProducerId, List<ExpectedRecord> Records)> expected
    )
    {
        // The control records of two producers may come in any order, their records may not.
        CommittedTransaction[] transactions =
        [
            .. CommittedTransaction.Of(log).OrderBy(static t => t.Entries[0].Offset),
        ];
        (long ProducerId, List<ExpectedRecord> Records)[] wanted =
        [
            .. expected.Where(static t => t.Records.Count > 0),
        ];
        for (int i = 0; i < transactions.Length; i++)
        {
            if (
                transactions[i].ProducerId != wanted[i].ProducerId
                || transactions[i].Entries.Count != wanted[i].Records.Count
            )
            {
                throw Broken(
                    "I4",
                    log,
                    $"the transaction ending at {transactions[i].CommitOffset} holds {transactions[i].Entries.Count} records of pid {transactions[i].ProducerId}; by its marker it should be {wanted[i].Records.Count} of pid {wanted[i].ProducerId}"
                );
            }
        }
    }

    private static ViolationException Explain(
        ModelLog log,
        LogEntry[] actual,
        ExpectedRecord[] wanted,
        int at,
        bool isQuarantine
    )
    {
        LogEntry found = actual[at];
        string here = $"at {found.Offset} stands {Text(found.Record!)}";
        for (int i = 0; i < at; i++)
        {
            if (
                IsSame(found.Record!, wanted[i], isQuarantine)
                && found.Record!.Value is { Length: > 0 }
            )
            {
                return Broken("I1", log, $"{here}, which was there already at {actual[i].Offset}");
            }
        }

        if (at >= wanted.Length)
        {
            return Broken(
                "I1",
                log,
                $"{here}, which should not be there: {wanted.Length} records expected"
            );
        }

        bool isLater = false;
        for (int i = at + 1; i < wanted.Length; i++)
        {
            isLater |= IsSame(found.Record!, wanted[i], isQuarantine);
        }

        bool comesLater = Array.Exists(
            actual,
            entry => IsSame(entry.Record!, wanted[at], isQuarantine)
        );
        string invariant =
            comesLater ? "I3"
            : isLater ? "I2"
            : "I3";
        return Broken(invariant, log, $"{here}, should be {Text(wanted[at])}");
    }

    /// <summary>Whether a record is the expected one; that of quarantine has another timestamp.</summary>
    public static bool IsSame(ModelRecord actual, ExpectedRecord expected, bool isQuarantine)
    {
        ModelRecord wanted = expected.Record;
        return AreSame(actual.Key, wanted.Key)
            && AreSame(actual.Value, wanted.Value)
            && (isQuarantine || actual.TimestampMs == wanted.TimestampMs)
            && AreSame(actual.Headers, wanted.Headers);
    }

    /// <summary>Whether two lists of headers are the same.</summary>
    public static bool AreSame(ModelHeader[] a, ModelHeader[] b)
    {
        if (a.Length != b.Length)
        {
            return false;
        }

        for (int i = 0; i < a.Length; i++)
        {
            if (!AreSame(a[i].Name, b[i].Name) || !AreSame(a[i].Value, b[i].Value))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Whether two keys or values are the same; null and empty are not.</summary>
    public static bool AreSame(byte[]? a, byte[]? b) =>
        a is null || b is null ? a is null && b is null : a.AsSpan().SequenceEqual(b);

    private static string Text(ExpectedRecord record) =>
        $"input offset {record.SourceOffset}: {Text(record.Record)}";

    /// <summary>A record for a report.</summary>
    public static string Text(ModelRecord record)
    {
        string key = record.Key is null ? "null" : Encoding.Latin1.GetString(record.Key);
        string value = record.Value is null
            ? "null"
            : Convert.ToHexString(record.Value.AsSpan(0, Math.Min(8, record.Value.Length)));
        string headers = string.Join(
            ",",
            record.Headers.Select(static h =>
                $"{Encoding.Latin1.GetString(h.Name)}={(h.Value is null ? "null" : Encoding.Latin1.GetString(h.Value))}"
            )
        );
        return $"[key {key} value {value} time {record.TimestampMs} headers {headers}]";
    }

    private static ViolationException Broken(string invariant, ModelLog log, string what) =>
        new(new Violation(invariant, $"{log.Topic.Name}-{log.Partition}: {what}"));
}
