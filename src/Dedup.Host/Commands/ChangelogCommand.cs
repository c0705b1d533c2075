using System.CommandLine;
using System.Globalization;
using Dedup.Host.Changelog;
using Dedup.Host.Configuration;
using Dedup.Topology.Pipelines;

namespace Dedup.Host.Commands;

/// <summary><c>dedup changelog</c>: what Dedup remembers, as a person can read it.</summary>
internal static class ChangelogCommand
{
    private const long DefaultLimit = 100;

    public static Command Make(CliContext context)
    {
        var source = new SourceOptions();
        var options = new Options();
        var command = new ExampleCommand(
            "changelog",
            "Print chunks and markers of a changelog partition: which IDs were seen when, up to where the input was judged, and by whom.",
            new Example(
                "dedup changelog --config dedup.yaml --pipeline orders --partition 0",
                "the first 100 records of a partition"
            ),
            new Example(
                "dedup changelog --config dedup.yaml --partition 3 --from -20",
                "the last ones (offsets of transaction marks count as well)"
            ),
            new Example(
                "dedup changelog --config dedup.yaml --partition 0 --ids --json | jq 'select(.kind == \"chunk\")'",
                "every ID, for a script"
            ),
            new Example(
                "dedup changelog --config dedup.yaml --partition 0 --uncommitted",
                "what open and aborted transactions wrote, too"
            )
        );
        source.AddTo(command);
        options.AddTo(command);
        command.SetAction(
            (parsed, cancellation) =>
                Task.Run(
                    () =>
                        source.LoadOrPrint(parsed, context) is { } config
                            ? Run(config, options, parsed, context, cancellation)
                            : ExitCode.Usage,
                    CancellationToken.None
                )
        );
        return command;
    }

    private static int Run(
        DedupConfig config,
        Options options,
        ParseResult parsed,
        CliContext context,
        CancellationToken cancellation
    )
    {
        PipelineSpec spec = PipelineChoice.Of(config, parsed.GetValue(options.Pipeline));
        long? from = parsed.GetValue(options.From);
        var request = new DumpRequest(
            spec.Changelog,
            parsed.GetValue(options.Partition),
            from,
            parsed.GetValue(options.Limit),
            parsed.GetValue(options.Uncommitted)
        );
        var printer = new ChangelogPrinter(
            context.Out,
            parsed.GetValue(options.Ids),
            spec.Partitioning == Partitioning.ById
        );
        bool json = parsed.GetValue(options.Json);
        (long shown, long low, long high) = Dump(config, request, json, printer, cancellation);
        if (!json)
        {
            string kind = request.Uncommitted ? "" : "committed ";
            string more =
                shown == request.Limit
                    ? $" (there may be more: --from or --limit, now {request.Limit})"
                    : "";
            context.Error.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{shown} {kind}records of {spec.Changelog}/{request.Partition}, whose log runs from {low} to {high}{more}"
                )
            );
        }

        return ExitCode.Done;
    }

    // A method of its own: the Kafka client is loaded only when it is called.
    private static (long Shown, long Low, long High) Dump(
        DedupConfig config,
        DumpRequest request,
        bool json,
        ChangelogPrinter printer,
        CancellationToken cancellation
    )
    {
        (long shown, Confluent.Kafka.WatermarkOffsets bounds) = ChangelogDump.Read(
            config.Kafka,
            request,
            json ? r => printer.Json(r) : r => printer.Text(r),
            cancellation
        );
        return (shown, bounds.Low.Value, bounds.High.Value);
    }

    private sealed class Options
    {
        public Option<string?> Pipeline { get; } =
            new("--pipeline")
            {
                Description = "which pipeline, when there are several",
                HelpName = "NAME",
            };

        public Option<int> Partition { get; } =
            new("--partition")
            {
                Description = "which partition",
                HelpName = "N",
                DefaultValueFactory = static _ => 0,
            };

        public Option<long?> From { get; } =
            new("--from")
            {
                Description =
                    "first offset; negative counts from the end [default: the log's start]",
                HelpName = "OFFSET",
            };

        public Option<long> Limit { get; } =
            new("--limit")
            {
                Description = "most records",
                HelpName = "N",
                DefaultValueFactory = static _ => DefaultLimit,
            };

        public Option<bool> Ids { get; } =
            new("--ids") { Description = "print every ID of a chunk" };

        public Option<bool> Json { get; } =
            new("--json") { Description = "print one JSON object for each record" };

        public Option<bool> Uncommitted { get; } =
            new("--uncommitted")
            {
                Description = "show records of open and aborted transactions as well",
            };

        public void AddTo(Command command)
        {
            command.Options.Add(Pipeline);
            command.Options.Add(Partition);
            command.Options.Add(From);
            command.Options.Add(Limit);
            command.Options.Add(Ids);
            command.Options.Add(Json);
            command.Options.Add(Uncommitted);
        }
    }
}
