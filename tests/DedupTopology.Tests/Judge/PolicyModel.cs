using Dedup.Contracts.Identity;
using Dedup.Topology.Ledger;
using Dedup.Topology.Pipelines;

namespace DedupTopology.Tests.Judge;

/// <summary>A window of the model.</summary>
internal readonly record struct ModelWindow(string Name, long WindowMs, long GraceMs)
{
    public long RetentionMs => WindowMs + GraceMs;
}

/// <summary>A record of the model.</summary>
/// <param name="Type">Event type.</param>
/// <param name="Id">ID, or content.</param>
/// <param name="TimeMs">Time.</param>
/// <param name="Content">What the fingerprint is over.</param>
/// <param name="Offset">Offset.</param>
internal readonly record struct ModelRecord(
    string Type,
    string Id,
    long TimeMs,
    string Content,
    long Offset
);

/// <summary>What the model says.</summary>
internal readonly record struct ModelVerdict(
    Verdict Verdict,
    Destination Destination,
    long SeenMs = 0,
    long SeenOffset = 0
);

/// <summary>
/// The policies of semantics.md as plainly as they can be said: all occurrences in one list, no store, no keys, no
/// transactions. A copy is a snapshot, to which an abort goes back.
/// </summary>
internal sealed class PolicyModel
{
    private readonly List<Occurrence> _seen = [];
    private readonly Dictionary<string, long> _clocks = [];
    private readonly Dictionary<string, int> _generations = [];

    public required ModelWindow[] Windows { get; init; }

    public required LatePolicy Late { get; init; }

    public required ConflictPolicy Conflict { get; init; }

    public required bool HasFingerprint { get; init; }

    public required bool Refresh { get; init; }

    public required long BucketMs { get; init; }

    /// <summary>
    /// The same after a restart under other windows. What had expired before, slice by slice, is forgotten; the rest counts by
    /// the new windows.
    /// </summary>
    public PolicyModel Under(ModelWindow[] windows)
    {
        PolicyModel next = Copy(windows);
        _ = next._seen.RemoveAll(s =>
            WindowOf(s.Record.Type) is { } before
            && SliceEnd(s) - s.Window.RetentionMs + before.RetentionMs <= ClockOf(before.Name)
        );
        foreach (ModelWindow window in windows)
        {
            if (!Windows.Contains(window))
            {
                next._generations[window.Name] = GenerationOf(window) + 1;
            }
        }

        return next;
    }

    public PolicyModel Copy() => Copy(Windows);

    private int GenerationOf(ModelWindow window) => _generations.GetValueOrDefault(window.Name);

    private PolicyModel Copy(ModelWindow[] windows)
    {
        var copy = new PolicyModel
        {
            Windows = windows,
            Late = Late,
            Conflict = Conflict,
            HasFingerprint = HasFingerprint,
            Refresh = Refresh,
            BucketMs = BucketMs,
        };
        copy._seen.AddRange(_seen);
        foreach ((string name, long clock) in _clocks)
        {
            copy._clocks[name] = clock;
        }

        foreach ((string name, int generation) in _generations)
        {
            copy._generations[name] = generation;
        }

        return copy;
    }

    public ModelVerdict Judge(in ModelRecord record)
    {
        ModelWindow window = WindowOf(record.Type);
        long clock = Math.Max(_clocks.GetValueOrDefault(window.Name, -1), record.TimeMs);
        _clocks[window.Name] = clock;
        if (Known(record, window, clock) is { } known)
        {
            return Repeat(record, window, known);
        }

        bool isLate = record.TimeMs < clock - window.GraceMs;
        if (isLate && Late == LatePolicy.Drop)
        {
            return new ModelVerdict(Verdict.Late, Destination.LateDropped);
        }

        if (isLate && Late == LatePolicy.Quarantine)
        {
            return new ModelVerdict(Verdict.Late, Destination.Quarantine);
        }

        if (clock <= record.TimeMs + window.WindowMs + window.GraceMs)
        {
            _seen.Add(
                new Occurrence(record, record.TimeMs, record.Offset, record.Content, window)
                {
                    Generation = GenerationOf(window),
                }
            );
        }

        return new ModelVerdict(isLate ? Verdict.Late : Verdict.First, Destination.Clean);
    }

    public long ClockOf(string name) => _clocks.GetValueOrDefault(name, -1);

    private ModelVerdict Repeat(in ModelRecord record, ModelWindow window, Occurrence known)
    {
        bool isConflict = HasFingerprint && record.Content != known.Content;
        Destination destination =
            !isConflict ? Destination.Duplicate
            : Conflict == ConflictPolicy.Clean ? Destination.Clean
            : Conflict == ConflictPolicy.Duplicate ? Destination.Duplicate
            : Destination.Quarantine;
        if (Refresh && destination == Destination.Duplicate && record.TimeMs > known.SeenMs)
        {
            _seen.Add(
                new Occurrence(record, record.TimeMs, known.Offset, known.Content, window)
                {
                    IsRepeat = true,
                    Generation = GenerationOf(window),
                }
            );
        }

        return new ModelVerdict(
            isConflict ? Verdict.Conflict : Verdict.Duplicate,
            destination,
            known.SeenMs,
            known.Offset
        );
    }

    /// <summary>
    /// The latest occurrence that is near enough, if it still counts.
    /// </summary>
    private Occurrence? Known(ModelRecord record, ModelWindow window, long clock)
    {
        Occurrence? best = null;
        foreach (bool repeats in new[] { false, true })
        {
            Occurrence? latest = _seen
                .Where(s =>
                    s.IsRepeat == repeats
                    && s.Record.Type == record.Type
                    && s.Record.Id == record.Id
                    && IsNear(record.TimeMs, s.SeenMs, window)
                    && !IsMovedOn(s)
                )
                .OrderByDescending(static s => s.SeenMs)
                .FirstOrDefault();
            if (
                latest is not null
                && clock <= latest.SeenMs + window.RetentionMs
                && (best is null || latest.SeenMs > best.SeenMs)
            )
            {
                best = latest;
            }
        }

        return best;
    }

    private bool IsNear(long timeMs, long seenMs, ModelWindow window) =>
        BucketMs > 0
            ? Math.Abs(Floor(timeMs, BucketMs) - Floor(seenMs, BucketMs)) <= 1
            : Math.Abs(timeMs - seenMs) <= window.WindowMs;

    /// <summary>
    /// Of the occurrences of an event in one seventh of what a window holds only the last is known. Of firsts it matters
    /// where a longer window brings those back that had expired one by one.
    /// </summary>
    private bool IsMovedOn(Occurrence s) =>
        _seen.Any(o =>
            o.IsRepeat == s.IsRepeat
            && o.Record.Type == s.Record.Type
            && o.Record.Id == s.Record.Id
            && o.Generation == s.Generation
            && o.SeenMs > s.SeenMs
            && SliceOf(o) == SliceOf(s)
            && (BucketMs == 0 || Floor(o.SeenMs, BucketMs) == Floor(s.SeenMs, BucketMs))
        );

    private static long SliceMs(Occurrence s) => Math.Max(1, (s.Window.RetentionMs + 6) / 7);

    private static long SliceOf(Occurrence s) => Floor(s.SeenMs + s.Window.RetentionMs, SliceMs(s));

    private static long SliceEnd(Occurrence s) => (SliceOf(s) + 1) * SliceMs(s);

    private static long Floor(long a, long b) => (long)Math.Floor((double)a / b);

    private ModelWindow WindowOf(string type) =>
        Windows.FirstOrDefault(
            w =>
                w.Name.Length > 0 && type.StartsWith(w.Name.TrimEnd('*'), StringComparison.Ordinal),
            Windows[0]
        );

    private sealed record Occurrence(
        ModelRecord Record,
        long SeenMs,
        long Offset,
        string Content,
        ModelWindow Window
    )
    {
        public bool IsRepeat { get; init; }

        public int Generation { get; init; }
    }
}
