using System.Text;
using Dedup.Host.Configuration;

namespace Dedup.Host.Advise;

/// <summary>The advice as a piece of dedup.yaml.</summary>
internal static class RecipeYaml
{
    // The default of state.memory; less need not be written.
    private const long DefaultMemoryBytes = 512L << 20;
    private const long MemoryStepBytes = 256L << 20;

    /// <summary>What stands behind <c>id:</c>.</summary>
    public static string Id(Advice advice) =>
        advice.Next is { } next
            ? $"[{advice.Best!.Candidate.Yaml}, {next.Candidate.Yaml}]"
            : advice.Best!.Candidate.Yaml;

    /// <summary>What the advised window needs.</summary>
    public static StateNeeds NeedsOf(SampleResult sample, Advice advice)
    {
        RepeatCounts c = advice.Best!.Counts;
        double firsts = c.Records == 0 ? 1 : 1 - ((double)c.Repeats / c.Records);
        return new StateNeeds(sample.RecordsPerSecond, firsts, advice.WindowMs);
    }

    /// <summary>The piece.</summary>
    /// <param name="sample">The sample.</param>
    /// <param name="advice">An advice with a best candidate.</param>
    /// <param name="bootstrap">Brokers, where the command line named them; null where a file did.</param>
    public static string Of(SampleResult sample, Advice advice, string? bootstrap)
    {
        var yaml = new StringBuilder();
        if (bootstrap is not null)
        {
            yaml.Append("kafka:\n  bootstrap.servers: ")
                .Append(CandidateFinder.Quote(bootstrap))
                .Append('\n');
        }

        double memory = NeedsOf(sample, advice).MemoryBytes;
        if (memory > DefaultMemoryBytes)
        {
            long steps = (long)Math.Ceiling(memory / MemoryStepBytes);
            yaml.Append("state:\n  memory: ")
                .Append(Quantities.Size(steps * MemoryStepBytes))
                .Append('\n');
        }

        string topic = CandidateFinder.Quote(sample.Topic);
        yaml.Append("pipelines:\n  ").Append(topic).Append(":\n");
        yaml.Append("    input: ").Append(topic).Append('\n');
        yaml.Append("    clean: ")
            .Append(CandidateFinder.Quote(sample.Topic + ".clean"))
            .Append('\n');
        yaml.Append("    id: ").Append(Id(advice)).Append('\n');
        yaml.Append("    partitioning: ")
            .Append(advice.NeedsById ? "by-id" : "by-input")
            .Append('\n');
        yaml.Append("    window: ").Append(Quantities.Duration(advice.WindowMs)).Append('\n');
        return yaml.ToString();
    }
}
