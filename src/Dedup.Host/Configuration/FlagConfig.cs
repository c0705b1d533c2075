using Dedup.Host.Guards;

namespace Dedup.Host.Configuration;

/// <summary>What the command line says of a pipeline when there is no file.</summary>
public sealed record PipelineFlags
{
    /// <summary>--bootstrap.</summary>
    public string? Bootstrap { get; init; }

    /// <summary>--input.</summary>
    public string? Input { get; init; }

    /// <summary>--clean.</summary>
    public string? Clean { get; init; }

    /// <summary>--quarantine.</summary>
    public string? Quarantine { get; init; }

    /// <summary>--duplicates.</summary>
    public string? Duplicates { get; init; }

    /// <summary>--id, as <c>key</c>, <c>header:NAME</c>, or <c>json:$.path</c>.</summary>
    public string? Id { get; init; }

    /// <summary>--window.</summary>
    public string? Window { get; init; }

    /// <summary>--grace.</summary>
    public string? Grace { get; init; }

    /// <summary>--late.</summary>
    public string? Late { get; init; }

    /// <summary>--refresh.</summary>
    public string? Refresh { get; init; }

    /// <summary>--time, as <c>event</c>, <c>append</c>, or <c>payload:$.path</c>.</summary>
    public string? Time { get; init; }

    /// <summary>--fingerprint.</summary>
    public string? Fingerprint { get; init; }

    /// <summary>--conflict.</summary>
    public string? Conflict { get; init; }

    /// <summary>--mode, as <c>shadow</c> or <c>percent:10</c>.</summary>
    public string? Mode { get; init; }

    /// <summary>--headers, several with commas.</summary>
    public string? Headers { get; init; }

    /// <summary>--partitioning.</summary>
    public string? Partitioning { get; init; }

    /// <summary>--start.</summary>
    public string? Start { get; init; }

    /// <summary>--state.</summary>
    public string? State { get; init; }

    /// <summary>--lanes.</summary>
    public string? Lanes { get; init; }

    /// <summary>--name; the input's name by default.</summary>
    public string? Name { get; init; }

    /// <summary>--kafka NAME=VALUE, any number of times.</summary>
    public IReadOnlyList<string> Kafka { get; init; } = [];
}

/// <summary>Builds from options the tree that a file would give, so that both are checked by the same code.</summary>
public static class FlagConfig
{
    /// <summary>Reads and checks options.</summary>
    public static ConfigResult Load(PipelineFlags flags, Func<string, string?> environment)
    {
        var findings = new FindingList();
        return ConfigReader.Read(Tree(flags, findings), environment, findings);
    }

    private static ConfigNode Tree(PipelineFlags flags, FindingList findings)
    {
        var whole = new Place("command line", 0);
        var top = new List<ConfigMember> { Section("kafka", Kafka(flags, findings)) };
        Add(top, "lanes", "--lanes", flags.Lanes);
        var state = new List<ConfigMember>();
        Add(state, "directory", "--state", flags.State);
        top.Add(Section("state", state));
        var pipeline = new List<ConfigMember>();
        Add(pipeline, "input", "--input", flags.Input);
        Add(pipeline, "clean", "--clean", flags.Clean);
        Add(pipeline, "quarantine", "--quarantine", flags.Quarantine);
        Add(pipeline, "duplicates", "--duplicates", flags.Duplicates);
        Add(pipeline, "window", "--window", flags.Window);
        Add(pipeline, "grace", "--grace", flags.Grace);
        Add(pipeline, "late", "--late", flags.Late);
        Add(pipeline, "refresh", "--refresh", flags.Refresh);
        Add(pipeline, "time", "--time", flags.Time);
        Add(pipeline, "fingerprint", "--fingerprint", flags.Fingerprint);
        Add(pipeline, "conflict", "--conflict", flags.Conflict);
        Add(pipeline, "mode", "--mode", flags.Mode);
        Add(pipeline, "headers", "--headers", flags.Headers);
        Add(pipeline, "partitioning", "--partitioning", flags.Partitioning);
        Add(pipeline, "start", "--start", flags.Start);
        Add(pipeline, "id", "--id", flags.Id);

        string name = flags.Name ?? flags.Input ?? "main";
        var place = new Place(flags.Name is null ? "command line" : "--name", 0);
        var pipelines = new List<ConfigMember>
        {
            new(name, place, ConfigNode.Mapping(whole, pipeline)),
        };
        top.Add(Section("pipelines", pipelines));
        return ConfigNode.Mapping(whole, top);

        ConfigMember Section(string section, List<ConfigMember> members) =>
            new(section, whole, ConfigNode.Mapping(whole, members));

        static void Add(List<ConfigMember> members, string setting, string option, string? value)
        {
            if (value is not null)
            {
                var at = new Place(option, 0);
                members.Add(new ConfigMember(setting, at, Node(at, setting, value)));
            }
        }
    }

    /// <summary>A value as a file would have it: <c>percent:10</c> is a mapping there, and headers are a list.</summary>
    private static ConfigNode Node(Place at, string setting, string value)
    {
        int colon = value.IndexOf(':', StringComparison.Ordinal);
        return setting switch
        {
            "mode" or "time" when colon > 0 => ConfigNode.Mapping(
                at,
                [
                    new ConfigMember(
                        value[..colon],
                        at,
                        ConfigNode.Scalar(at, value[(colon + 1)..].Trim())
                    ),
                ]
            ),
            "headers" => ConfigNode.Sequence(
                at,
                [.. value.Split(',').Select(set => ConfigNode.Scalar(at, set.Trim()))]
            ),
            _ => ConfigNode.Scalar(at, value),
        };
    }

    private static List<ConfigMember> Kafka(PipelineFlags flags, FindingList findings)
    {
        var members = new List<ConfigMember>();
        if (flags.Bootstrap is not null)
        {
            var at = new Place("--bootstrap", 0);
            members.Add(
                new ConfigMember("bootstrap.servers", at, ConfigNode.Scalar(at, flags.Bootstrap))
            );
        }

        var place = new Place("--kafka", 0);
        foreach (string pair in flags.Kafka)
        {
            int equals = pair.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0)
            {
                // The text is not repeated: it may be a password with its name forgotten.
                findings.Error(
                    "--kafka",
                    "one value is not of the form NAME=VALUE",
                    "write for example --kafka security.protocol=SSL"
                );
                continue;
            }

            members.Add(
                new ConfigMember(
                    pair[..equals],
                    place,
                    ConfigNode.Scalar(place, pair[(equals + 1)..])
                )
            );
        }

        return members;
    }
}
