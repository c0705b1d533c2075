using System.Collections.Immutable;
using System.Globalization;
using Dedup.Host.Configuration;

namespace Dedup.Host.Advise;

/// <summary>A candidate and what it found.</summary>
/// <param name="Candidate">The candidate.</param>
/// <param name="Counts">What it found.</param>
public sealed record Tried(Candidate Candidate, RepeatCounts Counts);

/// <summary>What is advised after the sample was counted.</summary>
public sealed record Advice
{
    /// <summary>Records with an ID of which a recipe has to have so many to stand alone.</summary>
    private const double FullCoverage = 0.9999;

    /// <summary>Fewer records with an ID, and it is not worth to be the first of a chain.</summary>
    private const double LeastCoverage = 0.5;

    /// <summary>More repeats with another payload, and the candidate is the ID of something that has several events.</summary>
    private const double MostConflicts = 0.01;

    private static readonly long[] Windows =
    [
        .. new[] { "1h", "6h", "24h", "2d", "3d", "7d", "14d", "30d", "90d", "365d" }.Select(
            static text => Quantities.TryDuration(text, out long ms) ? ms : 0
        ),
    ];

    /// <summary>All candidates, the best first.</summary>
    public required ImmutableArray<Tried> Tried { get; init; }

    /// <summary>The one that is advised; null when none can be.</summary>
    public Tried? Best { get; init; }

    /// <summary>The one behind it in the chain, for records that the best has no ID for; null when there are none.</summary>
    public Tried? Next { get; init; }

    /// <summary>Why it is the best, or why none is; sentences.</summary>
    public ImmutableArray<string> Why { get; init; } = [];

    /// <summary>Whether duplicates cross partitions, so that only by-id finds them all.</summary>
    public bool NeedsById => Best?.Counts.Elsewhere > 0;

    /// <summary>The window in ms.</summary>
    public long WindowMs { get; init; }

    /// <summary>Decides.</summary>
    /// <param name="tried">All candidates; the last one is content.</param>
    /// <param name="spanMs">Record time from the first to the last record of the sample, in ms.</param>
    public static Advice Of(IReadOnlyList<Tried> tried, long spanMs)
    {
        Tried[] order =
        [
            .. tried
                .OrderByDescending(IsId)
                .ThenByDescending(static t => t.Candidate.Kind != CandidateKind.Content)
                .ThenByDescending(static t => IsId(t) ? t.Counts.Repeats : 0)
                .ThenByDescending(static t => t.Candidate.Promise)
                .ThenByDescending(static t => t.Counts.WithId)
                .ThenBy(static t => t.Candidate.Kind)
                .ThenBy(static t => t.Candidate.Name, StringComparer.Ordinal),
        ];
        Tried? best = Choose(order);
        var advice = new Advice
        {
            Tried = best is null ? [.. order] : [best, .. order.Where(t => t != best)],
            Best = best,
        };
        if (best is null)
        {
            return advice with { Why = [WhyNone(order)] };
        }

        Tried? next =
            best.Counts.Coverage >= FullCoverage || best.Candidate.Kind == CandidateKind.Content
                ? null
                : order.LastOrDefault(static t => t.Candidate.Kind == CandidateKind.Content);
        long window = WindowFor(best.Counts.FarthestMs);
        return advice with
        {
            Next = next,
            WindowMs = window,
            Why = Reasons(best, next, order, window, spanMs),
        };
    }

    /// <summary>The least window of those that people write that is twice as long as the farthest repeat; at least 24 h.</summary>
    public static long WindowFor(long farthestMs)
    {
        const long UsualMs = 24 * 3_600_000L;
        long wanted = Math.Max(UsualMs, 2 * farthestMs);
        return Array.Find(Windows, w => w >= wanted) is var found and > 0 ? found : Windows[^1];
    }

    /// <summary>Whether it tells events apart: nearly every repeat has the payload of its first.</summary>
    private static bool IsId(Tried t) =>
        t.Counts.Coverage >= LeastCoverage && t.Counts.ConflictShare <= MostConflicts;

    /// <summary>
    /// An ID that finds repeats; else content that does; else, without any repeat, the ID with the most promising name: what
    /// merges nothing can lose nothing.
    /// </summary>
    private static Tried? Choose(Tried[] order)
    {
        Tried[] ids =
        [
            .. order.Where(static t => IsId(t) && t.Candidate.Kind != CandidateKind.Content),
        ];
        // Content without what changes with each sending finds at least as much as content with it.
        Tried? content = order
            .Where(static t => t.Candidate.Kind == CandidateKind.Content && IsId(t))
            .MaxBy(static t => t.Counts.Repeats);
        return ids.FirstOrDefault(static t => t.Counts.Repeats > 0)
            ?? (content?.Counts.Repeats > 0 ? content : null)
            ?? ids.FirstOrDefault(static t => t.Candidate.Promise >= IdLooks.PointsOf("id"));
    }

    private static ImmutableArray<string> Reasons(
        Tried best,
        Tried? next,
        Tried[] order,
        long window,
        long spanMs
    )
    {
        RepeatCounts c = best.Counts;
        var why = ImmutableArray.CreateBuilder<string>();
        why.Add(
            c.Repeats == 0
                ? "no repeat in the sample with any recipe: this one looks like an event ID by its name and values, which is no proof; try a larger --sample"
                : $"finds {N(c.Repeats)} repeats ({Share(c.Repeats, c.WithId)}), {(c.Conflicts == 0 ? "all" : $"all but {N(c.Conflicts)}")} with the payload of their first"
        );
        if (next is not null)
        {
            why.Add(
                $"{N(c.Records - c.WithId)} records have no such ID; for these {next.Candidate.Name} stands behind it"
            );
        }

        Tried? more = order.FirstOrDefault(t =>
            t != best && t.Counts.Repeats > c.Repeats + (c.Repeats / 20) && t.Counts.Conflicts == 0
        );
        if (more is not null)
        {
            why.Add(
                $"{more.Candidate.Name} finds {N(more.Counts.Repeats - c.Repeats)} more, which {best.Candidate.Name} says are other events: look at some with 'dedup id' before you believe either"
            );
        }

        if (best.Candidate.Kind == CandidateKind.Content && c.Repeats > 0)
        {
            why.Add(
                "no ID finds them, so it is not known whether these are duplicates or events that look the same: a bucket (content: { bucket: 1s }) takes only those near in time for one"
            );
        }

        if (c.Elsewhere > 0)
        {
            why.Add(
                $"{N(c.Elsewhere)} repeats came in another partition than their first: by-input would let them through, so by-id"
            );
        }

        why.Add(
            c.Repeats == 0
                ? "the window is the usual one: how far apart repeats lie is not known"
                : $"the farthest repeat lies {Time(c.FarthestMs)} behind its first; a window of {Quantities.Duration(window)} is at least twice that"
        );
        if (c.Repeats > 0 && c.FarthestMs > spanMs / 2)
        {
            why.Add(
                $"the sample spans only {Time(spanMs)} of record time, and repeats reach over more than half of it: farther ones may exist; try a larger --sample"
            );
        }

        return why.ToImmutable();
    }

    private static string WhyNone(Tried[] order)
    {
        Tried? conflicting = order
            .Where(static t =>
                t.Counts.Coverage >= LeastCoverage && t.Counts.ConflictShare > MostConflicts
            )
            .MaxBy(static t => t.Candidate.Promise);
        return conflicting is null
            ? "nothing looks like an event ID, and no content repeats: there may be no duplicates, or the sample is too small to meet one"
            : $"nothing tells events apart: of the {N(conflicting.Counts.Repeats)} repeats of {conflicting.Candidate.Name}, {N(conflicting.Counts.Conflicts)} have another payload; if these are tries of one event that differ in a member, name it in content: {{ exclude: […] }}, else producers have to add an ID";
    }

    /// <summary>A time as people say it, rounded to two units.</summary>
    internal static string Time(long ms)
    {
        var time = TimeSpan.FromMilliseconds(ms);
        return time.TotalSeconds < 10 ? $"{ms} ms"
            : time.TotalMinutes < 1 ? $"{time.Seconds} s"
            : time.TotalHours < 1 ? $"{time.Minutes} min {time.Seconds} s"
            : time.TotalDays < 2 ? $"{(int)time.TotalHours} h {time.Minutes} min"
            : $"{(int)time.TotalDays} d {time.Hours} h";
    }

    /// <summary>A count with commas.</summary>
    internal static string N(long count) => count.ToString("#,0", CultureInfo.InvariantCulture);

    /// <summary>A share in percent.</summary>
    internal static string Share(long part, long whole) =>
        whole == 0
            ? "–"
            : (100.0 * part / whole).ToString("0.0#", CultureInfo.InvariantCulture) + " %";
}
