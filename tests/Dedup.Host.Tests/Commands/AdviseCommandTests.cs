using Dedup.Host.Commands;

namespace Dedup.Host.Tests.Commands;

public sealed class AdviseCommandTests
{
    [Theory]
    [InlineData("--bootstrap", "b")]
    [InlineData("--topic", "t")]
    [InlineData("--topic", "t", "--bootstrap", "b", "--config", "f")]
    [InlineData("--topic", "t", "--bootstrap", "b", "--sample", "0")]
    [InlineData("--topic", "t", "--bootstrap", "b", "--sample", "11M")]
    [InlineData("--topic", "t", "--bootstrap", "b", "--sample", "many")]
    [InlineData("--topic", "t", "--bootstrap", "b", "--id", "json:a")]
    public void What_cannot_be_begun_ends_with_2_and_one_line_with_the_fix(params string[] args)
    {
        CliRun run = CliRun.Of(["advise", .. args]);
        run.Code.ShouldBe(ExitCode.Usage);
        run.Out.ShouldBeEmpty();
        run.Error.TrimEnd('\n').ShouldNotContain('\n');
        run.Error.ShouldContain("fix: ");
    }
}
