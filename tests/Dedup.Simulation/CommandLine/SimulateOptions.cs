using System.Globalization;
using Dedup.Simulation.Faults;
using Dedup.Simulation.Scenarios;

namespace Dedup.Simulation.CommandLine;

/// <summary>What the command line asks for.</summary>
public sealed record SimulateOptions
{
    /// <summary>Text of --help.</summary>
    public const string Help = """
        Runs the lane against the model broker, seed by seed, and checks I1 to I6.

        tests/simulate [--seeds N] [--from S] [--minutes M] [--threads T] [--log FILE]
        tests/simulate --seed S [--trace] [what to leave out]
        tests/simulate --planted [--seeds N] [--bug NAME]

          --seeds N      seeds to run (default 2000; with --minutes as many as fit; with --planted at most so many for each bug)
          --from S       first seed (default 1)
          --minutes M    stops after so many minutes
          --threads T    threads (default: one for each core)
          --log FILE     appends the last seed done, so that a later --from can go on
          --seed S       runs one seed
          --trace        prints all that happens
          --planted      runs every planted bug until it is caught
          --real-store   the product's store, in a temporary directory, instead of the model's; not with --planted
          --bug NAME     only this one; with --seed, the run of that seed with the bug in it

        To leave out of a seed's run: --records N, --processes N, --lanes N, --partitions N, --tame (no hostile records), --by-id (two hops),
        --steady (no change of the mode), --without KIND[,KIND], --faults FROM-TO (the faults with these numbers only).

        Exit codes: 0 all held, 1 something broke, 2 usage.
        """;

    /// <summary>Seeds to run.</summary>
    public long Seeds { get; init; } = 2_000;

    /// <summary>Whether --seeds was given.</summary>
    public bool HasSeeds { get; init; }

    /// <summary>First seed.</summary>
    public ulong From { get; init; } = 1;

    /// <summary>Minutes, 0 for no bound.</summary>
    public double Minutes { get; init; }

    /// <summary>Threads.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>Where progress is noted.</summary>
    public string? Log { get; init; }

    /// <summary>The one seed to run.</summary>
    public ulong? Seed { get; init; }

    /// <summary>Whether everything is printed.</summary>
    public bool Trace { get; init; }

    /// <summary>Whether the product's store is run instead of the model's.</summary>
    public bool RealStore { get; init; }

    /// <summary>Whether planted bugs are run.</summary>
    public bool Planted { get; init; }

    /// <summary>One planted bug.</summary>
    public string? Bug { get; init; }

    /// <summary>What is left out.</summary>
    public Overrides Overrides { get; init; } = new();

    /// <summary>Reads arguments; the error is one line.</summary>
    public static SimulateOptions? Parse(string[] args, out string? error)
    {
        var options = new SimulateOptions();
        error = null;
        for (int i = 0; i < args.Length && error is null; i++)
        {
            string name = args[i];
            if (
                name
                is "--trace"
                    or "--planted"
                    or "--real-store"
                    or "--tame"
                    or "--by-id"
                    or "--steady"
            )
            {
                options = options.WithFlag(name);
                continue;
            }

            if (i + 1 >= args.Length)
            {
                error = $"{name} is unknown or needs a value; see tests/simulate --help";
                break;
            }

            SimulateOptions? next = options.With(name, args[++i]);
            error = next is null
                ? $"{name} {args[i]}: unknown option or not a valid value; see tests/simulate --help"
                : null;
            options = next ?? options;
        }

        return error is null ? options : null;
    }

    private SimulateOptions WithFlag(string name) =>
        name switch
        {
            "--trace" => this with { Trace = true },
            "--planted" => this with { Planted = true },
            "--real-store" => this with { RealStore = true },
            "--steady" => this with { Overrides = Overrides with { IsSteady = true } },
            "--by-id" => this with { Overrides = Overrides with { ById = true } },
            _ => this with { Overrides = Overrides with { Tame = true } },
        };

    private SimulateOptions? With(string name, string value)
    {
        bool isNumber = ulong.TryParse(
            value,
            NumberStyles.None,
            CultureInfo.InvariantCulture,
            out ulong number
        );
        bool isCount = isNumber && number is > 0 and <= 1_000_000_000;
        return name switch
        {
            "--seeds" when isCount => this with { Seeds = (long)number, HasSeeds = true },
            "--from" when isNumber => this with { From = number },
            "--seed" when isNumber => this with { Seed = number },
            "--threads" when isCount => this with { Threads = (int)Math.Min(number, 256) },
            "--minutes"
                when double.TryParse(value, CultureInfo.InvariantCulture, out double m) && m > 0 =>
                this with
                {
                    Minutes = m,
                },
            "--log" => this with { Log = value },
            "--bug" => this with { Bug = value },
            "--records" when isCount => this with
            {
                Overrides = Overrides with { Records = (int)number },
            },
            "--processes" when isCount => this with
            {
                Overrides = Overrides with { Processes = (int)number },
            },
            "--lanes" when isCount => this with
            {
                Overrides = Overrides with { Lanes = (int)number },
            },
            "--partitions" when isCount => this with
            {
                Overrides = Overrides with { Partitions = (int)number },
            },
            "--without" when ReadKinds(value) is { } kinds => this with
            {
                Overrides = Overrides with { Without = kinds },
            },
            "--faults" when ReadRange(value) is { } range => this with
            {
                Overrides = Overrides with { FirstFault = range.From, EndFault = range.To },
            },
            _ => null,
        };
    }

    private static List<FaultKind>? ReadKinds(string value)
    {
        var kinds = new List<FaultKind>();
        foreach (string name in value.Split(','))
        {
            if (!Enum.TryParse(name, ignoreCase: true, out FaultKind kind))
            {
                return null;
            }

            kinds.Add(kind);
        }

        return kinds;
    }

    private static (int From, int To)? ReadRange(string value)
    {
        string[] parts = value.Split('-');
        return
            parts.Length == 2
            && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out int from)
            && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int to)
            ? (from, to)
            : null;
    }
}
