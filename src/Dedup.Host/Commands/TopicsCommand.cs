using System.CommandLine;
using Dedup.Host.Configuration;
using Dedup.Host.Guards;
using Dedup.Host.Topics;

namespace Dedup.Host.Commands;

/// <summary><c>dedup topics</c>: what has to be done to topics, and does it.</summary>
internal static class TopicsCommand
{
    public static Command Make(CliContext context)
    {
        var source = new SourceOptions();
        var options = new Options();
        var command = new ExampleCommand(
            "topics",
            "Show what has to be done to the topics of the pipelines, like a diff; with --apply, do it. Exit code 1 while something is left to be done.",
            new Example("dedup topics --config dedup.yaml", "what is missing or wrong"),
            new Example("dedup topics --config dedup.yaml --apply", "make it right"),
            new Example(
                "dedup topics --config dedup.yaml --apply --partitions 12",
                "make the input topic as well"
            ),
            new Example(
                "dedup topics --config dedup.yaml --write topics/",
                "write the topics as files, for those who make topics otherwise"
            )
        );
        source.AddTo(command);
        options.AddTo(command);
        command.SetAction(
            async (parsed, cancellation) =>
                source.LoadOrPrint(parsed, context) is { } config
                    ? await Run(config, options, parsed, context, cancellation)
                    : ExitCode.Usage
        );
        return command;
    }

    private static async Task<int> Run(
        DedupConfig config,
        Options options,
        ParseResult parsed,
        CliContext context,
        CancellationToken cancellation
    )
    {
        (ClusterReader? reader, Finding? problem) = ClusterReader.Open(config);
        if (reader is null)
        {
            FindingPrinter.Print([problem!], context.Error, context);
            return ExitCode.Usage;
        }

        using (reader)
        {
            ClusterFacts facts = await reader.ReadAsync(config.Pipelines, cancellation);
            if (facts.Unreachable is { } unreachable)
            {
                FindingPrinter.Print([unreachable], context.Error, context);
                return ExitCode.Found;
            }

            var choices = new PlanOptions(
                parsed.GetValue(options.Partitions),
                parsed.GetValue(options.Replicas)
            );
            IReadOnlyList<TopicPlan> plans = TopicPlanner.Plan(config, facts, choices);
            bool apply = parsed.GetValue(options.Apply);
            bool json = parsed.GetValue(options.Json);
            IReadOnlyList<Finding> failed = apply
                ? await new TopicApplier(reader.Admin).ApplyAsync(plans, cancellation)
                : [];
            if (json)
            {
                TopicPlanPrinter.PrintJson(plans, apply && failed.Count == 0, context.Out);
            }
            else
            {
                TopicPlanPrinter.Print(plans, apply && failed.Count == 0, context);
            }

            FindingPrinter.Print(failed, context.Error, context);
            WriteFiles(config, facts, choices, parsed.GetValue(options.Write), context);
            return Conclude(plans, apply, failed.Count, json, context);
        }
    }

    private static void WriteFiles(
        DedupConfig config,
        ClusterFacts facts,
        PlanOptions options,
        string? directory,
        CliContext context
    )
    {
        if (directory is null)
        {
            return;
        }

        IEnumerable<(string, IReadOnlyList<TopicPlan>)> whole = config.Pipelines.Select(p =>
            (p.Name, (IReadOnlyList<TopicPlan>)TopicPlanner.Whole(config, p.Name, facts, options))
        );
        foreach (string file in TopicPlanPrinter.Write(whole, directory))
        {
            context.Error.WriteLine($"wrote {file}");
        }
    }

    private static int Conclude(
        IReadOnlyList<TopicPlan> plans,
        bool applied,
        int failed,
        bool json,
        CliContext context
    )
    {
        int create = plans.Count(static p => p.Action == PlanAction.Create);
        int alter = plans.Count(static p => p.Action == PlanAction.Alter);
        int refuse = plans.Count(static p => p.Action == PlanAction.Refuse);
        if (!json)
        {
            string done = applied
                ? $"{create} made, {alter} altered"
                : $"{create} to be made, {alter} to be altered";
            string rest = failed > 0 ? $", {failed} failed" : "";
            rest += refuse > 0 ? $", {refuse} that cannot be made right here" : "";
            string hint = !applied && create + alter > 0 ? "; again with --apply to do it" : "";
            context.Out.WriteLine(
                create + alter + refuse == 0
                    ? "all topics are as they should be"
                    : done + rest + hint
            );
        }

        bool left = failed > 0 || refuse > 0 || (!applied && create + alter > 0);
        return left ? ExitCode.Found : ExitCode.Done;
    }

    private sealed class Options
    {
        public Option<bool> Apply { get; } =
            new("--apply") { Description = "make and alter topics" };

        public Option<bool> Json { get; } =
            new("--json") { Description = "print the plan as JSON" };

        public Option<int?> Partitions { get; } =
            new("--partitions")
            {
                Description = "make an input topic that does not exist, with so many partitions",
                HelpName = "N",
            };

        public Option<int?> Replicas { get; } =
            new("--replication-factor")
            {
                Description =
                    "replicas of topics that are made [default: 3, or as many as there are brokers]",
                HelpName = "N",
            };

        public Option<string?> Write { get; } =
            new("--write")
            {
                Description = "write the topics as YAML files, one for each pipeline",
                HelpName = "DIR",
            };

        public void AddTo(Command command)
        {
            Partitions.Validators.Add(static r => Positive(r));
            Replicas.Validators.Add(static r => Positive(r));
            command.Options.Add(Apply);
            command.Options.Add(Json);
            command.Options.Add(Partitions);
            command.Options.Add(Replicas);
            command.Options.Add(Write);
        }

        private static void Positive(System.CommandLine.Parsing.OptionResult result)
        {
            // Kafka's own bound on partitions of one request is far above; replicas are a short on the wire.
            if (result.GetValueOrDefault<int?>() is { } n and (< 1 or > 10_000))
            {
                result.AddError($"{result.Option.Name} {n} is out of its range 1 to 10000");
            }
        }
    }
}
