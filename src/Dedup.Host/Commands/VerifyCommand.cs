using System.CommandLine;
using System.Text;
using System.Text.Json;
using Dedup.Audit;
using Dedup.Audit.Ledger;
using Dedup.Audit.Reports;
using Dedup.Host.Configuration;
using Dedup.Host.Verify;
using Dedup.Topology.Pipelines;

namespace Dedup.Host.Commands;

/// <summary><c>dedup verify</c>: the audit from outside.</summary>
internal static class VerifyCommand
{
    private const string DefaultWait = "5m";

    public static Command Make(CliContext context)
    {
        var source = new SourceOptions();
        var options = new Options();
        var command = new ExampleCommand(
            "verify",
            "Read input and clean topic and say from outside whether every event reached the clean topic exactly once, unchanged and in order. Read-only. Exit code 1 when something is wrong, 2 when the audit cannot be made.",
            new Example(
                "dedup verify --config dedup.yaml",
                "up to what the pipelines have committed"
            ),
            new Example(
                "dedup verify --config dedup.yaml --wait",
                "first wait until they have no lag"
            ),
            new Example(
                "dedup verify --bootstrap localhost:9092 --input orders --clean orders.clean --id key --window 24h",
                "any pair of topics"
            ),
            new Example(
                "dedup verify --config dedup.yaml --ledger",
                "whether the counts in the changelog are those of the topics"
            ),
            new Example(
                "dedup verify --config dedup.yaml --json | jq '.pipelines[].counts'",
                "for a script"
            )
        );
        source.AddTo(command);
        options.AddTo(command);
        command.SetAction(
            async (parsed, cancellation) =>
                source.LoadOrPrint(parsed, context) is { } config
                    ? await Run(
                        config,
                        options.Of(parsed, source),
                        parsed.GetValue(options.Pipeline),
                        parsed.GetValue(options.Json),
                        parsed.GetValue(options.Ledger),
                        context,
                        cancellation
                    )
                    : ExitCode.Usage
        );
        return command;
    }

    private static async Task<int> Run(
        DedupConfig config,
        VerifyOptions options,
        string? pipeline,
        bool json,
        bool ledger,
        CliContext context,
        CancellationToken cancellation
    )
    {
        PipelineSpec[] specs =
        [
            .. config.Pipelines.Where(p => pipeline is null || p.Name == pipeline),
        ];
        if (specs.Length == 0)
        {
            throw new ProblemException(
                ExitCode.Usage,
                $"there is no pipeline '{pipeline}'",
                $"give one of {string.Join(", ", config.Pipelines.Select(static p => p.Name))}"
            );
        }

        return ledger
            ? await CompareAll(config, specs, options, json, context, cancellation)
            : await AuditAll(config, specs, options, json, context, cancellation);
    }

    private static async Task<int> AuditAll(
        DedupConfig config,
        PipelineSpec[] specs,
        VerifyOptions options,
        bool json,
        CliContext context,
        CancellationToken cancellation
    )
    {
        var reports = new List<(PipelineSpec Spec, AuditReport Report)>();
        foreach (PipelineSpec spec in specs)
        {
            AuditRequest request = await VerifyRequests.Of(config, spec, options);
            reports.Add(
                (
                    spec,
                    await Made(
                        context,
                        progress => KafkaAudit.Run(request, progress, cancellation),
                        cancellation
                    )
                )
            );
        }

        Print(reports, json, context);
        return reports.TrueForAll(static r => r.Report.IsSound) ? ExitCode.Done : ExitCode.Found;
    }

    private static async Task<int> CompareAll(
        DedupConfig config,
        PipelineSpec[] specs,
        VerifyOptions options,
        bool json,
        CliContext context,
        CancellationToken cancellation
    )
    {
        var reports = new List<(string Pipeline, LedgerReport Report)>();
        foreach (PipelineSpec spec in specs)
        {
            AuditRequest request = await VerifyRequests.Of(
                config,
                spec,
                options with
                {
                    IsLedger = true,
                }
            );
            reports.Add(
                (
                    spec.Name,
                    await Made(
                        context,
                        progress =>
                            KafkaLedger.Run(
                                request,
                                VerifyRequests.ChangelogsOf(spec),
                                spec.Start.Kind == StartKind.Earliest,
                                progress,
                                cancellation
                            ),
                        cancellation
                    )
                )
            );
        }

        if (json)
        {
            PrintJson(
                reports.TrueForAll(static r => r.Report.IsSound),
                writer => reports.ForEach(r => LedgerPrinter.Write(writer, r.Pipeline, r.Report)),
                context
            );
        }
        else
        {
            reports.ForEach(r => LedgerPrinter.Print(r.Pipeline, r.Report, context));
        }

        return reports.TrueForAll(static r => r.Report.IsSound) ? ExitCode.Done : ExitCode.Found;
    }

    private static async Task<T> Made<T>(
        CliContext context,
        Func<IProgress<AuditProgress>, T> make,
        CancellationToken cancellation
    )
    {
        try
        {
            using var progress = new ProgressLine(context);
            return await Task.Run(() => make(progress), cancellation);
        }
        catch (AuditException e)
        {
            throw new ProblemException(
                ExitCode.Usage,
                e.Message.TrimEnd('.'),
                "then verify again",
                e
            );
        }
    }

    private static void Print(
        List<(PipelineSpec Spec, AuditReport Report)> reports,
        bool json,
        CliContext context
    )
    {
        if (!json)
        {
            reports.ForEach(r =>
                ReportPrinter.Print(r.Spec.Name, r.Spec.Input, r.Spec.Clean, r.Report, context)
            );
            return;
        }

        PrintJson(
            reports.TrueForAll(static r => r.Report.IsSound),
            writer => reports.ForEach(r => ReportPrinter.Write(writer, r.Spec.Name, r.Report)),
            context
        );
    }

    private static void PrintJson(
        bool isSound,
        Action<Utf8JsonWriter> pipelines,
        CliContext context
    )
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, JsonFormat.Indented))
        {
            writer.WriteStartObject();
            writer.WriteBoolean("sound", isSound);
            writer.WriteStartArray("pipelines");
            pipelines(writer);
            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        context.Out.WriteLine(Encoding.UTF8.GetString(buffer.ToArray()));
    }

    private sealed class Options
    {
        private readonly Option<string?> _wait = new("--wait")
        {
            Description =
                $"first wait until the pipeline has no lag, at most so long [default: {DefaultWait}]",
            HelpName = "DURATION",
            Arity = ArgumentArity.ZeroOrOne,
        };

        private readonly Option<string?> _group = new("--group")
        {
            Description =
                "audit up to this group's committed offsets [default: the pipeline's group]",
            HelpName = "GROUP",
        };

        private readonly Option<string?> _memory = new("--memory")
        {
            Description = "memory; beyond it records go to a temporary file [default: 1GiB]",
            HelpName = "SIZE",
        };

        private readonly Option<string?> _temp = new("--temp")
        {
            Description = "where the temporary file goes",
            HelpName = "DIR",
        };

        private readonly Option<string[]> _started = new("--started")
        {
            Description =
                "where the pipeline's first run began in a partition, when that was not the input's beginning",
            HelpName = "PARTITION=OFFSET",
            DefaultValueFactory = static _ => [],
        };

        public Option<string?> Pipeline { get; } =
            new("--pipeline") { Description = "only this pipeline", HelpName = "NAME" };

        public Option<bool> Json { get; } =
            new("--json") { Description = "print the report as JSON" };

        public Option<bool> Ledger { get; } =
            new("--ledger")
            {
                Description =
                    "compare the ledger in the changelog with what the topics hold and the group has committed: clean + duplicates + quarantined + dropped = consumed",
            };

        public void AddTo(Command command)
        {
            command.Options.Add(Pipeline);
            command.Options.Add(Ledger);
            command.Options.Add(_wait);
            command.Options.Add(_group);
            command.Options.Add(_memory);
            command.Options.Add(_temp);
            command.Options.Add(_started);
            command.Options.Add(Json);
        }

        public VerifyOptions Of(ParseResult parsed, SourceOptions source) =>
            new()
            {
                FromFlags = source.IsInFlags(parsed),
                QuarantineGiven = source.QuarantineGiven(parsed),
                Group = parsed.GetValue(_group),
                Wait = parsed.GetResult(_wait) is null
                    ? null
                    : Duration(parsed.GetValue(_wait) ?? DefaultWait),
                MemoryBytes = Size(parsed.GetValue(_memory)),
                TempDirectory = parsed.GetValue(_temp),
                Started = VerifyRequests.ParseStarted(parsed.GetValue(_started) ?? []),
            };

        private static TimeSpan Duration(string text) =>
            Quantities.TryDuration(text, out long ms)
                ? TimeSpan.FromMilliseconds(ms)
                : throw new ProblemException(
                    ExitCode.Usage,
                    $"--wait '{text}' is no duration",
                    $"write {Quantities.DurationHelp}"
                );

        private static long Size(string? text) =>
            text is null ? 0
            : Quantities.TrySize(text, out long bytes) ? bytes
            : throw new ProblemException(
                ExitCode.Usage,
                $"--memory '{text}' is no size",
                $"write {Quantities.SizeHelp}"
            );
    }
}
