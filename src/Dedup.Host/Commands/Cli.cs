using System.CommandLine;
using System.CommandLine.Completions;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Dedup.Host.Commands;

/// <summary>The command line as a whole: commands, help, errors, exit codes.</summary>
public static class Cli
{
    private static readonly Example[] RootExamples =
    [
        new("dedup demo", "show the main job on this machine in under a minute"),
        new(
            "dedup check --config dedup.yaml",
            "say everything that is wrong with a configuration and its topics"
        ),
        new("dedup topics --config dedup.yaml --apply", "make the topics that the pipelines need"),
        new("dedup run --config dedup.yaml", "stand between the topics"),
    ];

    /// <summary>Runs a command line; returns the exit code. Never throws.</summary>
    public static int Run(IReadOnlyList<string> args, CliContext context)
    {
        Option<bool> trace = new("--trace")
        {
            Description = "print the stack trace of an error",
            Recursive = true,
            Hidden = true,
        };
        RootCommand root = Build(context);
        root.Options.Add(trace);
        ParseResult parsed = root.Parse(args);
        if (parsed.Action is ParseErrorAction)
        {
            return UsageErrors(parsed, context);
        }

        try
        {
            var invocation = new InvocationConfiguration
            {
                Output = context.Out,
                Error = context.Error,
                EnableDefaultExceptionHandler = false,
                // Signals are the run command's own business: first a clean stop, then an end at once.
                ProcessTerminationTimeout = null,
            };
            return parsed.InvokeAsync(invocation).GetAwaiter().GetResult();
        }
        catch (Exception e)
        {
            return Problem(e, parsed.GetValue(trace), context);
        }
        finally
        {
            context.Out.Flush();
            context.Error.Flush();
        }
    }

    /// <summary>All commands.</summary>
    public static RootCommand Build(CliContext context)
    {
        var root = new RootCommand(
            "Dedup stands between a producer's topic and its consumers' topic and forwards the first occurrence of every event, exactly once."
        )
        {
            DemoCommand.Make(context),
            RunCommand.Make(context),
            CheckCommand.Make(context),
            TopicsCommand.Make(context),
            AdviseCommand.Make(context),
            IdCommand.Make(context),
            ChangelogCommand.Make(context),
            VerifyCommand.Make(context),
            CrashTestCommand.Make(context),
            CompletionCommand.Make(context),
        };
        foreach (Option option in root.Options)
        {
            if (option is HelpOption { Action: HelpAction standard } help)
            {
                help.Action = new HelpWithExamples(standard);
            }
        }

        return root;
    }

    private static int UsageErrors(ParseResult parsed, CliContext context)
    {
        string command = CommandPath(parsed.CommandResult.Command);
        foreach (string message in parsed.Errors.Select(static e => e.Message).Distinct())
        {
            context.Error.WriteLine(
                $"{command}: error: {message.TrimEnd('.').ReplaceLineEndings(" ")}; fix: see '{command} --help'"
            );
        }

        context.Error.Flush();
        return ExitCode.Usage;
    }

    private static int Problem(Exception e, bool trace, CliContext context)
    {
        string message = string.Join(
            ' ',
            e.Message.Split(
                ['\r', '\n'],
                StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries
            )
        );
        context.Error.WriteLine(
            e is ProblemException
                ? $"dedup: error: {message}"
                : $"dedup: error: {e.GetType().Name}: {message}; fix: again with --trace, and report it if it is Dedup's fault"
        );
        if (trace)
        {
            context.Error.WriteLine(e.ToString());
        }

        return e is ProblemException problem ? problem.ExitCode : ExitCode.LaneFailed;
    }

    private static string CommandPath(Command command) =>
        command is RootCommand ? "dedup" : $"dedup {command.Name}";

    private sealed class HelpWithExamples(HelpAction standard) : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            int result = standard.Invoke(parseResult);
            Command command = parseResult.CommandResult.Command;
            IReadOnlyList<Example> examples = command is ExampleCommand e
                ? e.Examples
                : RootExamples;
            TextWriter output = parseResult.InvocationConfiguration.Output;
            output.WriteLine("Examples:");
            foreach (Example example in examples)
            {
                output.WriteLine($"  # {example.What}");
                output.WriteLine($"  {example.Line}");
            }

            output.WriteLine();
            if (command is RootCommand)
            {
                output.WriteLine(
                    "Exit codes: 0 done, 1 a check found something, 2 usage or configuration, 3 a lane failed."
                );
            }

            return result;
        }
    }
}
