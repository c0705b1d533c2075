using System.Collections.Immutable;
using Dedup.Host.Guards;
using Dedup.Topology.Identify;
using Dedup.Topology.Pipelines;
using Dedup.Topology.Windows;

namespace Dedup.Host.Configuration;

/// <summary>Reads one pipeline.</summary>
internal static class PipelineReader
{
    private const int MaxNameLength = 100;

    // Kafka's own bound.
    private const int MaxTopicLength = 249;

    /// <summary>Reads a pipeline; null when something essential is missing (and then it was said).</summary>
    public static PipelineSpec? Read(ConfigMember member, ReadContext context)
    {
        string path = $"pipelines.{member.Name}";
        CheckName(member, context);
        var section = new SectionReader(member.Value, path, "pipelines.*", context);
        string? input = Topic(section, "input");
        string? clean = Topic(section, "clean");
        string? quarantine =
            Topic(section, "quarantine") ?? (input is null ? null : $"{input}.quarantine");
        string? duplicates = Topic(section, "duplicates");
        ImmutableArray<WindowClass> windows = WindowReader.Read(section);
        long maxFuture = MaxFuture(section, windows[0].WindowMs);
        Recipe? recipe = WindowReader.Apply(RecipeReader.Read(section), windows, section);
        Partitioning partitioning = PartitioningOf(section, recipe);
        int repartition = RepartitionPartitions(section);
        long idleTimeout = section.Duration("idle-timeout");
        LatePolicy late = section.Choice("late") switch
        {
            "quarantine" => LatePolicy.Quarantine,
            "drop" => LatePolicy.Drop,
            _ => LatePolicy.Forward,
        };
        CheckLate(section, late, quarantine);
        StartAt start = Start(section);
        ValidationReader.Read(section, member.Name);
        section.RefuseUnknown();
        CheckTopics(member.Name, input, clean, quarantine, duplicates, section);
        if (input is null || clean is null || quarantine is null || recipe is null)
        {
            return null;
        }

        var spec = new PipelineSpec
        {
            Name = member.Name,
            Input = input,
            Clean = clean,
            Quarantine = quarantine,
            Duplicates = duplicates,
            Recipe = recipe,
            Windows = windows,
            Late = late,
            MaxFutureMs = maxFuture,
            Start = start,
            Partitioning = partitioning,
            RepartitionPartitions = repartition,
            IdleTimeoutMs = idleTimeout,
        };
        return QuotaReader.Apply(PolicyReader.Apply(spec, section), section);
    }

    /// <summary>
    /// Hostile records go to a topic that has a default name; events that somebody chose to hold back must be where he knows
    /// to look for them.
    /// </summary>
    private static void CheckLate(SectionReader section, LatePolicy late, string? quarantine)
    {
        if (late == LatePolicy.Quarantine && section.Find("quarantine") is null)
        {
            section.Context.Findings.Error(
                section.Where("late"),
                $"'{section.PathOf("late")}' sends events to quarantine, and no quarantine topic is named",
                $"add 'quarantine: {quarantine ?? "TOPIC"}', so that somebody looks there"
            );
        }
    }

    /// <summary>What can only be wrong between pipelines.</summary>
    public static void CheckTogether(IReadOnlyList<PipelineSpec> specs, ReadContext context)
    {
        for (int i = 0; i < specs.Count; i++)
        {
            for (int j = 0; j < specs.Count; j++)
            {
                if (i != j && InternalRole(specs[j], specs[i].Input) is { } role)
                {
                    context.Findings.Error(
                        context.PlaceOf($"pipelines.{specs[i].Name}.input").ToString(),
                        $"'{specs[i].Input}' is the {role} of pipeline '{specs[j].Name}'",
                        "name the topic that producers write to"
                    );
                }

                if (
                    specs[j].Partitioning == Partitioning.ById
                    && specs[i].Name == $"{specs[j].Name}-rekey"
                )
                {
                    context.Findings.Error(
                        context.PlaceOf($"pipelines.{specs[i].Name}").ToString(),
                        $"pipelines '{specs[i].Name}' and '{specs[j].Name}' would share group and changelog: by-id takes the name with '-rekey' for its first hop",
                        "give one of them another name"
                    );
                }

                if (j < i && specs[i].Clean == specs[j].Clean)
                {
                    context.Findings.Error(
                        context.PlaceOf($"pipelines.{specs[i].Name}.clean").ToString(),
                        $"pipelines '{specs[j].Name}' and '{specs[i].Name}' both write to '{specs[i].Clean}': neither knows what the other let through",
                        "give each a clean topic of its own"
                    );
                }
            }
        }
    }

    private static string? InternalRole(PipelineSpec spec, string topic) =>
        topic == spec.Changelog ? "changelog"
        : spec.Partitioning != Partitioning.ById ? null
        : topic == spec.Repartition ? "repartition topic"
        : topic == spec.RekeyHop(0).Changelog ? "changelog of the first hop"
        : null;

    private static int RepartitionPartitions(SectionReader section)
    {
        var repartition = new SectionReader(
            section.Find("repartition"),
            section.PathOf("repartition"),
            "pipelines.*.repartition",
            section.Context
        );
        int partitions = (int)repartition.Count("partitions", 0);
        repartition.RefuseUnknown();
        return partitions;
    }

    private static void CheckName(ConfigMember member, ReadContext context)
    {
        bool legal =
            member.Name.Length is > 0 and <= MaxNameLength
            // A directory is named after it: neither hidden nor a way out.
            && member.Name[0] != '.'
            && member.Name.All(static c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');
        if (!legal)
        {
            context.Findings.Error(
                member.Place.ToString(),
                $"'{member.Name}' cannot be the name of a pipeline: it is part of the names of topics and groups",
                $"use at most {MaxNameLength} letters, digits, '.', '_', '-', not beginning with '.'"
            );
        }
    }

    private static string? Topic(SectionReader section, string name)
    {
        string? topic = section.Text(name);
        if (topic is null)
        {
            return null;
        }

        bool legal =
            topic.Length <= MaxTopicLength
            && topic is not ("." or "..")
            && topic.All(static c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');
        if (legal)
        {
            return topic;
        }

        section.Context.Findings.Error(
            section.Where(name),
            $"'{section.PathOf(name)}' is {section.Find(name)!.Describe()}, which cannot be the name of a topic",
            $"use at most {MaxTopicLength} letters, digits, '.', '_', '-'"
        );
        return null;
    }

    private static void CheckTopics(
        string pipeline,
        string? input,
        string? clean,
        string? quarantine,
        string? duplicates,
        SectionReader section
    )
    {
        string changelog = $"dedup-{pipeline}-changelog";
        (string Name, string? Topic)[] roles =
        [
            ("input", input),
            ("clean", clean),
            ("quarantine", quarantine),
            ("duplicates", duplicates),
            ("changelog", changelog),
            // Reserved whether by-id is on or not, so that it can be turned on.
            ("repartition", $"dedup-{pipeline}-repartition"),
            ("rekey-changelog", $"dedup-{pipeline}-rekey-changelog"),
        ];
        for (int i = 0; i < roles.Length; i++)
        {
            for (int j = 0; j < i; j++)
            {
                if (roles[i].Topic is null || roles[i].Topic != roles[j].Topic)
                {
                    continue;
                }

                bool own = roles[i].Name is "changelog" or "repartition" or "rekey-changelog";
                section.Context.Findings.Error(
                    section.Where(own ? roles[j].Name : roles[i].Name),
                    $"{roles[j].Name} and {roles[i].Name} of pipeline '{pipeline}' are the same topic '{roles[i].Topic}'",
                    own
                        ? $"choose another topic: '{roles[i].Topic}' is the pipeline's own"
                        : $"give {roles[i].Name} a topic of its own, such as '{input}.{roles[i].Name}'"
                );
            }
        }
    }

    private static long MaxFuture(SectionReader section, long window)
    {
        const long OneHourMs = 3_600_000;
        long quarter = window / 4;
        long maxFuture = section.Duration("max-future", Math.Min(OneHourMs, quarter));
        if (maxFuture > quarter)
        {
            section.Context.Findings.Error(
                section.Where("max-future"),
                $"'{section.PathOf("max-future")}' is {section.Find("max-future")!.Describe()}, more than a quarter of the window of {Quantities.Duration(window)}: one bad timestamp could expire what is remembered",
                $"write at most {Quantities.Duration(quarter)}, or make the window longer"
            );
            maxFuture = quarter;
        }

        return maxFuture;
    }

    private static StartAt Start(SectionReader section)
    {
        ConfigNode? node = section.Find("start");
        switch (node)
        {
            case null or { Text: "earliest" }:
                return new StartAt(StartKind.Earliest);
            case { Text: "latest" }:
                return new StartAt(StartKind.Latest);
            case { Text: { } text } when Quantities.TryInstant(text, out long ms) && ms >= 0:
                return new StartAt(StartKind.Timestamp, ms);
            default:
                section.Context.Findings.Error(
                    section.Where("start"),
                    $"'{section.PathOf("start")}' is {node.Describe()}",
                    $"write earliest, latest, or {Quantities.InstantHelp}"
                );
                return new StartAt(StartKind.Earliest);
        }
    }

    private static Partitioning PartitioningOf(SectionReader section, Recipe? recipe)
    {
        ConfigNode? node = section.Find("partitioning");
        if (node is not null)
        {
            return section.Choice("partitioning") == "by-id"
                ? Partitioning.ById
                : Partitioning.ByInput;
        }

        if (recipe is not null && !RecipeReader.IsKey(recipe))
        {
            var question = new Finding(
                Severity.Error,
                section.Where("id"),
                $"with 'id: {recipe.Text}' the partitioning has to be chosen",
                "add 'partitioning: by-input' if an ID always arrives in the same partition, else 'partitioning: by-id'"
            )
            {
                More =
                [
                    "by-input judges a record in the partition where it arrived: no extra hop, order kept, right whenever an ID always arrives in the same partition (a producer that retries with the same key)",
                    "by-id first re-keys the input by event ID through an internal topic: duplicates are found wherever they arrive, at about twice the cost; order per original key is not kept",
                ],
            };
            section.Context.Findings.Add([question]);
        }

        return Partitioning.ByInput;
    }
}
