using Dedup.Host.Configuration;
using Dedup.Host.Guards;

namespace Dedup.Host.Schemas;

/// <summary>Asks the schema registries of a configuration whether they are there; for <c>dedup check</c>.</summary>
internal static class RegistryGuard
{
    /// <summary>What is wrong: an error when a registry refuses, a warning when none answers, since a start does not need it.</summary>
    public static async Task<IReadOnlyList<Finding>> CheckAsync(
        DedupConfig config,
        CancellationToken cancellation
    )
    {
        var findings = new FindingList();
        foreach ((string pipeline, ValidationSettings settings) in config.Validation)
        {
            using var registry = new RegistryClient(settings.Registry);
            (string? problem, bool answers) = await registry.ProbeAsync(cancellation);
            if (problem is null)
            {
                continue;
            }

            string where = config.PlaceOf($"pipelines.{pipeline}.schema-registry").ToString();
            if (answers)
            {
                findings.Error(
                    where,
                    $"schema registry {registry.Name} {problem}",
                    "check the address with its path (Confluent: http://host:8081, Apicurio: …/apis/ccompat/v7) and the credentials"
                );
            }
            else
            {
                string then = settings.ForwardsUnchecked ? "unchecked" : "to quarantine";
                findings.Warning(
                    where,
                    $"schema registry {registry.Name} does not answer ({problem}): payloads would go {then}",
                    "start it, or check the address"
                );
            }
        }

        return findings.All;
    }
}
