using Dedup.Simulation.CommandLine;
using Shouldly;

namespace Dedup.Simulation.Tests;

public sealed class CommandTests
{
    [Theory]
    [InlineData("--seed", "x")]
    [InlineData("--seed", "18446744073709551616")]
    [InlineData("--seeds", "0")]
    [InlineData("--minutes", "-1")]
    [InlineData("--without", "Rain")]
    [InlineData("--faults", "3")]
    [InlineData("--colour", "red")]
    [InlineData("--seed")]
    public void Bad_input_is_one_line_and_exit_code_2(params string[] args)
    {
        var errors = new StringWriter();

        int code = SimulateCommand.Run(args, TextWriter.Null, errors);

        code.ShouldBe(2);
        errors.ToString().Trim().ShouldNotContain("\n");
        errors.ToString().ShouldContain(args[0]);
    }

    [Fact]
    public void An_unknown_bug_is_named_with_the_known_ones()
    {
        var errors = new StringWriter();

        SimulateCommand.Run(["--planted", "--bug", "Gremlin"], TextWriter.Null, errors).ShouldBe(2);

        errors.ToString().ShouldContain("Gremlin");
        errors.ToString().ShouldContain("StoreBeforeCommit");
    }

    [Fact]
    public void One_seed_is_replayed_with_its_trace()
    {
        var output = new StringWriter();

        SimulateCommand.Run(["--seed", "3", "--trace"], output, TextWriter.Null).ShouldBe(0);

        output.ToString().ShouldContain("SinkCommit");
        output.ToString().ShouldContain("all invariants held");
    }

    [Fact]
    public void Many_seeds_end_with_a_summary()
    {
        var output = new StringWriter();

        SimulateCommand
            .Run(["--seeds", "20", "--from", "100"], output, TextWriter.Null)
            .ShouldBe(0);

        output.ToString().ShouldContain("20 seeds from 100");
        output.ToString().ShouldContain("0 failed");
    }
}
