using System.Globalization;
using System.Text;
using Dedup.Host.Commands;
using Dedup.Host.Configuration;

namespace Dedup.Host.Advise;

/// <summary>Prints what the sample said, for people.</summary>
internal sealed class AdvicePrinter(CliContext context, SampleResult sample, Advice advice)
{
    private const int Green = 32;
    private const int Yellow = 33;
    private const int BarWidth = 40;
    private const int NameWidth = 44;

    private static readonly string[] Classes =
    [
        "< 1 s",
        "< 10 s",
        "< 1 min",
        "< 10 min",
        "< 1 h",
        "< 6 h",
        "< 24 h",
        "< 7 d",
        "more",
    ];

    /// <summary>Prints all of it.</summary>
    public void Print(string? yaml)
    {
        Sample();
        Table();
        if (advice.Best is { } best)
        {
            Histogram(best);
        }

        Line("");
        Line(
            advice.Best is null
                ? context.Colour("no recipe can be advised", Yellow)
                : context.Colour($"advice: id: {RecipeYaml.Id(advice)}", Green)
        );
        foreach (string why in advice.Why)
        {
            Line($"  - {why}");
        }

        if (advice.Best is not null)
        {
            Needs();
        }

        if (yaml is not null)
        {
            Line("");
            Line("dedup.yaml:");
            context.Out.Write(yaml);
        }
    }

    private void Sample()
    {
        string part = sample.Range switch
        {
            { IsWhole: true } => "all of it",
            { SinceMs: { } since } => $"the newest, since {Instant(since)}",
            _ =>
                "the same share of each partition, since timestamps do not tell which are the newest",
        };
        string rate =
            sample.RecordsPerSecond > 0
                ? $"{Advice.Time(sample.SpanMs)} of record time, {Rate(sample.RecordsPerSecond)}/s"
                : "no record time to tell a rate from";
        Line(
            $"{sample.Topic}: {Advice.N(sample.Records)} records of {sample.Partitions} partitions ({part}); {rate}"
        );
    }

    private void Table()
    {
        Line("");
        Row("recipe", "have it", "IDs", "repeats", "conflicts", "elsewhere", "farthest");
        foreach (Tried tried in advice.Tried)
        {
            RepeatCounts c = tried.Counts;
            Row(
                Cut(tried.Candidate.Name),
                Advice.Share(c.WithId, c.Records),
                Advice.N(c.Distinct),
                Advice.N(c.Repeats),
                Advice.N(c.Conflicts),
                Advice.N(c.Elsewhere),
                c.Repeats == 0 ? "–" : Advice.Time(c.FarthestMs)
            );
        }

        Line(
            "  conflicts: repeats with another payload than the first of their ID; elsewhere: repeats in a partition that did not have the ID yet"
        );
    }

    private void Histogram(Tried best)
    {
        RepeatCounts c = best.Counts;
        if (c.Repeats == 0)
        {
            return;
        }

        Line("");
        Line(
            $"how far the repeats of {best.Candidate.Name} lie behind their first: half within {Advice.Time(c.MedianMs)}, 99 % within {Advice.Time(c.P99Ms)}"
        );
        long most = c.Histogram.Max();
        for (int i = 0; i < c.Histogram.Length; i++)
        {
            int full = (int)((c.Histogram[i] * BarWidth + most - 1) / most);
            Line(
                $"  {Classes[i], 9} {new string('█', full), -BarWidth} {Advice.N(c.Histogram[i])}"
            );
        }
    }

    private void Needs()
    {
        Line("");
        if (sample.RecordsPerSecond <= 0)
        {
            Line("what it needs cannot be told: timestamps tell no rate");
            return;
        }

        StateNeeds n = RecipeYaml.NeedsOf(sample, advice);
        string kept = Quantities.Duration(n.RetentionMs);
        Line(
            $"what a window of {Quantities.Duration(n.WindowMs)} needs at {Rate(n.RecordsPerSecond)}/s:"
        );
        Line(
            $"  IDs held   {Rate(n.RecordsPerSecond)}/s × {n.FirstShare * 100:0.#} % firsts × {kept} (window + grace) × 8/7 (buckets go as a whole) = {Big(n.Ids)}"
        );
        Line(
            $"  disk       {Big(n.Ids)} × {StateNeeds.DiskBytesPerId} bytes = {Bytes(n.DiskBytes)}; twice that for moments, while files are merged"
        );
        Line(
            $"  memory     {Big(n.Ids)} × {StateNeeds.FilterBytesPerId} bytes of filters ÷ {StateNeeds.FilterShare:0.###} (their share of state.memory) = {Bytes(n.MemoryBytes)}; the default is 512 MiB for all pipelines"
        );
        Line(
            $"  changelog  {Big(n.Ids)} × {StateNeeds.ChangelogBytesPerId} bytes = {Bytes(n.ChangelogBytes)} on the brokers, for each replica"
        );
    }

    private void Row(params string[] cells)
    {
        var line = new StringBuilder("  ").Append(cells[0].PadRight(NameWidth));
        foreach (string cell in cells[1..])
        {
            line.Append(' ').Append(cell.PadLeft(12));
        }

        Line(line.ToString());
    }

    private void Line(string text) => context.Out.WriteLine(text);

    private static string Cut(string name) =>
        name.Length <= NameWidth ? name : name[..(NameWidth - 1)] + "…";

    private static string Instant(long ms) =>
        DateTimeOffset
            .FromUnixTimeMilliseconds(ms)
            .ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static string Rate(double perSecond) =>
        perSecond >= 100 ? $"{perSecond:#,0}" : $"{perSecond:0.##}";

    private static string Big(double count) =>
        count switch
        {
            >= 1e9 => $"{count / 1e9:0.##} G",
            >= 1e6 => $"{count / 1e6:0.##} M",
            >= 1e3 => $"{count / 1e3:0.##} k",
            _ => $"{count:0}",
        };

    private static string Bytes(double bytes) =>
        bytes switch
        {
            >= 1L << 30 => $"{bytes / (1L << 30):0.##} GiB",
            >= 1L << 20 => $"{bytes / (1L << 20):0.#} MiB",
            _ => $"{bytes / 1024:0.#} KiB",
        };
}
