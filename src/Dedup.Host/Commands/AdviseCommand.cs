using System.CommandLine;
using Dedup.Audit;
using Dedup.Host.Advise;
using Dedup.Host.Configuration;
using Dedup.Host.Guards;
using Dedup.Topology.Identify.Parsing;
using Dedup.Topology.Identify.Sources;

namespace Dedup.Host.Commands;

/// <summary><c>dedup advise</c>: which recipe finds the duplicates of a topic, and what that needs.</summary>
internal static class AdviseCommand
{
    private const string DefaultSample = "1M";
    private const long MostRecords = 10_000_000;

    // Where no file says which brokers; only the connection is taken of what it is part of.
    private const string AnyTopic = "records";

    public static Command Make(CliContext context)
    {
        var options = new Options();
        var command = new ExampleCommand(
            "advise",
            "Read a sample of a topic and tell which recipe finds how many duplicates, which recipes conflict, how far apart repeats lie, whether they cross partitions, and what window, disk, and memory that needs. Read-only, without a group. Exit code 1 when no recipe can be advised.",
            new Example(
                "dedup advise --bootstrap localhost:9092 --topic orders",
                "the newest million records"
            ),
            new Example(
                "dedup advise --bootstrap localhost:9092 --topic orders --sample 5M --id 'header:trace-id' --id 'json:$.order.number'",
                "more of them, and recipes of your own beside those that are found"
            ),
            new Example(
                "dedup advise --config dedup.yaml --topic orders --json | jq -r .advice.yaml",
                "the piece of dedup.yaml alone"
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
        string topic = parsed.GetValue(options.Topic)!;
        int most = Sample(parsed.GetValue(options.Sample) ?? DefaultSample);
        ConfigResult result = options.Load(parsed, context);
        FindingPrinter.Print(result.Findings, context.Error, context);
        if (result.Config is not { } config)
        {
            return ExitCode.Usage;
        }

        IReadOnlyList<Candidate> given = Given(parsed.GetValue(options.Id) ?? []);
        SampleResult sample = Read(config, topic, most, given, context, cancellation);
        if (sample.Records == 0)
        {
            throw new ProblemException(
                ExitCode.Found,
                $"'{topic}' has no committed records",
                "advise a topic that producers have written to"
            );
        }

        var advice = Advice.Of(sample.Tried, sample.SpanMs);
        string? yaml = advice.Best is null
            ? null
            : RecipeYaml.Of(sample, advice, parsed.GetValue(options.Bootstrap));
        if (parsed.GetValue(options.Json))
        {
            context.Out.WriteLine(AdviceJson.Of(sample, advice, yaml));
        }
        else
        {
            new AdvicePrinter(context, sample, advice).Print(yaml);
        }

        return advice.Best is null ? ExitCode.Found : ExitCode.Done;
    }

    // A method of its own: the Kafka client is loaded only when it is called.
    private static SampleResult Read(
        DedupConfig config,
        string topic,
        int most,
        IReadOnlyList<Candidate> given,
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
            bool shown = false;
            SampleResult sample = new SampleReader(
                log,
                log.OffsetsAt,
                context.Time.GetUtcNow().ToUnixTimeMilliseconds()
            ).Read(most, given, Progress, cancellation);
            if (shown)
            {
                context.Error.Write("\r\e[K");
            }

            return sample;

            void Progress(long done, long total)
            {
                if (context.ErrorIsTerminal)
                {
                    shown = true;
                    context.Error.Write(
                        $"\r\e[Kread {Advice.N(done)} of at most {Advice.N(total)} records"
                    );
                    context.Error.Flush();
                }
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

    /// <summary>Recipes of the command line.</summary>
    private static List<Candidate> Given(string[] ids)
    {
        var given = new List<Candidate>();
        foreach (string id in ids)
        {
            RecipeResult result = RecipeParser.Parse(id);
            if (result.Recipe is null)
            {
                throw new ProblemException(
                    ExitCode.Usage,
                    $"--id '{id}': {result.Errors[0].What}",
                    result.Errors[0].Fix
                );
            }

            string yaml = string.Join(", ", id.Split('|').Select(CandidateFinder.Quote));
            given.Add(
                new Candidate(
                    result.Recipe.Sources is [ContentSource]
                        ? CandidateKind.Content
                        : CandidateKind.Given,
                    id,
                    id.Contains('|', StringComparison.Ordinal) ? $"[{yaml}]" : yaml,
                    result.Recipe
                )
            );
        }

        return given;
    }

    /// <summary>A count: 1M, 500k, or 1_000_000.</summary>
    private static int Sample(string text)
    {
        (string digits, long unit) = text switch
        {
            [.., 'M'] => (text[..^1], 1_000_000L),
            [.., 'k' or 'K'] => (text[..^1], 1_000L),
            _ => (text, 1L),
        };
        return
            Quantities.TryCount(digits, out long count) && count > 0 && count <= MostRecords / unit
            ? (int)(count * unit)
            : throw new ProblemException(
                ExitCode.Usage,
                $"--sample '{text}' is no count from 1 to 10M",
                "write for example 1M, 500k, or 250_000"
            );
    }

    private sealed class Options
    {
        private readonly Option<string?> _config = new("--config", "-c")
        {
            Description = "configuration file, for the connection; ./dedup.yaml when it is there",
            HelpName = "FILE",
        };
        private readonly Option<string[]> _kafka = new("--kafka")
        {
            Description = "any librdkafka property, may be given several times (without a file)",
            HelpName = "NAME=VALUE",
            DefaultValueFactory = static _ => [],
        };

        public Option<string?> Bootstrap { get; } =
            new("--bootstrap")
            {
                Description = "brokers to ask first (without a file)",
                HelpName = "HOST:PORT",
            };

        public Option<string?> Topic { get; } =
            new("--topic")
            {
                Description = "topic that producers write to",
                HelpName = "TOPIC",
                Required = true,
            };

        public Option<string?> Sample { get; } =
            new("--sample")
            {
                Description =
                    $"how many of the newest records are read; some 200 bytes of memory each [default: {DefaultSample}]",
                HelpName = "N",
            };

        public Option<string[]> Id { get; } =
            new("--id")
            {
                Description = "a recipe to try besides those that are found, any number of times",
                HelpName = "RECIPE",
                DefaultValueFactory = static _ => [],
            };

        public Option<bool> Json { get; } =
            new("--json") { Description = "print the result as JSON" };

        public void AddTo(Command command)
        {
            command.Options.Add(_config);
            command.Options.Add(Bootstrap);
            command.Options.Add(_kafka);
            command.Options.Add(Topic);
            command.Options.Add(Sample);
            command.Options.Add(Id);
            command.Options.Add(Json);
        }

        /// <summary>Loads the connection.</summary>
        public ConfigResult Load(ParseResult parsed, CliContext context)
        {
            string? file = parsed.GetValue(_config);
            string? bootstrap = parsed.GetValue(Bootstrap);
            if (file is not null && bootstrap is not null)
            {
                return Nothing("both a file and --bootstrap", "give one of them");
            }

            if (bootstrap is null)
            {
                file ??= File.Exists(SourceOptions.DefaultFile) ? SourceOptions.DefaultFile : null;
                return file is null
                    ? Nothing(
                        "no broker to read from",
                        "give --bootstrap HOST:PORT or --config FILE"
                    )
                    : ConfigLoader.LoadFile(file, context.Environment);
            }

            return FlagConfig.Load(
                new PipelineFlags
                {
                    Bootstrap = bootstrap,
                    Kafka = parsed.GetValue(_kafka) ?? [],
                    Id = "key",
                    Input = AnyTopic,
                    Clean = AnyTopic + ".clean",
                },
                context.Environment
            );
        }

        private static ConfigResult Nothing(string what, string fix) =>
            new(null, [new Finding(Severity.Error, "command line", what, fix)])
            {
                NothingRead = true,
            };
    }
}
