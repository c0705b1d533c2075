using Dedup.Host.Configuration;
using Dedup.Topology.Pipelines;

namespace Dedup.Host.Commands;

/// <summary>Which pipeline of a configuration a command is about.</summary>
internal static class PipelineChoice
{
    /// <summary>The one of that name; without a name the only one.</summary>
    /// <exception cref="ProblemException">There is no such pipeline, or there are several and none is named.</exception>
    public static PipelineSpec Of(DedupConfig config, string? name)
    {
        string names = string.Join(", ", config.Pipelines.Select(static p => p.Name));
        if (name is null)
        {
            return config.Pipelines.Length == 1
                ? config.Pipelines[0]
                : throw new ProblemException(
                    ExitCode.Usage,
                    "the configuration has several pipelines",
                    $"give --pipeline with one of {names}"
                );
        }

        return config.Pipelines.FirstOrDefault(p => p.Name == name)
            ?? throw new ProblemException(
                ExitCode.Usage,
                $"there is no pipeline '{name}'",
                $"give one of {names}"
            );
    }
}
