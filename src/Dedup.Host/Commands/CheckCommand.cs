using System.CommandLine;
using Dedup.Host.Configuration;
using Dedup.Host.Guards;

namespace Dedup.Host.Commands;

/// <summary><c>dedup check</c>: everything that is wrong, at once.</summary>
internal static class CheckCommand
{
    public static Command Make(CliContext context)
    {
        var source = new SourceOptions();
        Option<bool> json = new("--json") { Description = "print findings as JSON" };
        Option<bool> offline = new("--offline")
        {
            Description = "look at the configuration only, do not ask the cluster",
        };
        var command = new ExampleCommand(
            "check",
            "Say everything that is wrong with a configuration and with the topics it names; exit code 1 if there is anything that keeps Dedup from starting.",
            new Example("dedup check --config dedup.yaml", "configuration, cluster, and topics"),
            new Example(
                "dedup check --config dedup.yaml --offline",
                "the configuration alone, for example in a build"
            ),
            new Example("dedup check --config dedup.yaml --json | jq .findings", "for a script")
        );
        source.AddTo(command);
        command.Options.Add(json);
        command.Options.Add(offline);
        command.SetAction(
            async (parsed, cancellation) =>
            {
                ConfigResult result = source.Load(parsed, context);
                var findings = new List<Finding>(result.Findings);
                if (result.Config is { } config && !parsed.GetValue(offline))
                {
                    findings.AddRange(await CheckCluster(config, cancellation));
                    findings.AddRange(await Schemas.RegistryGuard.CheckAsync(config, cancellation));
                }

                return Report(findings, parsed.GetValue(json), result.NothingRead, context);
            }
        );
        return command;
    }

    // A method of its own: the Kafka client is loaded only when it is called.
    private static Task<IReadOnlyList<Finding>> CheckCluster(
        DedupConfig config,
        CancellationToken cancellation
    ) => ClusterGuards.CheckAsync(config, cancellation);

    private static int Report(
        List<Finding> findings,
        bool json,
        bool nothingRead,
        CliContext context
    )
    {
        int errors = findings.Count(static f => f.Severity == Severity.Error);
        if (json)
        {
            FindingPrinter.PrintJson(findings, context.Out);
        }
        else
        {
            FindingPrinter.Print(findings, context.Out, context);
            context.Out.WriteLine(Summary(errors, findings.Count - errors));
        }

        return errors == 0 ? ExitCode.Done
            : nothingRead ? ExitCode.Usage
            : ExitCode.Found;
    }

    private static string Summary(int errors, int warnings) =>
        (errors, warnings) switch
        {
            (0, 0) => "all is well",
            (0, _) => $"{Plural(warnings, "warning")}, no error",
            (_, 0) => Plural(errors, "error"),
            _ => $"{Plural(errors, "error")}, {Plural(warnings, "warning")}",
        };

    private static string Plural(int count, string noun) =>
        count == 1 ? $"1 {noun}" : $"{count} {noun}s";
}
