using System.CommandLine;
using System.Globalization;
using Dedup.Audit;
using Dedup.Host.Configuration;
using Dedup.Host.Identity;
using Dedup.Host.Samples;
using Dedup.Topology.Pipelines;
using Dedup.Topology.Records;

namespace Dedup.Host.Commands;

/// <summary><c>dedup id</c>: what a recipe makes of records, and why.</summary>
internal static class IdCommand
{
    private const int DefaultCount = 10;

    // Records are copied and each prints a paragraph: a sample to look at, not a topic to go through.
    private const int MostCount = 100_000;

    public static Command Make(CliContext context)
    {
        var options = new Options();
        var command = new ExampleCommand(
            "id",
            "Show what a recipe makes of records: ID, visible key, scope, window, and why each source of the chain was passed over. Records come from standard input, one JSON object a line, or from a topic. Exit code 1 when a record gets no ID, 2 when a line cannot be read.",
            new Example(
                "cat orders.jsonl | dedup id --config dedup.yaml --pipeline orders",
                "records of a file: {\"key\": \"k\", \"value\": {\"event_id\": 7}, \"headers\": {\"a\": \"b\"}} a line"
            ),
            new Example(
                "cat payloads.jsonl | dedup id --id 'json:$.event_id' --values",
                "a recipe without a file; each line is a payload by itself"
            ),
            new Example(
                "dedup id --bootstrap localhost:9092 --topic orders --count 5 --id 'header:Idempotency-Key|content'",
                "the newest records of a topic"
            ),
            new Example(
                "dedup id --config dedup.yaml --topic orders --count 1000 --json | jq -r .visible",
                "for a script"
            )
        );
        options.AddTo(command);
        command.SetAction(
            (parsed, cancellation) =>
                Task.Run(() => Run(options, parsed, context, cancellation), CancellationToken.None)
        );
        return command;
    }

    private static int Run(
        Options options,
        ParseResult parsed,
        CliContext context,
        CancellationToken cancellation
    )
    {
        ConfigResult result = options.Source.Load(parsed, context, parsed.GetValue(options.Topic));
        FindingPrinter.Print(result.Findings, context.Error, context);
        if (result.Config is not { } config)
        {
            return ExitCode.Usage;
        }

        PipelineSpec spec = PipelineChoice.Of(config, parsed.GetValue(options.Pipeline));
        var explainer = new Explainer(spec.Recipe, spec.Windows);
        var printer = new ExplainedPrinter(context, spec.Recipe);
        bool json = parsed.GetValue(options.Json);
        bool badLines = false;
        if (parsed.GetValue(options.Topic) is { } topic)
        {
            ShowTopic(config, topic, parsed.GetValue(options.Count), Show, context, cancellation);
        }
        else
        {
            badLines = ShowLines(parsed.GetValue(options.Values), Show, context, cancellation);
        }

        if (!json)
        {
            context.Error.WriteLine(printer.Summary());
        }

        return badLines ? ExitCode.Usage
            : printer.WithoutId > 0 ? ExitCode.Found
            : ExitCode.Done;

        void Show(SampleRecord record, string? from, long line)
        {
            new SampleBatch([record]).Get(0, out RecordView view);
            Explained explained = explainer.Explain(view);
            printer.Count(explained);
            if (json)
            {
                printer.Json(line, from, record.Partition, record.Offset, explained);
            }
            else
            {
                string where = from is null
                    ? $"line {line}"
                    : string.Create(
                        CultureInfo.InvariantCulture,
                        $"{from}/{record.Partition}@{record.Offset}"
                    );
                printer.Text(where, explained);
            }
        }
    }

    /// <summary>Shows the records of standard input; true when some line was none.</summary>
    private static bool ShowLines(
        bool values,
        Action<SampleRecord, string?, long> show,
        CliContext context,
        CancellationToken cancellation
    )
    {
        if (context.InIsTerminal)
        {
            context.Error.WriteLine(
                values
                    ? "reading payloads from standard input, one a line; Ctrl-D ends"
                    : "reading records from standard input, one JSON object a line; Ctrl-D ends"
            );
        }

        bool bad = false;
        using Stream input = context.In();
        var lines = new InputLines(input);
        while (
            !cancellation.IsCancellationRequested && lines.TryNext(out ReadOnlyMemory<byte> line)
        )
        {
            if (values)
            {
                show(new SampleRecord { Value = line.ToArray() }, null, lines.Number);
            }
            else if (line.Span.Trim(" \t"u8).IsEmpty)
            {
                continue;
            }
            else if (RecordLine.Parse(line, out LineError error) is { } record)
            {
                show(record, null, lines.Number);
            }
            else
            {
                bad = true;
                context.Error.WriteLine(
                    $"line {lines.Number}: error: {error.What}; fix: {error.Fix}"
                );
            }
        }

        return bad;
    }

    // A method of its own: the Kafka client is loaded only when it is called.
    private static void ShowTopic(
        DedupConfig config,
        string topic,
        int count,
        Action<SampleRecord, string?, long> show,
        CliContext context,
        CancellationToken cancellation
    )
    {
        try
        {
            using var log = Audit.Kafka.KafkaTopic.Open(
                config.Kafka.ToDictionary(),
                topic,
                context.Time
            );
            foreach (SampleRecord record in NewestRecords.Read(log, count, cancellation))
            {
                show(record, topic, 0);
            }
        }
        catch (AuditException e)
        {
            throw new ProblemException(
                ExitCode.Usage,
                e.Message.TrimEnd('.'),
                "check the topic's name, and the connection with 'dedup check'",
                e
            );
        }
    }

    private sealed class Options
    {
        public RecipeOptions Source { get; } = new();

        public Option<string?> Pipeline { get; } =
            new("--pipeline")
            {
                Description = "which pipeline's recipe, when there are several",
                HelpName = "NAME",
            };

        public Option<bool> Values { get; } =
            new("--values")
            {
                Description =
                    "each line of standard input is a value by itself, not a record as JSON",
            };

        public Option<string?> Topic { get; } =
            new("--topic")
            {
                Description = "read the newest records of a topic instead of standard input",
                HelpName = "TOPIC",
            };

        public Option<int> Count { get; } =
            new("--count")
            {
                Description = "how many records of the topic at most",
                HelpName = "N",
                DefaultValueFactory = static _ => DefaultCount,
            };

        public Option<bool> Json { get; } =
            new("--json") { Description = "print one JSON object for each record" };

        public void AddTo(Command command)
        {
            Count.Validators.Add(static r =>
            {
                if (r.GetValueOrDefault<int>() is < 1 or > MostCount)
                {
                    r.AddError($"--count is out of its range 1 to {MostCount}");
                }
            });
            command.Validators.Add(r =>
            {
                if (r.GetValue(Topic) is not null && r.GetValue(Values))
                {
                    r.AddError("--values is about standard input, and --topic reads a topic");
                }
            });
            Source.AddTo(command);
            command.Options.Add(Pipeline);
            command.Options.Add(Topic);
            command.Options.Add(Count);
            command.Options.Add(Values);
            command.Options.Add(Json);
        }
    }
}
