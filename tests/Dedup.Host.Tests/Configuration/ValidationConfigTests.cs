using Dedup.Host.Schemas;

namespace Dedup.Host.Tests.Configuration;

public sealed class ValidationConfigTests
{
    [Theory]
    [InlineData("", true)]
    [InlineData("on-unavailable: forward", true)]
    [InlineData("on-unavailable: quarantine", false)]
    public void Validation_is_read_with_its_policy(string line, bool forwards)
    {
        ValidationSettings settings = Load.Good(
            Load.WithPipelineLines(
                $"schema-registry: http://user:${{PASSWORD}}@sr:8081/x\nvalidate: true\n{line}"
            ),
            ("PASSWORD", "secret")
        ).Validation["orders"];
        settings.Registry.ShouldBe(new Uri("http://user:secret@sr:8081/x"));
        settings.ForwardsUnchecked.ShouldBe(forwards);
    }

    [Fact]
    public void Without_validation_there_is_none() =>
        Load.Good(Load.Minimal).Validation.ShouldBeEmpty();

    [Theory]
    [InlineData(
        "validate: true",
        "8",
        "there is no schema registry to ask",
        "schema-registry: http"
    )]
    [InlineData("schema-registry: http://sr", "8", "no effect without 'validate: true'", "add")]
    [InlineData(
        "on-unavailable: forward",
        "8",
        "no effect without 'validate: true'",
        "take it out"
    )]
    [InlineData("validate: yes please", "8", "not one of true, false", "default is false")]
    [InlineData(
        "validate: true\nschema-registry: localhost:8081",
        "9",
        "is no http or https address",
        "http://localhost:8081"
    )]
    [InlineData(
        "validate: true\nschema-registry: ftp://x",
        "9",
        "is no http or https address",
        "http://localhost:8081"
    )]
    [InlineData(
        "validate: true\nschema-registry: http://x\non-unavailable: drop",
        "10",
        "not one of forward, quarantine",
        "default is forward"
    )]
    public void Contradictions_are_said_with_line_and_fix(
        string lines,
        string line,
        string what,
        string fix
    ) =>
        Load.Text(Load.WithPipelineLines(lines))
            .Findings.ShouldSay($"dedup.yaml:{line}", what, fix);

    [Fact]
    public void An_address_that_cannot_be_read_is_not_repeated() =>
        string.Join(
                '\n',
                Load.Text(
                    Load.WithPipelineLines("validate: true\nschema-registry: sr:hush@x y")
                ).Findings
            )
            .ShouldNotContain("hush");

    [Fact]
    public void The_example_of_the_page_is_a_good_pipeline()
    {
        string page = File.ReadAllText(Repository.PathOf("docs/recipes.md"));
        string start = "```settings\n";
        int at = page.IndexOf(start, StringComparison.Ordinal) + start.Length;
        string example = page[at..page.IndexOf("```", at, StringComparison.Ordinal)];
        string[] lines = [.. example.TrimEnd().Split('\n').Select(static l => "    " + l)];
        Load.Good(
                Load.Minimal.Replace(
                    "    id: key",
                    string.Join('\n', lines),
                    StringComparison.Ordinal
                )
            )
            .Validation["orders"]
            .ForwardsUnchecked.ShouldBeTrue();
    }
}
