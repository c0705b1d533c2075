using System.CommandLine;
using Dedup.Host.CrashTest;

namespace Dedup.Host.Commands;

/// <summary><c>dedup crash-test</c>: kills a child at every named point, on the user's own cluster, and audits.</summary>
internal static class CrashTestCommand
{
    private const int MostRounds = 1000;

    public static Command Make(CliContext context)
    {
        var options = new Options();
        var command = new ExampleCommand(
            "crash-test",
            "Make topics with a random prefix on a cluster, load them in the background, kill a worker with SIGKILL at each named point, start it again, and audit what reached the clean topic. Topics and state are deleted at the end. Exit code 1 when something was lost, doubled, or did not recover, 2 when it cannot begin.",
            new Example(
                "dedup crash-test --bootstrap localhost:9092",
                "every point once, some minutes"
            ),
            new Example(
                "dedup crash-test --bootstrap localhost:9092 --points after-offsets,after-commit --rounds 10",
                "two of them, ten times each"
            ),
            new Example(
                "dedup crash-test --bootstrap kafka:9093 --kafka security.protocol=SSL --kafka ssl.ca.location=ca.pem",
                "on a cluster that wants TLS"
            )
        );
        options.AddTo(command);
        command.SetAction(async (parsed, _) => await Run(options.Of(parsed), context));
        return command;
    }

    private static async Task<int> Run(CrashTestRequest request, CliContext context)
    {
        try
        {
            return await Interruptible.RunAsync(
                stop => new CrashTestRun(request, context).RunAsync(stop),
                context,
                "topics and state are deleted"
            );
        }
        catch (Audit.AuditException e)
        {
            throw new ProblemException(
                ExitCode.Found,
                $"the audit could not be made: {e.Message.TrimEnd('.')}",
                "see whether the broker answers, and begin again",
                e
            );
        }
    }

    private sealed class Options
    {
        private readonly Option<string> _bootstrap = new("--bootstrap")
        {
            Description = "brokers to ask first",
            HelpName = "HOST:PORT",
            Required = true,
        };

        private readonly Option<string?> _points = new("--points")
        {
            Description =
                $"points, with commas [default: all: {string.Join(", ", KillAtPoint.Names)}]",
            HelpName = "POINTS",
        };

        private readonly Option<int> _rounds = new("--rounds")
        {
            Description = "crashes at each point",
            HelpName = "N",
            DefaultValueFactory = static _ => 1,
        };

        private readonly Option<long> _records = new("--records")
        {
            Description = "least number of records for each point, at 20,000 a second",
            HelpName = "N",
            DefaultValueFactory = static _ => 100_000,
        };

        private readonly Option<int?> _seed = new("--seed")
        {
            Description = "repeats the choices of a run",
            HelpName = "N",
        };

        private readonly Option<string[]> _kafka = new("--kafka")
        {
            Description = "any librdkafka property, may be given several times",
            HelpName = "NAME=VALUE",
            DefaultValueFactory = static _ => [],
        };

        public void AddTo(Command command)
        {
            _rounds.Validators.Add(static r =>
            {
                if (r.GetValueOrDefault<int>() is var n and (< 1 or > MostRounds))
                {
                    r.AddError($"--rounds {n} is out of its range 1 to {MostRounds}");
                }
            });
            _records.Validators.Add(static r =>
            {
                if (r.GetValueOrDefault<long>() is var n and < 1)
                {
                    r.AddError($"--records {n} is not positive");
                }
            });
            command.Options.Add(_bootstrap);
            command.Options.Add(_points);
            command.Options.Add(_rounds);
            command.Options.Add(_records);
            command.Options.Add(_seed);
            command.Options.Add(_kafka);
        }

        public CrashTestRequest Of(ParseResult parsed)
        {
            string[] points =
                parsed
                    .GetValue(_points)
                    ?.Split(
                        ',',
                        StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries
                    )
                ?? [.. KillAtPoint.Names];
            foreach (string point in points)
            {
                KillAtPoint.RefuseUnknown(point, "--points");
            }

            var kafka = new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["bootstrap.servers"] = parsed.GetValue(_bootstrap)!,
            };
            foreach (string property in parsed.GetValue(_kafka) ?? [])
            {
                int equals = property.IndexOf('=', StringComparison.Ordinal);
                if (equals <= 0)
                {
                    throw new ProblemException(
                        ExitCode.Usage,
                        $"--kafka '{property}' is not of the form NAME=VALUE",
                        "write for example --kafka security.protocol=SSL"
                    );
                }

                kafka[property[..equals]] = property[(equals + 1)..];
            }

            return new CrashTestRequest(
                kafka,
                points,
                parsed.GetValue(_rounds),
                parsed.GetValue(_records),
                parsed.GetValue(_seed)
                    ?? System.Security.Cryptography.RandomNumberGenerator.GetInt32(int.MaxValue)
            );
        }
    }
}
