using System.Text;
using System.Text.Json;
using Dedup.Host.Commands;

namespace Dedup.Host.Topics;

/// <summary>Prints a plan: like a diff, as JSON, or as files.</summary>
internal static class TopicPlanPrinter
{
    private const int Red = 31;
    private const int Green = 32;
    private const int Yellow = 33;

    /// <summary>Like a diff.</summary>
    public static void Print(IReadOnlyList<TopicPlan> plans, bool applied, CliContext context)
    {
        TextWriter output = context.Out;
        foreach (TopicPlan plan in plans)
        {
            switch (plan.Action)
            {
                case PlanAction.Keep:
                    output.WriteLine($"  {plan.Topic} ({plan.Purpose}): as it should be");
                    continue;
                case PlanAction.Refuse:
                    output.WriteLine(
                        context.Colour($"! {plan.Topic} ({plan.Purpose}): {plan.Problem}", Red)
                    );
                    continue;
                case PlanAction.Create:
                    output.WriteLine(
                        context.Colour(
                            $"+ {plan.Topic} ({plan.Purpose}): {(applied ? "made" : "to be made")}",
                            Green
                        )
                    );
                    output.WriteLine(context.Colour($"+   partitions: {plan.PartitionsTo}", Green));
                    output.WriteLine(
                        context.Colour($"+   replication factor: {plan.Replicas}", Green)
                    );
                    break;
                default:
                    output.WriteLine(
                        context.Colour(
                            $"~ {plan.Topic} ({plan.Purpose}): {(applied ? "altered" : "to be altered")}",
                            Yellow
                        )
                    );
                    if (plan.PartitionsFrom != plan.PartitionsTo)
                    {
                        output.WriteLine(
                            context.Colour($"-   partitions: {plan.PartitionsFrom}", Red)
                        );
                        output.WriteLine(
                            context.Colour($"+   partitions: {plan.PartitionsTo}", Green)
                        );
                    }

                    break;
            }

            foreach (ConfigChange change in plan.Configs)
            {
                if (change.From is not null)
                {
                    output.WriteLine(context.Colour($"-   {change.Name}: {change.From}", Red));
                }

                output.WriteLine(context.Colour($"+   {change.Name}: {change.To}", Green));
            }
        }
    }

    /// <summary>As JSON.</summary>
    public static void PrintJson(IReadOnlyList<TopicPlan> plans, bool applied, TextWriter output)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, JsonFormat.Indented))
        {
            json.WriteStartObject();
            json.WriteBoolean("applied", applied);
            json.WriteStartArray("topics");
            foreach (TopicPlan plan in plans)
            {
                json.WriteStartObject();
                json.WriteString("topic", plan.Topic);
                json.WriteString("purpose", plan.Purpose);
                json.WriteString("action", plan.Action.ToString().ToLowerInvariant());
                json.WriteNumber("partitionsFrom", plan.PartitionsFrom);
                json.WriteNumber("partitionsTo", plan.PartitionsTo);
                if (plan.Action == PlanAction.Create)
                {
                    json.WriteNumber("replicas", plan.Replicas);
                }

                json.WriteStartArray("configs");
                foreach (ConfigChange change in plan.Configs)
                {
                    json.WriteStartObject();
                    json.WriteString("name", change.Name);
                    json.WriteString("from", change.From);
                    json.WriteString("to", change.To);
                    json.WriteEndObject();
                }

                json.WriteEndArray();
                if (plan.Problem is not null)
                {
                    json.WriteString("problem", plan.Problem);
                }

                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        output.WriteLine(Encoding.UTF8.GetString(buffer.ToArray()));
    }

    /// <summary>One YAML file for each pipeline, in the form of the repository's topics/; returns the files.</summary>
    /// <param name="whole">For each pipeline the plan that makes all of its topics.</param>
    /// <param name="directory">Where to.</param>
    public static IReadOnlyList<string> Write(
        IEnumerable<(string Pipeline, IReadOnlyList<TopicPlan> Plans)> whole,
        string directory
    )
    {
        _ = Directory.CreateDirectory(directory);
        var files = new List<string>();
        foreach ((string pipeline, IReadOnlyList<TopicPlan> plans) in whole)
        {
            var text = new StringBuilder();
            text.Append("# The topics of the pipeline `")
                .Append(pipeline)
                .Append("`, as `dedup topics --apply` makes them.\ntopics:\n");
            foreach (TopicPlan plan in plans.Where(static p => p.PartitionsTo > 0))
            {
                text.Append("  # ").Append(plan.Purpose).Append('\n');
                text.Append("  - name: ").Append(plan.Topic).Append('\n');
                text.Append("    partitions: ").Append(plan.PartitionsTo).Append('\n');
                text.Append("    replication: ")
                    .Append(Math.Max((short)1, plan.Replicas))
                    .Append('\n');
                text.Append("    config:").Append(plan.Configs.IsEmpty ? " {}\n" : "\n");
                foreach (ConfigChange change in plan.Configs)
                {
                    text.Append("      ")
                        .Append(change.Name)
                        .Append(": ")
                        .Append(change.To)
                        .Append('\n');
                }
            }

            string file = Path.Combine(directory, $"{pipeline}.yaml");
            File.WriteAllText(file, text.ToString());
            files.Add(file);
        }

        return files;
    }
}
