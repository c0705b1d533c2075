using System.Text;
using Dedup.Audit.Reports;
using Dedup.Contracts.Headers;
using Dedup.Contracts.Identity;
using Dedup.Topology.Identify;

namespace Dedup.Audit.Tests.Model;

/// <summary>
/// A pair of topics with one partition, filled by a reference pipeline: the definition in its plainest form, all entries
/// ever made in a list. The clean rows stand in a list, so that a test can damage them before the audit.
/// </summary>
internal sealed class Pair(long window, long grace, AuditLatePolicy late = AuditLatePolicy.Forward)
{
    public const string InputName = "orders";
    public const long Now = 1_000_000_000;
    private readonly List<(string Id, long Ts, long Offset)> _entries = [];
    private long _clock = long.MinValue;

    public MemoryLog Input { get; } = new(InputName, 1);
    public List<Row> Clean { get; } = [];
    public List<Row> Quarantine { get; } = [];
    public List<Row> Duplicates { get; } = [];
    public bool WithQuarantine { get; set; }
    public bool WithDuplicates { get; set; }
    public long MaxFuture { get; set; } = 3_600_000;
    public long WallClock { get; set; } = Now;
    public long CleanDeleted { get; set; }
    public bool CleanCompacted { get; set; }
    public long CleanLastStable { get; set; } = long.MaxValue;
    public IReadOnlyDictionary<int, long>? Committed { get; set; }
    public Func<int, long>? CommittedNow { get; set; }
    public long MemoryBytes { get; set; } = 1L << 30;

    /// <summary>IDs of a tenant that is over its quota.</summary>
    public HashSet<string> OverQuota { get; } = [];
    public string Temp { get; set; } = Path.GetTempPath();

    /// <summary>Input offset → verdict of the reference pipeline.</summary>
    public Dictionary<long, string> Verdicts { get; } = [];

    public Pair Put(
        string? key,
        long ts,
        string? value = "v",
        params (string, byte[]?)[] headers
    ) => Put(Row.Of(key, value, ts, headers));

    public Pair Put(Row row, int skip = 0)
    {
        long offset = Input.Add(row, 0, skip);
        row = row with { Offset = offset };
        string verdict = Judge(row);
        Verdicts[offset] = verdict;
        switch (verdict)
        {
            case "first" or "late-forwarded":
                Clean.Add(row);
                break;
            case "duplicate":
                (string _, long firstTs, long firstOffset) = _entries.Last(e => Matches(e, row));
                Duplicates.Add(
                    With(
                        row,
                        (HeaderNames.FirstTopic, InputName),
                        (HeaderNames.FirstPartition, "0"),
                        (HeaderNames.FirstOffset, $"{firstOffset}"),
                        (HeaderNames.FirstTimestamp, $"{firstTs}")
                    )
                );
                break;
            case "drop":
                break;
            default:
                Quarantine.Add(Quarantined(row, verdict));
                break;
        }

        return this;
    }

    public Row Quarantined(Row row, string reason) =>
        reason == ReasonText.Of(Reason.OverQuota) ? OverQuotaOf(row) : InLong(row, reason);

    /// <summary>In one header, as the product has it.</summary>
    private Row OverQuotaOf(Row row) =>
        row with
        {
            Headers =
            [
                .. row.Headers,
                (
                    HeaderNames.Reason,
                    Encoding.UTF8.GetBytes($"over-quota {InputName}/0/{row.Offset}/{row.Ts}")
                ),
            ],
            Ts = WallClock,
        };

    private Row InLong(Row row, string reason) =>
        With(
            row,
            (HeaderNames.Reason, reason),
            (HeaderNames.Detail, "words"),
            (HeaderNames.SourceTimestamp, $"{row.Ts}")
        ) with
        {
            Ts = WallClock,
        };

    public AuditReport Audit() => Audit(null);

    public AuditReport Audit(IProgress<AuditProgress>? progress)
    {
        MemoryLog clean = Log("orders.clean", Clean);
        clean.IsCompacted = CleanCompacted;
        clean.DeleteBefore(CleanDeleted);
        clean.LastStable = CleanLastStable;
        var topics = new AuditTopics
        {
            Input = Input,
            Clean = clean,
            Quarantine = WithQuarantine ? Log("orders.quarantine", Quarantine) : null,
            Duplicates = WithDuplicates ? Log("orders.duplicates", Duplicates) : null,
            Committed = Committed,
            CommittedNow = CommittedNow,
        };
        var rules = new AuditRules
        {
            Recipe = Recipe.Key,
            Window = new AuditWindow(window, grace),
            Late = late,
            MaxFutureMs = MaxFuture,
        };
        var time = new FixedTime(DateTimeOffset.FromUnixTimeMilliseconds(Now));
        return new AuditEngine(rules, topics, new AuditLimits(MemoryBytes, Temp), time).Run(
            progress
        );
    }

    private static MemoryLog Log(string name, List<Row> rows)
    {
        var log = new MemoryLog(name, 1);
        rows.ForEach(r => log.Add(r));
        return log;
    }

    private string Judge(Row row)
    {
        if (row.Key is null)
        {
            return ReasonText.Of(Reason.NullKey);
        }

        if (row.Ts <= 0)
        {
            return ReasonText.Of(Reason.TimestampMissing);
        }

        if (row.Ts > WallClock + MaxFuture)
        {
            return ReasonText.Of(Reason.TimestampTooFarInFuture);
        }

        _clock = Math.Max(_clock, row.Ts);
        if (_entries.Any(e => Matches(e, row)))
        {
            return "duplicate";
        }

        if (row.Ts < _clock - grace && late != AuditLatePolicy.Forward)
        {
            return late == AuditLatePolicy.Drop ? "drop" : ReasonText.Of(Reason.Late);
        }

        if (OverQuota.Contains(row.KeyText!))
        {
            return ReasonText.Of(Reason.OverQuota);
        }

        _entries.Add((row.KeyText!, row.Ts, row.Offset));
        return row.Ts < _clock - grace ? "late-forwarded" : "first";
    }

    private bool Matches((string Id, long Ts, long Offset) entry, Row row) =>
        entry.Id == row.KeyText
        && Math.Abs(entry.Ts - row.Ts) <= window
        && _clock <= entry.Ts + window + grace;

    private static Row With(Row row, params (string Name, string Value)[] added) =>
        row with
        {
            Headers =
            [
                .. row.Headers,
                (HeaderNames.SourceTopic, Encoding.UTF8.GetBytes(InputName)),
                (HeaderNames.SourcePartition, "0"u8.ToArray()),
                (HeaderNames.SourceOffset, Encoding.UTF8.GetBytes($"{row.Offset}")),
                .. added.Select(a => (a.Name, (byte[]?)Encoding.UTF8.GetBytes(a.Value))),
            ],
        };

    private sealed class FixedTime(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}
