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
public sealed partial class Reference
{
    private readonly Scenario _scenario;
    private readonly Dictionary<string, List<Occurrence>> _seen = [];
    private readonly long[] _clocksMs;
    private readonly long[] _expiryMs;
    private readonly int _recordLimit;
    private readonly Func<LogEntry, Reason> _tooFar;
    private readonly ReferenceQuotas _quotas;
    private string _tenant = "";

    /// <summary>Makes the reference of a partition.</summary>
    /// <param name="scenario">The scenario.</param>
    /// <param name="partition">Input partition.</param>
    /// <param name="tooFar">What becomes of a record for being too far in the future, a matter of the wall clock at the time of judging; None for nothing.</param>
    public Reference(Scenario scenario, int partition, Func<LogEntry, Reason> tooFar)
    {
        _scenario = scenario;
        Partition = partition;
        _recordLimit = Math.Min(scenario.MaxMessageBytes, scenario.ClientMaxBytes);
        _tooFar = tooFar;
        _quotas = new ReferenceQuotas(scenario.Spec);
        Mode = scenario.Spec.Mode;
        _clocksMs = new long[Spec.Windows.Length];
        Array.Fill(_clocksMs, -1);
        _expiryMs = [.. _clocksMs];
    }

    /// <summary>Mode of the process that judges the next record.</summary>
    public PipelineMode Mode { get; set; }

    /// <summary>Partition of the input that the next record comes from.</summary>
    public int Partition { get; set; }

    /// <summary>
    /// With by-id: the clock that state expires by, the next record included; asked for only when its verdict depends on it.
    /// Null: the clock that records are judged by.
    /// </summary>
    public Func<long>? ExpiryOfNext { get; set; }

    /// <summary>With by-id: the clock that the next record is judged by, given that one. Null: the highest timestamp so far.</summary>
    public Func<long, long>? ClockOfNext { get; set; }

    /// <summary>With by-id: the last record was judged, so that its clock counts.</summary>
    public Action? Accepted { get; set; }

    /// <summary>The ledger: what a marker has to count, but for counts by type.</summary>
    public SortedDictionary<string, long> Counts { get; } = new(StringComparer.Ordinal);

    /// <summary>What a marker has to say of tenants; empty without.</summary>
    public string Usage => Spec.Quota is null ? "" : _quotas.Text(ExpiryClocks);

    /// <summary>Windows that there are.</summary>
    public int Windows => _clocksMs.Length;

    /// <summary>Whether records are counted by type.</summary>
    public bool HasTypes => Spec.Recipe.Scope?.Type is not null;

    private PipelineSpec Spec => _scenario.Spec;

    private long[] ExpiryClocks => ExpiryOfNext is null ? _clocksMs : _expiryMs;

    /// <summary>The clock that a window's state expires by, -1 before the first: by-input the highest time that was judged.</summary>
    public long ClockOf(int windowClass) => ExpiryClocks[windowClass];

    /// <summary>The window of a record: its type is its key, and patterns are names with a star behind them.</summary>
    public static int ClassOf(Scenario scenario, byte[]? key)
    {
        for (int i = 1; i < scenario.Spec.Windows.Length; i++)
        {
            if (key.AsSpan().StartsWith(Encoding.UTF8.GetBytes(Policies.Types[i - 1].TrimEnd('*'))))
            {
                return i;
            }
        }

        return 0;
    }

    /// <summary>Judges the next record of the partition.</summary>
    public void Judge(LogEntry entry, ExpectedTransaction transaction)
    {
        ModelRecord record = entry.Record!;
        Count("consumed");
        _tenant = ReferenceQuotas.TenantOf(_scenario, record);
        if (IsBeyondClean(record))
        {
            Quarantine(transaction, entry, "invalid", Reason.RefusedTooLarge);
            return;
        }

        bool isSpared = !Events.IsEnforced(_scenario, record, Mode);
        if (Mode.Kind == ModeKind.Off && record.TimestampMs > 0)
        {
            _ = Forward(transaction, entry, "unjudged", isSpared: false);
            return;
        }

        (Reason reason, long timeMs) = InvalidReason(entry);
        if (reason != Reason.None)
        {
            if (isSpared && record.TimestampMs > 0 && reason != Reason.RefusedTooLarge)
            {
                _ = Forward(transaction, entry, "invalid", isSpared: true);
                return;
            }

            Quarantine(transaction, entry, "invalid", reason);
            return;
        }

        var judged = new Judged(
            $"{_tenant}:{Events.IdOf(_scenario, record)}",
            ClassOf(_scenario, record.Key),
            record.Value is null ? "null" : Convert.ToHexString(record.Value),
            timeMs,
            isSpared
        );
        long clockBefore = _clocksMs[judged.Class];
        long expiryBefore = _expiryMs[judged.Class];
        _expiryMs[judged.Class] = ExpiryOfNext?.Invoke() ?? -1;
        _clocksMs[judged.Class] =
            ClockOfNext?.Invoke(_expiryMs[judged.Class]) ?? Math.Max(clockBefore, timeMs);
        bool isJudged = FindFirst(judged, timeMs) is { } known
            ? Repeat(transaction, entry, judged, known)
            : FirstOrLate(transaction, entry, judged);
        if (!isJudged)
        {
            // Refused by its topic, it was judged again without ever having been seen.
            _clocksMs[judged.Class] = clockBefore;
            _expiryMs[judged.Class] = expiryBefore;
        }
        else
        {
            Accepted?.Invoke();
        }
    }

    private bool FirstOrLate(ExpectedTransaction transaction, LogEntry entry, Judged judged)
    {
        long clockMs = _clocksMs[judged.Class];
        bool isLate = judged.TimeMs < clockMs - Spec.Windows[judged.Class].GraceMs;
        if (isLate && Spec.Late != LatePolicy.Forward)
        {
            if (judged.IsSpared)
            {
                return Forward(transaction, entry, "late", isSpared: true);
            }

            if (Spec.Late == LatePolicy.Quarantine)
            {
                return Quarantine(transaction, entry, "late", Reason.Late);
            }

            Count("to.late-dropped");
            Count("verdict.late");
            return true;
        }

        if (!_quotas.Admits(_tenant, judged.TimeMs, ExpiryClocks))
        {
            return OverQuota(transaction, entry, judged.IsSpared);
        }

        if (!Forward(transaction, entry, isLate ? "late" : "first", isSpared: false))
        {
            return false;
        }

        _quotas.Settle();
        if (ClockOf(judged.Class) <= judged.TimeMs + RetentionMs(judged.Class))
        {
            Remember(transaction, judged, judged.TimeMs, Partition, entry.Offset, isRepeat: false);
        }

        return true;
    }

    private bool OverQuota(ExpectedTransaction transaction, LogEntry entry, bool isSpared)
    {
        bool isJudged = isSpared
            ? Forward(transaction, entry, "invalid", isSpared: true)
            : Quarantine(transaction, entry, "invalid", Reason.OverQuota);
        if (isJudged)
        {
            _quotas.Settle();
            _quotas.CountOver(_tenant);
        }

        return isJudged;
    }

    /// <summary>A known ID: duplicate, or conflict where payloads are compared.</summary>
    private bool Repeat(
        ExpectedTransaction transaction,
        LogEntry entry,
        Judged judged,
        Occurrence known
    )
    {
        bool isConflict = Spec.Recipe.Fingerprint is not null && judged.Content != known.Content;
        string verdict = isConflict ? "conflict" : "duplicate";
        bool isSuppressed = !isConflict || Spec.Conflict == ConflictPolicy.Duplicate;
        bool isSent =
            isConflict && Spec.Conflict == ConflictPolicy.Clean
                ? Forward(transaction, entry, verdict, isSpared: false)
            : judged.IsSpared ? Forward(transaction, entry, verdict, isSpared: true)
            : isSuppressed ? Duplicate(transaction, entry, verdict, known)
            : Quarantine(transaction, entry, verdict, Reason.Conflict, known);
        if (isSent && isSuppressed && Spec.Refresh && judged.TimeMs > known.SeenMs)
        {
            Remember(
                transaction,
                judged with
                {
                    Content = known.Content,
                },
                judged.TimeMs,
                known.Partition,
                known.Offset,
                isRepeat: true
            );
        }

        return isSent;
    }

    private (Reason Reason, long TimeMs) InvalidReason(LogEntry entry)
    {
        ModelRecord record = entry.Record!;
        (Reason unread, long timeMs) = Events.TimeOf(_scenario, record);
        Reason withoutId = Events.WithoutId(_scenario, record);
        Reason reason =
            record.TimestampMs <= 0 ? Reason.TimestampMissing
            : _tooFar(entry) is { } tooFar and not Reason.None ? tooFar
            : withoutId != Reason.None ? withoutId
            : unread;
        return (reason, timeMs);
    }

    /// <summary>Known beforehand, by key and value alone and the 68 bytes around them; what else is too large is judged first.</summary>
    private bool IsBeyondClean(ModelRecord record) =>
        Spec.Limits.CleanBytes > 0
        && 68 + (record.Key?.Length ?? 0) + (record.Value?.Length ?? 0) > Spec.Limits.CleanBytes;

    private long RetentionMs(int windowClass) =>
        Spec.Windows[windowClass].WindowMs + Spec.Windows[windowClass].GraceMs;

    /// <summary>
    /// The latest occurrence that still counts (the clock that state expires by ≤ seen + window + grace) and lies within the
    /// window of the record's time.
    /// Of later occurrences in one bucket only the last is known.
    /// </summary>
    private Occurrence? FindFirst(Judged judged, long timestampMs)
    {
        if (!_seen.TryGetValue(judged.Id, out List<Occurrence>? occurrences))
        {
            return null;
        }

        Occurrence? best = null;
        foreach (Occurrence o in occurrences)
        {
            bool counts = ClockOf(judged.Class) <= o.SeenMs + RetentionMs(judged.Class);
            bool isNear =
                _scenario.BucketMs > 0
                    ? Math.Abs(TimeBucketOf(timestampMs) - TimeBucketOf(o.SeenMs)) <= 1
                    : Math.Abs(timestampMs - o.SeenMs) <= Spec.Windows[judged.Class].WindowMs;
            if (counts && isNear && (best is null || o.SeenMs > best.SeenMs))
            {
                best = o;
            }
        }

        return best;
    }

    private void Remember(
        ExpectedTransaction transaction,
        Judged judged,
        long seenMs,
        int partition,
        long offset,
        bool isRepeat
    )
    {
        if (!_seen.TryGetValue(judged.Id, out List<Occurrence>? occurrences))
        {
            _seen[judged.Id] = occurrences = [];
        }

        // An occurrence beside others of its ID has a key of its own.
        string id =
            isRepeat ? judged.Id + " last"
            : _scenario.BucketMs > 0 ? $"{judged.Id} in {TimeBucketOf(seenMs)}"
            : judged.Id;
        if (isRepeat)
        {
            long bucket = BucketOf(judged.Class, seenMs);
            _ = occurrences.RemoveAll(o =>
                o.IsRepeat && BucketOf(judged.Class, o.SeenMs) == bucket
            );
            _ = transaction.Entries.RemoveAll(e =>
                e.Id == id && BucketOf(judged.Class, e.SeenMs) == bucket
            );
        }

        if (!isRepeat)
        {
            _quotas.Hold(_tenant, judged.Class, seenMs);
        }

        occurrences.Add(new Occurrence(seenMs, partition, offset, judged.Content, isRepeat));
        transaction.Entries.Add(new ExpectedEntry(id, seenMs, offset, judged.Class));
    }

    // Simulated times are positive.
    private long TimeBucketOf(long timeMs) => timeMs / _scenario.BucketMs;

    private long BucketOf(int windowClass, long seenMs) =>
        (seenMs + RetentionMs(windowClass)) / Spec.Windows[windowClass].BucketWidthMs;

    /// <summary>Expects a record in quarantine; false when the topic refuses it there, too: then it goes without payload, as invalid.</summary>
    private bool Quarantine(
        ExpectedTransaction transaction,
        LogEntry entry,
        string verdict,
        Reason reason,
        Occurrence? first = null
    )
    {
        ModelRecord sent = QuarantineForm(entry, reason, first);
        bool isAsJudged = sent.Size <= _recordLimit;
        if (!isAsJudged)
        {
            // Refused once, the reason is another one, with another length.
            verdict = "invalid";
            reason = Reason.RefusedTooLarge;
            sent = QuarantineForm(entry, reason, first: null);
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

    private void Count(string name)
    {
        Counts[name] = Counts.GetValueOrDefault(name) + 1;
        const string Verdict = "verdict.";
        if (name.StartsWith(Verdict, StringComparison.Ordinal))
        {
            _quotas.Count(_tenant, name[Verdict.Length..]);
        }
    }

    private readonly record struct Judged(
        string Id,
        int Class,
        string Content,
        long TimeMs,
        bool IsSpared
    );

    private sealed record Occurrence(
        long SeenMs,
        int Partition,
        long Offset,
        string Content,
        bool IsRepeat
    );
}
