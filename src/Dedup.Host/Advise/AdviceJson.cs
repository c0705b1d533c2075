using System.Text;
using System.Text.Json;
using Dedup.Host.Commands;

namespace Dedup.Host.Advise;

/// <summary>Prints what the sample said, for scripts.</summary>
internal static class AdviceJson
{
    public static string Of(SampleResult sample, Advice advice, string? yaml)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, JsonFormat.Indented))
        {
            json.WriteStartObject();
            json.WriteString("topic", sample.Topic);
            json.WriteNumber("partitions", sample.Partitions);
            json.WriteNumber("records", sample.Records);
            json.WriteBoolean("whole", sample.Range.IsWhole);
            json.WriteNumber("from-ms", sample.FromMs);
            json.WriteNumber("to-ms", sample.ToMs);
            json.WriteNumber("records-per-second", Math.Round(sample.RecordsPerSecond, 3));
            json.WriteStartArray("candidates");
            foreach (Tried tried in advice.Tried)
            {
                Write(json, tried);
            }

            json.WriteEndArray();
            if (advice.Best is null)
            {
                json.WriteNull("advice");
                Strings(json, "why", advice.Why);
            }
            else
            {
                WriteAdvice(json, sample, advice, yaml!);
            }

            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    private static void Write(Utf8JsonWriter json, Tried tried)
    {
        RepeatCounts c = tried.Counts;
        json.WriteStartObject();
        json.WriteString("recipe", tried.Candidate.Name);
        json.WriteString("id", tried.Candidate.Yaml);
        json.WriteNumber("with-id", c.WithId);
        json.WriteNumber("distinct", c.Distinct);
        json.WriteNumber("repeats", c.Repeats);
        json.WriteNumber("conflicts", c.Conflicts);
        json.WriteNumber("elsewhere", c.Elsewhere);
        json.WriteNumber("largest", c.Largest);
        json.WriteNumber("median-ms", c.MedianMs);
        json.WriteNumber("p99-ms", c.P99Ms);
        json.WriteNumber("farthest-ms", c.FarthestMs);
        json.WriteStartArray("histogram");
        for (int i = 0; i < c.Histogram.Length; i++)
        {
            json.WriteStartObject();
            if (i < RepeatCounts.Bounds.Length)
            {
                json.WriteNumber("below-ms", RepeatCounts.Bounds[i]);
            }

            json.WriteNumber("repeats", c.Histogram[i]);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteAdvice(
        Utf8JsonWriter json,
        SampleResult sample,
        Advice advice,
        string yaml
    )
    {
        json.WriteStartObject("advice");
        json.WriteString("id", RecipeYaml.Id(advice));
        json.WriteString("partitioning", advice.NeedsById ? "by-id" : "by-input");
        json.WriteNumber("window-ms", advice.WindowMs);
        if (sample.RecordsPerSecond > 0)
        {
            StateNeeds needs = RecipeYaml.NeedsOf(sample, advice);
            json.WriteNumber("ids", Math.Round(needs.Ids));
            json.WriteNumber("disk-bytes", Math.Round(needs.DiskBytes));
            json.WriteNumber("memory-bytes", Math.Round(needs.MemoryBytes));
            json.WriteNumber("changelog-bytes", Math.Round(needs.ChangelogBytes));
        }

        Strings(json, "why", advice.Why);
        json.WriteString("yaml", yaml);
        json.WriteEndObject();
    }

    private static void Strings(Utf8JsonWriter json, string name, IEnumerable<string> texts)
    {
        json.WriteStartArray(name);
        foreach (string text in texts)
        {
            json.WriteStringValue(text);
        }

        json.WriteEndArray();
    }
}
