using System.CommandLine;
using Dedup.Host.Configuration;
using Dedup.Host.Running;

namespace Dedup.Host.Commands;

/// <summary><c>dedup run</c>: the long-running process.</summary>
internal static class RunCommand
{
    public static Command Make(CliContext context)
    {
        var source = new SourceOptions();
        Option<LogFormat> log = new("--log")
        {
            Description = "how log lines are written",
            HelpName = "text|json",
        };
        Option<string[]> acceptLoss = new("--accept-loss")
        {
            Description =
                "this once, go on where committed offset, state, and log disagree, though records may be lost or doubled; for the named pipelines, or all",
            HelpName = "PIPELINE",
            Arity = ArgumentArity.ZeroOrMore,
            AllowMultipleArgumentsPerToken = true,
        };
        Option<string?> status = new("--status")
        {
            Description = "how often a status line is written [default: 10s]",
            HelpName = "DURATION",
        };
        // For the demo: librdkafka's mock answers no admin questions.
        Option<bool> mock = new("--mock-broker") { Hidden = true };
        var command = new ExampleCommand(
            "run",
            "Stand between the topics until SIGTERM or SIGINT (a second one ends at once). Exit code 0 after a clean stop, 2 when it cannot start, 3 when a lane failed.",
            new Example("dedup run --config dedup.yaml", "run the pipelines of a file"),
            new Example(
                "dedup run --bootstrap localhost:9092 --input orders --clean orders.clean --id key --window 24h",
                "one pipeline, without a file"
            ),
            new Example("dedup run --config dedup.yaml --log json", "log lines for machines"),
            new Example(
                "dedup run --config dedup.yaml --accept-loss orders",
                "once, after Dedup has named the numbers and the possible loss"
            )
        );
        source.AddTo(command);
        command.Options.Add(log);
        command.Options.Add(status);
        command.Options.Add(mock);
        command.Options.Add(acceptLoss);
        command.SetAction(
            async (parsed, _) =>
                source.LoadOrPrint(parsed, context) is { } config
                    ? await Run(
                        Accept(
                            config,
                            parsed.GetResult(acceptLoss) is not null,
                            parsed.GetValue(acceptLoss) ?? []
                        ),
                        parsed.GetValue(log),
                        StatusEvery(parsed.GetValue(status)),
                        parsed.GetValue(mock),
                        context
                    )
                    : ExitCode.Usage
        );
        return command;
    }

    // A method of its own: Kafka client and store are loaded only when it is called.
    private static Task<int> Run(
        DedupConfig config,
        LogFormat format,
        TimeSpan status,
        bool isMock,
        CliContext context
    ) => new Runner(context, config, format, status, isMock).RunAsync();

    private static TimeSpan StatusEvery(string? text) =>
        text is null ? TimeSpan.FromSeconds(10)
        : Quantities.TryDuration(text, out long ms) && ms is >= 10 and <= 86_400_000
            ? TimeSpan.FromMilliseconds(ms)
        : throw new ProblemException(
            ExitCode.Usage,
            $"--status '{text}' is no duration from 10ms to 24h",
            $"write {Quantities.DurationHelp}"
        );

    private static DedupConfig Accept(DedupConfig config, bool given, string[] names)
    {
        string? unknown = names.FirstOrDefault(n => !config.Pipelines.Any(p => p.Name == n));
        if (unknown is not null)
        {
            throw new ProblemException(
                ExitCode.Usage,
                $"--accept-loss names '{unknown}', which is no pipeline",
                $"give one of {string.Join(", ", config.Pipelines.Select(static p => p.Name))}, or none for all"
            );
        }

        return given
            ? config with
            {
                Pipelines =
                [
                    .. config.Pipelines.Select(p =>
                        names.Length == 0 || names.Contains(p.Name)
                            ? p with
                            {
                                AcceptLoss = true,
                            }
                            : p
                    ),
                ],
            }
            : config;
    }
}
