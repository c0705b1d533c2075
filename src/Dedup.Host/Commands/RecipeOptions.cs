using System.CommandLine;
using Dedup.Host.Configuration;
using Dedup.Host.Guards;

namespace Dedup.Host.Commands;

/// <summary>The options that say which recipe to try: a file, or --id; and how to reach a cluster, where one is asked.</summary>
internal sealed class RecipeOptions
{
    // What a pipeline has besides a recipe, and trying one does not use.
    private const string AnyTopic = "records";
    private const string NoBroker = "localhost:9092";

    private readonly Option<string?> _config = new("--config", "-c")
    {
        Description = "configuration file; ./dedup.yaml when it is there",
        HelpName = "FILE",
    };
    private readonly Option<string?> _id = new("--id")
    {
        Description =
            "a recipe without a file: key, header:NAME, json:$.path, content; a chain with | between",
        HelpName = "RECIPE",
    };
    private readonly Option<string?> _bootstrap = new("--bootstrap")
    {
        Description = "brokers to ask first (without a file)",
        HelpName = "HOST:PORT",
    };
    private readonly Option<string[]> _kafka = new("--kafka")
    {
        Description = "any librdkafka property, may be given several times (without a file)",
        HelpName = "NAME=VALUE",
        DefaultValueFactory = static _ => [],
    };

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        command.Options.Add(_config);
        command.Options.Add(_id);
        command.Options.Add(_bootstrap);
        command.Options.Add(_kafka);
    }

    /// <summary>Loads the recipe, with all that is wrong with it.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="context">The world.</param>
    /// <param name="topic">Topic to be read, null for none.</param>
    public ConfigResult Load(ParseResult parsed, CliContext context, string? topic)
    {
        string? file = parsed.GetValue(_config);
        string[] given =
        [
            .. new Option[] { _id, _bootstrap, _kafka }
                .Where(o => parsed.GetResult(o) is { Implicit: false })
                .Select(static o => o.Name),
        ];
        if (file is not null && given.Length > 0)
        {
            return Nothing(
                "--config",
                $"both a file and {string.Join(", ", given)}",
                "give the recipe in the file or in options, not in both"
            );
        }

        if (given.Length == 0)
        {
            file ??= File.Exists(SourceOptions.DefaultFile) ? SourceOptions.DefaultFile : null;
            return file is not null
                ? ConfigLoader.LoadFile(file, context.Environment)
                : Nothing(
                    "command line",
                    $"no recipe: neither --config nor --id, and no ./{SourceOptions.DefaultFile} here",
                    "give --config FILE or --id RECIPE"
                );
        }

        string? id = parsed.GetValue(_id);
        string? bootstrap = parsed.GetValue(_bootstrap);
        return id is null ? Nothing("command line", "no recipe", "give --id, such as --id key")
            : topic is not null && bootstrap is null
                ? Nothing(
                    "command line",
                    $"no broker to read '{topic}' from",
                    "give --bootstrap HOST:PORT, or --config FILE"
                )
            : FlagConfig.Load(
                new PipelineFlags
                {
                    Id = id,
                    Bootstrap = bootstrap ?? NoBroker,
                    Kafka = parsed.GetValue(_kafka) ?? [],
                    Input = AnyTopic,
                    Clean = AnyTopic + ".clean",
                    Partitioning = "by-input",
                },
                context.Environment
            );
    }

    private static ConfigResult Nothing(string where, string what, string fix) =>
        new(null, [new Finding(Severity.Error, where, what, fix)]) { NothingRead = true };
}
