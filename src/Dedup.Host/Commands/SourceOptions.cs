using System.CommandLine;
using Dedup.Host.Configuration;
using Dedup.Host.Guards;

namespace Dedup.Host.Commands;

/// <summary>The options that say what to work on: a file, or a pipeline in flags.</summary>
internal sealed class SourceOptions
{
    /// <summary>Read when neither --config nor a pipeline is given.</summary>
    public const string DefaultFile = "dedup.yaml";

    private readonly Option<string?> _config = Make(
        "--config",
        "configuration file; ./dedup.yaml when it is there",
        "FILE",
        "-c"
    );
    private readonly Option<string?> _bootstrap = Make(
        "--bootstrap",
        "brokers to ask first (without a file)",
        "HOST:PORT"
    );
    private readonly Option<string?> _input = Make(
        "--input",
        "topic that producers write to",
        "TOPIC"
    );
    private readonly Option<string?> _clean = Make(
        "--clean",
        "topic that gets first occurrences",
        "TOPIC"
    );
    private readonly Option<string?> _quarantine = Make(
        "--quarantine",
        "topic for what cannot be judged [default: INPUT.quarantine]",
        "TOPIC"
    );
    private readonly Option<string?> _duplicates = Make(
        "--duplicates",
        "topic for suppressed duplicates [default: none]",
        "TOPIC"
    );
    private readonly Option<string?> _id = Make(
        "--id",
        "what makes two records the same event: key, header:NAME, json:$.path",
        "RECIPE"
    );
    private readonly Option<string?> _window = Make(
        "--window",
        "how far apart duplicates may lie [default: 24h]",
        "DURATION"
    );
    private readonly Option<string?> _grace = Make(
        "--grace",
        "how far behind the clock a record is judged completely [default: the window]",
        "DURATION"
    );
    private readonly Option<string?> _late = Make(
        "--late",
        "late records: forward, quarantine, drop [default: forward]",
        "POLICY"
    );
    private readonly Option<string?> _refresh = Make(
        "--refresh",
        "true: the window counts from the last occurrence [default: false]",
        "BOOL"
    );
    private readonly Option<string?> _time = Make(
        "--time",
        "the time that windows go by: event, append, payload:$.path [default: event]",
        "TIME"
    );
    private readonly Option<string?> _fingerprint = Make(
        "--fingerprint",
        "what tells a conflict from a duplicate: payload [default: nothing]",
        "WHAT"
    );
    private readonly Option<string?> _conflict = Make(
        "--conflict",
        "conflicts: quarantine, duplicate, clean [default: quarantine]",
        "POLICY"
    );
    private readonly Option<string?> _mode = Make(
        "--mode",
        "enforce, shadow, off, percent:N [default: enforce]",
        "MODE"
    );
    private readonly Option<string?> _headers = Make(
        "--headers",
        "headers added to clean records: standard, verdict, standard,verdict [default: none]",
        "SETS"
    );
    private readonly Option<string?> _start = Make(
        "--start",
        "first run only: earliest, latest, or a time [default: earliest]",
        "WHERE"
    );
    private readonly Option<string?> _partitioning = Make(
        "--partitioning",
        "by-input; to be chosen unless --id is key",
        "HOW"
    );
    private readonly Option<string?> _name = Make(
        "--name",
        "name of the pipeline [default: INPUT]",
        "NAME"
    );
    private readonly Option<string?> _state = Make(
        "--state",
        "state directory [default: $XDG_STATE_HOME/dedup or ~/.local/state/dedup]",
        "DIR"
    );
    private readonly Option<string?> _lanes = Make(
        "--lanes",
        "lanes [default: one for each core]",
        "N"
    );
    private readonly Option<string[]> _kafka = new("--kafka")
    {
        Description = "any librdkafka property, may be given several times",
        HelpName = "NAME=VALUE",
        DefaultValueFactory = static _ => [],
    };

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        command.Options.Add(_config);
        foreach (Option option in Flags)
        {
            command.Options.Add(option);
        }
    }

    private IEnumerable<Option> Flags =>
        [
            _bootstrap,
            _input,
            _clean,
            _quarantine,
            _duplicates,
            _id,
            _window,
            _grace,
            _late,
            _refresh,
            _time,
            _fingerprint,
            _conflict,
            _mode,
            _headers,
            _start,
            _partitioning,
            _name,
            _state,
            _lanes,
            _kafka,
        ];

    /// <summary>Whether the pipeline is given in options rather than in a file.</summary>
    public bool IsInFlags(ParseResult parsed) =>
        Flags.Any(o => parsed.GetResult(o) is { Implicit: false });

    /// <summary>Whether --quarantine was given.</summary>
    public bool QuarantineGiven(ParseResult parsed) => parsed.GetValue(_quarantine) is not null;

    /// <summary>Loads what the command line names, with all that is wrong with it.</summary>
    public ConfigResult Load(ParseResult parsed, CliContext context)
    {
        string? file = parsed.GetValue(_config);
        string[] given =
        [
            .. Flags
                .Where(o => parsed.GetResult(o) is { Implicit: false })
                .Select(static o => o.Name),
        ];
        if (file is not null && given.Length > 0)
        {
            return Nothing(
                "--config",
                $"both a file and {string.Join(", ", given)}",
                "give the pipeline in the file or in options, not in both"
            );
        }

        if (file is null && given.Length == 0)
        {
            if (!File.Exists(DefaultFile))
            {
                return Nothing(
                    "command line",
                    $"no configuration: neither --config nor a pipeline, and no ./{DefaultFile} here",
                    "give --config FILE, or --bootstrap, --input, --clean, and --id"
                );
            }

            file = DefaultFile;
        }

        return file is not null
            ? ConfigLoader.LoadFile(file, context.Environment)
            : FlagConfig.Load(FlagsOf(parsed), context.Environment);
    }

    private static ConfigResult Nothing(string where, string what, string fix) =>
        new(null, [new Finding(Severity.Error, where, what, fix)]) { NothingRead = true };

    /// <summary>Loads, prints what is wrong, and throws nothing: null means exit code 2.</summary>
    public DedupConfig? LoadOrPrint(ParseResult parsed, CliContext context)
    {
        ConfigResult result = Load(parsed, context);
        FindingPrinter.Print(result.Findings, context.Error, context);
        return result.Config;
    }

    private PipelineFlags FlagsOf(ParseResult parsed) =>
        new()
        {
            Bootstrap = parsed.GetValue(_bootstrap),
            Input = parsed.GetValue(_input),
            Clean = parsed.GetValue(_clean),
            Quarantine = parsed.GetValue(_quarantine),
            Duplicates = parsed.GetValue(_duplicates),
            Id = parsed.GetValue(_id),
            Window = parsed.GetValue(_window),
            Grace = parsed.GetValue(_grace),
            Late = parsed.GetValue(_late),
            Refresh = parsed.GetValue(_refresh),
            Time = parsed.GetValue(_time),
            Fingerprint = parsed.GetValue(_fingerprint),
            Conflict = parsed.GetValue(_conflict),
            Mode = parsed.GetValue(_mode),
            Headers = parsed.GetValue(_headers),
            Start = parsed.GetValue(_start),
            Partitioning = parsed.GetValue(_partitioning),
            Name = parsed.GetValue(_name),
            State = parsed.GetValue(_state),
            Lanes = parsed.GetValue(_lanes),
            Kafka = parsed.GetValue(_kafka) ?? [],
        };

    private static Option<string?> Make(
        string name,
        string description,
        string helpName,
        params string[] aliases
    ) => new(name, aliases) { Description = description, HelpName = helpName };
}
