using System.Globalization;
using Dedup.Acceptance.Brokers;
using Dedup.Audit.Reports;
using Dedup.Host.Commands;
using Dedup.Host.CrashTest;
using Dedup.Topology.Proof;
using Shouldly;

namespace Dedup.Acceptance.Crash;

/// <summary>Every named crash point on a real Kafka.</summary>
/// <remarks>
/// One set of topics, one worker that dies again and again: the start that recovers from one point is the one that dies at
/// the next, and one audit at the end. Which point did it is what `dedup crash-test` tells, which audits after each.
/// DEDUP_LONG=1: every point ten times.
/// </remarks>
public sealed class CrashPointTests(RealKafka kafka, ITestOutputHelper output)
{
    private static readonly int Rounds = Environment.GetEnvironmentVariable("DEDUP_LONG")
        is { Length: > 0 }
        ? 10
        : 1;

    [Fact]
    public async Task A_process_that_dies_at_any_named_point_loses_nothing_and_doubles_nothing()
    {
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        int seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        await using CrashTester tester = await CrashTester.StartAsync(
            Kafka(await kafka.BootstrapServersAsync()),
            RealKafka.NewName("points"),
            KillAtPoint.Names.Count * Rounds,
            seed,
            cancellation
        );
        for (int round = 0; round < Rounds; round++)
        {
            foreach (string point in KillAtPoint.Names)
            {
                CrashOutcome outcome = await tester.CrashAsync(point, cancellation);
                output.WriteLine($"{point}: {outcome}, {tester.Sent} records sent");
                outcome.ShouldBe(CrashOutcome.Reached, $"{point}\n{tester.Tail}");
            }
        }

        TimeSpan? took = await tester.RecoverAsync(cancellation);
        took.ShouldNotBeNull(tester.Tail);
        (await tester.DrainAsync(0, cancellation)).ShouldBeNull(tester.Tail);
        (await tester.StopAsync(cancellation)).ShouldBeNull(tester.Tail);
        AuditReport report = await tester.AuditAsync(cancellation);
        output.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"recovered in {took.Value.TotalSeconds:0.0} s; {report.Counts}"
            )
        );
        report.IsSound.ShouldBeTrue(
            string.Join(
                '\n',
                report.Findings.Select(static f => $"{f.Kind} {f.Count}: {f.Shown[0]}")
            )
        );
        report.Counts.In.ShouldBe(tester.Sent);
    }

    [Fact]
    public async Task The_command_prints_a_table_and_leaves_nothing_behind()
    {
        string bootstrap = await kafka.BootstrapServersAsync();
        (int code, string said, string error) = Run(
            "crash-test",
            "--bootstrap",
            bootstrap,
            "--points",
            $"{CrashPoints.AfterOffsets},{CrashPoints.AfterCommit}",
            "--records",
            "50000"
        );
        output.WriteLine(said + error);
        code.ShouldBe(ExitCode.Done, error);
        said.ShouldContain("sound: 2 of 2 points reached");
        using Confluent.Kafka.IAdminClient admin = new Confluent.Kafka.AdminClientBuilder(
            Kafka(bootstrap)
        ).Build();
        admin
            .GetMetadata(TimeSpan.FromSeconds(10))
            .Topics.ShouldNotContain(static t =>
                t.Topic.StartsWith("dedup-crash-", StringComparison.Ordinal)
            );
    }

    [Theory]
    [InlineData("--points=after-ofsets", "did you mean after-offsets?")]
    [InlineData("--rounds=0", "--rounds 0 is out of its range")]
    [InlineData("--points=after-commit", "no broker at 127.0.0.1:1 answers")]
    public void Bad_input_is_one_line_and_exit_code_2(string option, string expected)
    {
        // Nobody listens at port 1.
        (int code, string said, string error) = Run(
            "crash-test",
            "--bootstrap",
            "127.0.0.1:1",
            option
        );
        code.ShouldBe(ExitCode.Usage);
        said.ShouldBeEmpty();
        error.TrimEnd('\n').Split('\n').ShouldHaveSingleItem().ShouldContain(expected);
    }

    private static Dictionary<string, string> Kafka(string bootstrap) =>
        new() { ["bootstrap.servers"] = bootstrap };

    private static (int Code, string Out, string Error) Run(params string[] args)
    {
        using var said = new StringWriter();
        using var error = new StringWriter();
        int code = Host.Commands.Cli.Run(
            args,
            new CliContext
            {
                Out = said,
                Error = error,
                Environment = static _ => null,
                IsTerminal = false,
            }
        );
        return (code, said.ToString(), error.ToString());
    }
}
