using System.Collections.Immutable;
using Dedup.Host.Guards;
using Dedup.Topology.Pipelines;

namespace Dedup.Host.Configuration;

/// <summary>The result of reading: a configuration, or what is wrong with it.</summary>
/// <param name="Config">The configuration; null when there are errors.</param>
/// <param name="Findings">Errors and warnings, sorted by line.</param>
public sealed record ConfigResult(DedupConfig? Config, ImmutableArray<Finding> Findings)
{
    /// <summary>Whether there was nothing to read at all: no file, an unreadable one, contradicting options.</summary>
    public bool NothingRead { get; init; }
}

/// <summary>From the tree to <see cref="DedupConfig"/>. Goes on after every error, so that all are said at once.</summary>
public static class ConfigReader
{
    /// <summary>Reads a tree.</summary>
    /// <param name="root">The tree; null when there is none (and then findings say why).</param>
    /// <param name="environment">Reads environment variables.</param>
    /// <param name="findings">What was found so far; grows.</param>
    public static ConfigResult Read(
        ConfigNode? root,
        Func<string, string?> environment,
        FindingList findings
    )
    {
        if (root is null)
        {
            return new ConfigResult(null, [.. findings.All]);
        }

        var context = new ReadContext
        {
            Findings = findings,
            Environment = environment,
            Places = new Dictionary<string, Place>(StringComparer.Ordinal)
            {
                [""] = new Place(root.Place.Source, 0),
            },
        };
        DedupConfig config = Top(root, context);
        return new ConfigResult(findings.HasErrors ? null : config, Sorted(findings));
    }

    private static DedupConfig Top(ConfigNode root, ReadContext context)
    {
        var top = new SectionReader(root, "", "", context);
        KafkaSettings kafka = KafkaReader.Read(top, context);
        StateSettings state = State(top, context);
        var commit = new SectionReader(top.Find("commit"), "commit", "commit", context);
        var settings = new CommitSettings(
            (int)commit.Duration("interval"),
            (int)commit.Count("max-records"),
            commit.Size("max-bytes")
        );
        commit.RefuseUnknown();
        var config = new DedupConfig
        {
            Kafka = kafka,
            State = state,
            Lanes = (int)top.Count("lanes", Environment.ProcessorCount),
            Commit = settings,
            Membership =
                top.Choice("membership") == "dynamic" ? Membership.Dynamic : Membership.Static,
            Pipelines = Pipelines(top, context),
            Validation = context.Validation.ToImmutableDictionary(StringComparer.Ordinal),
            Places = context.Places.ToImmutableDictionary(StringComparer.Ordinal),
        };
        top.RefuseUnknown();
        return config;
    }

    private static StateSettings State(SectionReader top, ReadContext context)
    {
        var state = new SectionReader(top.Find("state"), "state", "state", context);
        string? directory = state.Text("directory");
        string? path = directory is null
            ? StateDirectory.Default(context.Environment)
            : StateDirectory.Resolve(
                directory,
                state.Find("directory")!.Place,
                context.Environment
            );
        if (path is null)
        {
            context.Findings.Error(
                state.Where("directory"),
                directory is null
                    ? "there is no default state directory: neither XDG_STATE_HOME nor HOME is set"
                    : "'state.directory' is not a path",
                "set state.directory to a directory that Dedup can write to"
            );
        }

        long memory = state.Size("memory");
        state.RefuseUnknown();
        return new StateSettings(path ?? "", memory);
    }

    private static ImmutableArray<PipelineSpec> Pipelines(SectionReader top, ReadContext context)
    {
        ConfigNode? node = top.Find("pipelines");
        const string Example =
            "write 'pipelines:' with a name for each, and below it input, clean, id, window";
        if (node is null || node.Kind != NodeKind.Mapping || node.Members.Length == 0)
        {
            string what = node switch
            {
                null => "'pipelines' is missing",
                { Kind: NodeKind.Mapping } or { Kind: NodeKind.Scalar, Text: null } =>
                    "'pipelines' names none",
                _ => $"'pipelines' is {node.Describe()}, not a mapping",
            };
            context.Findings.Error(top.Where("pipelines"), what, Example);
            return [];
        }

        if (node.Members.Length > SettingTable.MaxPipelines)
        {
            context.Findings.Error(
                node.Place.ToString(),
                $"{node.Members.Length} pipelines, more than {SettingTable.MaxPipelines} in one process",
                "divide them among several processes, each with a state directory of its own"
            );
        }

        var specs = ImmutableArray.CreateBuilder<PipelineSpec>();
        foreach (ConfigMember member in node.Members)
        {
            context.Places[$"pipelines.{member.Name}"] = member.Place;
            if (PipelineReader.Read(member, context) is { } spec)
            {
                specs.Add(spec);
            }
        }

        PipelineReader.CheckTogether(specs, context);
        return specs.ToImmutable();
    }

    // By source and line, so that a user can go through the file from top to bottom; equal places stay in order of finding.
    private static ImmutableArray<Finding> Sorted(FindingList findings) =>
        [.. findings.All.OrderBy(static f => LineOf(f.Where)).Distinct()];

    private static int LineOf(string where)
    {
        int colon = where.LastIndexOf(':');
        return colon >= 0 && int.TryParse(where.AsSpan(colon + 1), out int line) ? line : 0;
    }
}
