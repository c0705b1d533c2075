using System.Globalization;
using Dedup.Host.Commands;

namespace Dedup.Host.CrashTest;

/// <summary>What came out of the rounds at one point.</summary>
internal sealed record PointResult
{
    /// <summary>The point.</summary>
    public required string Point { get; init; }

    /// <summary>Rounds in which the process died there.</summary>
    public int Rounds { get; init; }

    /// <summary>Rounds in which it did not come by.</summary>
    public int NotReached { get; init; }

    /// <summary>Records of the input that are in no topic, as of the audit after the last round.</summary>
    public long Lost { get; init; }

    /// <summary>Records on clean that are there twice.</summary>
    public long Twice { get; init; }

    /// <summary>Findings of other kinds.</summary>
    public long Other { get; init; }

    /// <summary>Records audited, from the beginning.</summary>
    public long Audited { get; init; }

    /// <summary>Recovery times, one for each round.</summary>
    public IReadOnlyList<TimeSpan> Recoveries { get; init; } = [];

    /// <summary>What else went wrong; null: nothing.</summary>
    public string? Problem { get; init; }

    /// <summary>Whether nothing is wrong. A point that was not reached proves nothing, but is no damage.</summary>
    public bool IsSound => Lost == 0 && Twice == 0 && Other == 0 && Problem is null;
}

/// <summary>Prints results, a line for each point as it comes.</summary>
internal static class CrashTable
{
    private const int Red = 31;

    /// <summary>The heading.</summary>
    public static void PrintHead(CliContext context) =>
        Line(
            context,
            $"{"point", -22} {"rounds", 6} {"lost", 6} {"twice", 6} {"recovery (median, worst)", 25} {"audited", 11}"
        );

    /// <summary>A line.</summary>
    public static void Print(PointResult result, CliContext context)
    {
        TimeSpan[] sorted = [.. result.Recoveries.Order()];
        string recovery =
            sorted.Length == 0
                ? "-"
                : string.Create(
                    CultureInfo.InvariantCulture,
                    $"{sorted[sorted.Length / 2].TotalSeconds:0.0} s, {sorted[^1].TotalSeconds:0.0} s"
                );
        string text = string.Create(
            CultureInfo.InvariantCulture,
            $"{result.Point, -22} {result.Rounds, 6} {result.Lost, 6} {result.Twice, 6} {recovery, 25} {result.Audited, 11:#,0}"
        );
        Line(context, result.IsSound ? text : context.Colour(text, Red));
        if (result.Problem is { } problem)
        {
            Line(context, $"  {problem}");
        }

        if (result.Other > 0)
        {
            Line(context, $"  {result.Other} other findings: changed, foreign, or out of order");
        }

        if (result.NotReached > 0)
        {
            Line(context, $"  not reached in {result.NotReached} rounds");
        }
    }

    private static void Line(CliContext context, FormattableString text) =>
        Line(context, text.ToString(CultureInfo.InvariantCulture));

    private static void Line(CliContext context, string text)
    {
        context.Out.WriteLine(text);
        context.Out.Flush();
    }
}
