using System.Globalization;

namespace Dedup.Bench;

/// <summary>What the command line asks for. Immutable.</summary>
internal sealed record BenchOptions
{
    /// <summary>Records of the input; for <c>rss</c> and <c>restore</c> the number of IDs.</summary>
    public long Records { get; init; } = 4_000_000;

    /// <summary>Partitions of the input.</summary>
    public int Partitions { get; init; } = 4;

    /// <summary>How often each contender runs, in alternating order.</summary>
    public int Rounds { get; init; } = 1;

    /// <summary>Lanes, threads of the peer.</summary>
    public int Lanes { get; init; } = 2;

    /// <summary>Commit interval in ms.</summary>
    public int CommitMs { get; init; } = 100;

    /// <summary>Heap of the broker in MiB.</summary>
    public int HeapMiB { get; init; } = 2048;

    /// <summary>Where the JSON goes as well; null for stdout only.</summary>
    public string? JsonFile { get; init; }

    /// <summary>Contenders to run; empty for all.</summary>
    public IReadOnlyList<string> Only { get; init; } = [];

    /// <summary>Records per second that <c>latency</c> sends.</summary>
    public int Rate { get; init; } = 5_000;

    /// <summary>Seconds that <c>latency</c> measures, after the warm-up.</summary>
    public int Seconds { get; init; } = 30;

    /// <summary>Seconds of warm-up of <c>latency</c>.</summary>
    public int WarmUpSeconds { get; init; } = 10;

    /// <summary>Whether the allocation run of <c>main</c> says which types it allocates; its figure is too high then.</summary>
    public bool ShowTypes { get; init; }

    /// <summary>Whether a contender runs.</summary>
    public bool Wants(string contender) => Only.Count == 0 || Only.Contains(contender);

    /// <summary>Reads options; throws <see cref="BenchException"/> for what is not known.</summary>
    public static BenchOptions Parse(string[] args)
    {
        var options = new BenchOptions();
        for (int i = 0; i < args.Length; i += 2)
        {
            string name = args[i];
            if (i + 1 == args.Length)
            {
                throw new BenchException($"{name} has no value; see bench/run.sh --help");
            }

            string value = args[i + 1];
            options = name switch
            {
                "--records" => options with { Records = Count(name, value, 1_000_000_000) },
                "--partitions" => options with { Partitions = (int)Count(name, value, 1024) },
                "--rounds" => options with { Rounds = (int)Count(name, value, 100) },
                "--lanes" => options with { Lanes = (int)Count(name, value, 256) },
                "--commit-ms" => options with { CommitMs = (int)Count(name, value, 60_000) },
                "--heap-mib" => options with { HeapMiB = (int)Count(name, value, 65_536) },
                "--rate" => options with { Rate = (int)Count(name, value, 1_000_000) },
                "--seconds" => options with { Seconds = (int)Count(name, value, 3_600) },
                "--warm-up" => options with { WarmUpSeconds = (int)Count(name, value, 3_600) },
                "--json" => options with { JsonFile = Path.GetFullPath(value) },
                "--types" => options with { ShowTypes = value == "yes" },
                "--only" => options with { Only = value.Split(',') },
                _ => throw new BenchException($"unknown option {name}; see bench/run.sh --help"),
            };
        }

        return options;
    }

    /// <summary>A number, also as 200k or 4M.</summary>
    private static long Count(string name, string value, long most)
    {
        long unit =
            value.Length == 0
                ? 1
                : value[^1] switch
                {
                    'k' => 1_000,
                    'M' => 1_000_000,
                    _ => 1,
                };
        string digits = unit == 1 ? value : value[..^1];
        return
            long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out long n)
            && n > 0
            && n * unit <= most
            ? n * unit
            : throw new BenchException($"{name}: '{value}' is not a number from 1 to {most}");
    }
}
