using System.Text.Json;
using System.Text.Json.Serialization;
using Dedup.Host.Configuration;
using Dedup.Host.Guards;
using Dedup.Host.Topics;
using Dedup.Topology.Pipelines;

namespace Dedup.Host.Running;

/// <summary>What the directory of a pipeline's state says it belongs to.</summary>
/// <param name="Format">Version of this file.</param>
/// <param name="Pipeline">Name of the pipeline.</param>
/// <param name="ClusterId">Id of the cluster.</param>
/// <param name="Input">Input topic.</param>
/// <param name="InputTopicId">Id of the input topic.</param>
/// <param name="Partitions">Partitions that the state is divided into: those of the input topic, with by-id of the repartition topic.</param>
/// <param name="Recipe">Recipe in canonical form.</param>
/// <param name="StateVersion">Hash of what decides about IDs.</param>
public sealed record PipelineIdentity(
    int Format,
    string Pipeline,
    string ClusterId,
    string Input,
    string InputTopicId,
    int Partitions,
    string Recipe,
    string StateVersion
);

/// <summary>JSON without reflection, which would cost start-up time.</summary>
[JsonSerializable(typeof(PipelineIdentity))]
[JsonSourceGenerationOptions(
    WriteIndented = true,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase
)]
internal sealed partial class PipelineIdentityJson : JsonSerializerContext;

/// <summary>
/// <c>pipeline.json</c>: says in clear words that a state directory belongs to something else. The stores check their own
/// headers besides; this file is for people, and a missing or broken one is written anew.
/// </summary>
public static class PipelineState
{
    private const int Format = 1;

    /// <summary>Directory of a pipeline's state.</summary>
    public static string DirectoryOf(string stateDirectory, string pipeline) =>
        Path.Combine(stateDirectory, "pipelines", pipeline);

    /// <summary>Compares; a finding when the state is of something else and the loss was not accepted.</summary>
    public static void Check(
        DedupConfig config,
        PipelineSpec spec,
        ClusterFacts facts,
        FindingList findings
    )
    {
        if (facts.Topics.GetValueOrDefault(spec.Input) is not { Exists: true, Denied: null } input)
        {
            return;
        }

        string directory = DirectoryOf(config.State.Directory, spec.Name);
        PipelineIdentity now = Identity(spec, facts.ClusterId, input);
        if (
            spec.AcceptLoss
            || Read(directory) is not { } then
            || Difference(then, now) is not { } difference
        )
        {
            return;
        }

        findings.Error(
            config.PlaceOf("state.directory").ToString(),
            $"the state in {directory} is of another {difference}",
            "give another state.directory or pipeline name; or, to go on here without what it remembers, start once with "
                + $"--accept-loss {spec.Name}"
        );
    }

    /// <summary>Writes what the state belongs to from now on; state of something else is set aside, never deleted.</summary>
    public static void Claim(DedupConfig config, PipelineSpec spec, ClusterFacts facts)
    {
        string directory = DirectoryOf(config.State.Directory, spec.Name);
        PipelineIdentity now = Identity(spec, facts.ClusterId, facts.Topics[spec.Input]);
        PipelineIdentity? then = Read(directory);
        if (then is not null && Difference(then, now) is not null)
        {
            int n = 1;
            while (Directory.Exists($"{directory}.aside-{n}"))
            {
                n++;
            }

            Directory.Move(directory, $"{directory}.aside-{n}");
        }

        if (then != now)
        {
            _ = Directory.CreateDirectory(directory);
            string path = PathOf(directory);
            File.WriteAllText(
                path + ".new",
                JsonSerializer.Serialize(now, PipelineIdentityJson.Default.PipelineIdentity) + "\n"
            );
            File.Move(path + ".new", path, overwrite: true);
        }
    }

    private static PipelineIdentity Identity(
        PipelineSpec spec,
        string clusterId,
        TopicFacts input
    ) =>
        new(
            Format,
            spec.Name,
            clusterId,
            spec.Input,
            input.Id,
            TopicRequirements.PartitionsBetween(spec, input),
            spec.Recipe.Text,
            spec.StateVersion.ToString("x16")
        );

    private static string? Difference(PipelineIdentity then, PipelineIdentity now) =>
        then.Pipeline != now.Pipeline ? $"pipeline: '{then.Pipeline}', not '{now.Pipeline}'"
        : then.ClusterId != now.ClusterId ? $"cluster: {then.ClusterId}, not {now.ClusterId}"
        : then.Input != now.Input ? $"input topic: '{then.Input}', not '{now.Input}'"
        : then.InputTopicId != now.InputTopicId
            ? $"input topic: '{now.Input}' was made anew (id {then.InputTopicId}, now {now.InputTopicId})"
        : then.StateVersion != now.StateVersion
            ? then.Recipe == now.Recipe
                    ? "partitioning: by-input and by-id keep IDs in different places"
                : $"recipe: {then.Recipe}, not {now.Recipe}"
        : then.Partitions != now.Partitions
            ? $"number of partitions: {then.Partitions}, now {now.Partitions}: an ID may now arrive in another partition than before"
        : null;

    private static PipelineIdentity? Read(string directory)
    {
        try
        {
            return JsonSerializer.Deserialize(
                File.ReadAllText(PathOf(directory)),
                PipelineIdentityJson.Default.PipelineIdentity
            );
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }

    private static string PathOf(string directory) => Path.Combine(directory, "pipeline.json");
}
