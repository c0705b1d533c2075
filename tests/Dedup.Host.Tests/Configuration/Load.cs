using Dedup.Host.Configuration;
using Dedup.Host.Guards;
using Dedup.Topology.Pipelines;

namespace Dedup.Host.Tests.Configuration;

/// <summary>Loads texts with a fixed environment.</summary>
internal static class Load
{
    public const string Minimal = """
        kafka:
          bootstrap.servers: localhost:9092
        pipelines:
          orders:
            input: orders
            clean: orders.clean
            id: key
        """;

    public static ConfigResult Text(string yaml, params (string Name, string Value)[] environment)
    {
        var variables = environment.ToDictionary(static v => v.Name, static v => v.Value);
        variables.TryAdd("HOME", "/home/user");
        return ConfigLoader.LoadText("dedup.yaml", yaml, variables.GetValueOrDefault);
    }

    public static DedupConfig Good(string yaml, params (string Name, string Value)[] environment)
    {
        ConfigResult result = Text(yaml, environment);
        result.Findings.ShouldBeEmpty();
        return result.Config.ShouldNotBeNull();
    }

    /// <summary>The minimal pipeline with other lines in it, which begin at line 8.</summary>
    public static PipelineSpec Pipeline(string lines) =>
        Good(WithPipelineLines(lines)).Pipelines.Single();

    public static string WithPipelineLines(string lines) =>
        Minimal + "\n" + string.Join('\n', lines.Split('\n').Select(static l => "    " + l)) + "\n";

    public static void ShouldSay(
        this IEnumerable<Finding> findings,
        string where,
        string what,
        string fix
    )
    {
        findings.ShouldContain(
            f =>
                f.Where == where
                && f.What.Contains(what, StringComparison.Ordinal)
                && f.Fix.Contains(fix, StringComparison.Ordinal),
            string.Join('\n', findings)
        );
    }
}
