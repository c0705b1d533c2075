using System.CommandLine;
using System.Text.Json;
using Dedup.Host.Commands;
using Dedup.Host.Tests.Configuration;

namespace Dedup.Host.Tests.Commands;

public sealed class CliTests
{
    public static TheoryData<string> CommandNames =>
        [.. Root().Subcommands.Select(static c => c.Name)];

    [Fact]
    public void Help_lists_the_commands_examples_and_exit_codes()
    {
        CliRun run = CliRun.Of("--help");
        run.Code.ShouldBe(0);
        foreach (
            string name in (string[])
                [
                    "demo",
                    "run",
                    "check",
                    "topics",
                    "advise",
                    "id",
                    "changelog",
                    "verify",
                    "completion",
                ]
        )
        {
            run.Out.ShouldContain("\n  " + name);
        }

        run.Out.ShouldContain("Examples:\n");
        run.Out.ShouldContain(
            "Exit codes: 0 done, 1 a check found something, 2 usage or configuration, 3 a lane failed."
        );
    }

    [Theory]
    [MemberData(nameof(CommandNames))]
    public void Every_command_helps_with_examples_that_parse(string name)
    {
        CliRun run = CliRun.Of(name, "--help");
        run.Code.ShouldBe(0);
        string[] examples =
        [
            .. run.Out[run.Out.IndexOf("Examples:", StringComparison.Ordinal)..]
                .Split('\n')
                .Select(static l => l.Trim())
                .Where(static l =>
                    l.Contains("dedup ", StringComparison.Ordinal) && !l.StartsWith('#')
                ),
        ];
        examples.Length.ShouldBeGreaterThan(1);
        foreach (string example in examples)
        {
            Root().Parse(Arguments(example)).Errors.ShouldBeEmpty(example);
        }
    }

    [Theory]
    [InlineData("--bogus")]
    [InlineData("chek")]
    [InlineData("check", "--bogus")]
    [InlineData("completion", "tcsh")]
    [InlineData("run", "--log", "xml")]
    [InlineData("topics", "--partitions", "0")]
    [InlineData]
    public void Usage_errors_are_one_line_each_and_end_with_2(params string[] args)
    {
        CliRun run = CliRun.Of(args);
        run.Code.ShouldBe(ExitCode.Usage);
        run.Out.ShouldBeEmpty();
        run.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .ShouldAllBe(static l =>
                l.StartsWith("dedup", StringComparison.Ordinal)
                && l.Contains("; fix: see 'dedup", StringComparison.Ordinal)
            );
    }

    [Theory]
    [InlineData("run")]
    [InlineData("topics")]
    [InlineData("changelog")]
    [InlineData("verify")]
    public void A_wrong_configuration_ends_every_command_with_2(string command)
    {
        CliRun run = CliRun.Of(
            command,
            "--bootstrap",
            "b",
            "--input",
            "a",
            "--clean",
            "a",
            "--id",
            "key"
        );
        run.Code.ShouldBe(ExitCode.Usage);
        run.Error.ShouldContain(
            "--clean: error: input and clean of pipeline 'a' are the same topic 'a'; fix: "
        );
    }

    [Fact]
    public void Check_finds_and_says_how_many()
    {
        using var file = new TempFile(Load.WithPipelineLines("windw: 1h\nlate: x"));
        CliRun run = CliRun.Of("check", "--offline", "--config", file.Path);
        run.Code.ShouldBe(ExitCode.Found);
        run.Out.ShouldBe(
            $"""
            {file.Path}:8: error: 'windw' is not a setting of 'pipelines.orders'; fix: did you mean 'window'?
            {file.Path}:9: error: 'pipelines.orders.late' is 'x', which is not one of forward, quarantine, drop; fix: write one of them; the default is forward
            2 errors

            """
        );
    }

    [Fact]
    public void Check_of_a_good_file_ends_with_0()
    {
        using var file = new TempFile(Load.Minimal);
        CliRun run = CliRun.Of("check", "--offline", "--config", file.Path);
        run.ShouldBe(new CliRun(0, "all is well\n", ""));
    }

    [Fact]
    public void Check_in_json()
    {
        using var file = new TempFile(Load.WithPipelineLines("windw: 1h"));
        CliRun run = CliRun.Of("check", "--offline", "--json", "--config", file.Path);
        run.Code.ShouldBe(ExitCode.Found);
        using var json = JsonDocument.Parse(run.Out);
        json.RootElement.GetProperty("ok").GetBoolean().ShouldBeFalse();
        JsonElement finding = json.RootElement.GetProperty("findings")[0];
        finding.GetProperty("where").GetString().ShouldBe($"{file.Path}:8");
        finding.GetProperty("fix").GetString().ShouldBe("did you mean 'window'?");
    }

    [Fact]
    public void The_question_about_partitioning_explains_both_in_two_lines()
    {
        CliRun run = CliRun.Of(
            "check",
            "--offline",
            "--bootstrap",
            "b",
            "--input",
            "a",
            "--clean",
            "c",
            "--id",
            "header:x"
        );
        string[] lines = run.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        lines.Length.ShouldBe(4);
        lines[0].ShouldContain("the partitioning has to be chosen");
        lines[1].ShouldStartWith("    by-input judges");
        lines[2].ShouldStartWith("    by-id first re-keys");
    }

    [Theory]
    [InlineData("check", "--offline", "--config", "/no/such.yaml")]
    [InlineData("check", "--offline", "--config", "x.yaml", "--input", "a")]
    public void Nothing_to_check_is_a_usage_error(params string[] args) =>
        CliRun.Of(args).Code.ShouldBe(ExitCode.Usage);

    [Theory]
    [InlineData("bash", "complete -o default -F _dedup dedup")]
    [InlineData("zsh", "compdef _dedup dedup")]
    [InlineData("fish", "complete -c dedup")]
    public void Completion_scripts_ask_the_program(string shell, string line)
    {
        CliRun run = CliRun.Of("completion", shell);
        run.Code.ShouldBe(0);
        run.Out.ShouldContain(line);
        run.Out.ShouldContain("[suggest:");
    }

    [Fact]
    public void Suggestions_come_for_commands_and_options()
    {
        CliRun.Of("[suggest:9]", "dedup che").Out.ShouldContain("check");
        CliRun.Of("[suggest:20]", "dedup check --offli").Out.ShouldContain("--offline");
    }

    [Fact]
    public void An_unknown_pipeline_is_named_with_those_that_there_are()
    {
        using var file = new TempFile(Load.Minimal);
        CliRun run = CliRun.Of("changelog", "--config", file.Path, "--pipeline", "ordres");
        run.Code.ShouldBe(ExitCode.Usage);
        run.Error.ShouldBe(
            "dedup: error: there is no pipeline 'ordres'; fix: give one of orders\n"
        );
    }

    [Fact]
    public void A_trace_is_printed_only_when_asked_for()
    {
        using var file = new TempFile(Load.Minimal);
        CliRun.Of("run", "--config", file.Path, "--status", "1").Error.ShouldNotContain(" at ");
        CliRun
            .Of("run", "--config", file.Path, "--status", "1", "--trace")
            .Error.ShouldContain(" at ");
    }

    private static RootCommand Root() =>
        Cli.Build(
            new CliContext
            {
                Out = TextWriter.Null,
                Error = TextWriter.Null,
                Environment = static _ => null,
                IsTerminal = false,
            }
        );

    // What the shell would make of an example: the first dedup command in it, without quotes, pipes, and redirections.
    private static string[] Arguments(string example)
    {
        string line = example[(example.IndexOf("dedup ", StringComparison.Ordinal) + 6)..];
        line = line.Split(['|', '>', ')'])[0];
        return line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
    }
}
