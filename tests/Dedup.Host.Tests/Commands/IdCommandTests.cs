using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Dedup.Host.Commands;
using Dedup.Host.Tests.Configuration;

namespace Dedup.Host.Tests.Commands;

public sealed partial class IdCommandTests
{
    private const string Chain = "header:Idempotency-Key|json:$.event_id|content";

    [Fact]
    public void The_example_of_the_page_prints_what_the_page_says()
    {
        string page = File.ReadAllText(Repository.PathOf("docs/recipes.md"));
        string records = RecordsPattern.Match(page).Groups[1].Value;
        Match console = ConsolePattern.Match(page);
        CliRun run = CliRun.WithInput(records, "id", "--id", console.Groups[1].Value);
        run.Code.ShouldBe(ExitCode.Found);
        (run.Out + run.Error).ShouldBe(console.Groups[2].Value);
    }

    [Theory]
    [InlineData("""{"headers": {"Idempotency-Key": "h"}}""", "h", "bytes", 0)]
    [InlineData(
        """{"headers": [["Idempotency-Key", "a"], ["Idempotency-Key", "b"]]}""",
        "b",
        "bytes",
        0
    )]
    [InlineData(
        """{"headers": ["x", "y", "Idempotency-Key", "flat"], "ts": 1, "topic": "t"}""",
        "flat",
        "bytes",
        0
    )]
    [InlineData("""{"headers": {"Idempotency-Key": {"base64": "aGk="}}}""", "hi", "bytes", 0)]
    [InlineData("""{"value": "{\"event_id\": 1.0}"}""", "1", "json", 1)]
    [InlineData("""{"value": {"event_id": "e"}}""", "e", "bytes", 1)]
    [InlineData("""{"payload": "{\"event_id\": \"p\"}", "headers": null}""", "p", "bytes", 1)]
    [InlineData("""{"value": {"base64": "eyJldmVudF9pZCI6ICJiIn0="}}""", "b", "bytes", 1)]
    public void Records_are_read_in_every_form_that_the_page_names(
        string line,
        string id,
        string kind,
        int source
    )
    {
        JsonElement found = One(line);
        found.GetProperty("id").GetString().ShouldBe(id);
        found.GetProperty("kind").GetString().ShouldBe(kind);
        found.GetProperty("source").GetInt32().ShouldBe(source);
        found.GetProperty("passed-over").GetArrayLength().ShouldBe(source);
    }

    [Fact]
    public void A_payload_counts_byte_for_byte_as_it_stands_in_the_line()
    {
        CliRun run = CliRun.WithInput(
            """{"value": { "b":1.0,  "a" : 2}}""",
            "id",
            "--id",
            "content",
            "--json"
        );
        JsonElement found = JsonDocument.Parse(run.Out).RootElement;
        found.GetProperty("canonical").GetString().ShouldBe("""{"a":2,"b":1}""");
        string digest = Convert.ToHexStringLower(
            System.Security.Cryptography.SHA256.HashData("""{"a":2,"b":1}"""u8)
        );
        found.GetProperty("id").GetString().ShouldBe(digest);
        found.GetProperty("visible").GetString().ShouldBe($"dedup:::{digest}");
    }

    [Theory]
    [InlineData(
        "header:a",
        """{"headers": {"A": "x"}}""",
        "there is no header 'a', but 'A': names are case-sensitive"
    )]
    [InlineData("header:a", """{"headers": {"a": ""}}""", "header 'a' is empty")]
    [InlineData("header:a", """{"headers": {"a": null}}""", "header 'a' is null")]
    [InlineData("header:a", "{}", "there is no header 'a'")]
    [InlineData("key", "{}", "the key is null")]
    [InlineData("json:$.a.b", """{"value": null}""", "the value is null")]
    [InlineData("json:$.a.b", """{"value": {"a": 1}}""", "$.a is a number, not an object")]
    [InlineData("json:$.a.b", """{"value": {"a": {}}}""", "$.a has no member 'b'")]
    [InlineData(
        "json:$.a.b",
        """{"value": {"a": {"b": null}}}""",
        "$.a.b is null, which would make one event of many"
    )]
    [InlineData("json:$.a.b", """{"value": {"a": {"B": 1}}}""", "$.a has no member 'b', but 'B'")]
    [InlineData("json:$.a[1]", """{"value": {"a": [1]}}""", "$.a has 1 elements, none at 1")]
    [InlineData(
        "json:$.a",
        """{"value": "{\"x\": 1, \"a\": tru}"}""",
        "the value is no JSON: something is wrong at or behind byte 14"
    )]
    [InlineData("json:$.a", """{"value": "hello"}""", "the value is no JSON: it begins with hello")]
    [InlineData("json:$.a", """{"value": ""}""", "the value is empty, which is no JSON")]
    [InlineData("content", """{"value": ""}""", "the value is empty")]
    public void Each_source_that_is_passed_over_says_why(string recipe, string line, string why)
    {
        CliRun run = CliRun.WithInput(line, "id", "--id", recipe, "--json");
        run.Code.ShouldBe(ExitCode.Found);
        JsonDocument
            .Parse(run.Out)
            .RootElement.GetProperty("passed-over")[0]
            .GetProperty("why")
            .GetString()
            .ShouldBe(why);
    }

    [Fact]
    public void A_recipe_of_a_file_shows_scope_joined_parts_and_missing_paths()
    {
        using var file = new TempFile(
            Load.Minimal.Replace(
                "    id: key",
                """
                    id:
                      - content: { include: [$.data], on-missing: next }
                      - join: [key, { json: $.line }]
                    scope: { tenant: { header: tenant-id, required: true }, type: { json: $.type } }
                    partitioning: by-input
                    window: 7d
                """,
                StringComparison.Ordinal
            )
        );
        CliRun run = CliRun.WithInput(
            """
            {"key": "k\"1", "headers": {"tenant-id": "acme"}, "value": {"line": 3, "type": "a:b"}}
            {"key": "k", "value": {"line": 3}}
            """,
            "id",
            "--config",
            file.Path,
            "--pipeline",
            "orders"
        );
        run.Code.ShouldBe(ExitCode.Found);
        string[] lines = run.Out.Split('\n');
        lines[0].ShouldStartWith("line 1: acme:dedup::a%3Ab:");
        lines[1].ShouldBe("    ID       [\"k\\\"1\",3] (join) by join(key, json:$.line)");
        lines[2].ShouldBe("    scope    tenant acme, service (none), type a:b");
        lines[3].ShouldBe("    window   7d, the default");
        lines[4].ShouldContain("content(include $.data");
        lines[4].ShouldEndWith(": $.data leads to nothing (content-path-missing)");
        lines[5]
            .ShouldBe(
                "line 2: no ID: quarantine, scope-missing: tenant is required, and header:tenant-id gives none"
            );
    }

    [Theory]
    [InlineData("[1]", "the line is a list, not a record", "--values")]
    [InlineData("{\"kye\": \"a\"}", "'kye' is no member of a record", "did you mean 'key'?")]
    [InlineData("{\"event_id\": 1}", "'event_id' is no member of a record", "--values")]
    [InlineData("{\"key\": \"a\", \"key\": \"b\"}", "'key' stands there twice", "keep one")]
    [InlineData("{\"value\": 1, \"payload\": 2}", "'value' stands there twice", "keep one")]
    [InlineData("{\"key\": 1}", "'key' is the number 1", "base64")]
    [InlineData("{\"key\": {\"base64\": \"?\"}}", "the base64 of 'key' cannot be read", "padding")]
    [InlineData("{\"key\": \"\\ud800\"}", "'key' is no Unicode text", "base64")]
    [InlineData("{\"headers\": [1]}", "'headers' is neither", "[[\"name\", \"value\"]]")]
    [InlineData("{\"headers\": [\"odd\"]}", "'headers' is neither", "[[\"name\", \"value\"]]")]
    [InlineData("{\"timestamp\": \"yesterday\"}", "'timestamp' is a string", "ISO 8601")]
    [InlineData("{\"partition\": -1}", "'partition' is the number -1", "whole number")]
    [InlineData("{", "the line is no JSON", "--values")]
    public void A_line_that_is_no_record_is_said_with_its_number_and_the_fix(
        string line,
        string what,
        string fix
    )
    {
        CliRun run = CliRun.WithInput(
            $"{{\"key\": \"a\"}}\n\n{line}\n{{\"key\": \"b\"}}",
            "id",
            "--id",
            "key"
        );
        run.Code.ShouldBe(ExitCode.Usage);
        string[] errors = run.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        errors.Length.ShouldBe(2);
        errors[0].ShouldStartWith($"line 3: error: {what}");
        errors[0].ShouldContain("; fix: ");
        errors[0].ShouldContain(fix);
        errors[1].ShouldBe("2 records: 2 by key");
    }

    [Fact]
    public void Bytes_that_are_no_text_are_one_bad_line_and_in_values_mode_a_payload()
    {
        byte[] input = [0xFF, 0x00, (byte)'\r', (byte)'\n', .. "{}"u8];
        CliRun.WithInput(input, "id", "--id", "key").Error.ShouldContain("line 1: error: ");
        CliRun run = CliRun.WithInput(input, "id", "--id", "content", "--values", "--json");
        run.Code.ShouldBe(ExitCode.Done);
        JsonDocument
            .Parse(run.Out.Split('\n')[0])
            .RootElement.GetProperty("id")
            .GetString()
            .ShouldBe(
                Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData([0xFF, 0x00]))
            );
    }

    [Fact]
    public void Lines_longer_than_a_buffer_are_read_whole()
    {
        string id = new('x', 60_000);
        string line = $$"""{"value": "{{new string(' ', 200_000)}}{\"event_id\": \"{{id}}\"}"}""";
        One(line + "\n").GetProperty("id").GetString().ShouldBe(id);
    }

    [Theory]
    [InlineData("--id", "heder:x")]
    [InlineData("--id", "key", "--config", "x.yaml")]
    [InlineData("--id", "key", "--topic", "t")]
    [InlineData("--bootstrap", "b", "--topic", "t")]
    [InlineData("--id", "key", "--topic", "t", "--bootstrap", "b", "--values")]
    [InlineData("--id", "key", "--count", "0")]
    public void What_cannot_be_begun_ends_with_2_and_one_line_with_the_fix(params string[] args)
    {
        CliRun run = CliRun.WithInput("{}", ["id", .. args]);
        run.Code.ShouldBe(ExitCode.Usage);
        run.Out.ShouldBeEmpty();
        run.Error.TrimEnd('\n').ShouldNotContain('\n');
        run.Error.ShouldContain("fix: ");
    }

    private static JsonElement One(string line)
    {
        CliRun run = CliRun.WithInput(line, "id", "--id", Chain, "--json");
        run.Error.ShouldBeEmpty();
        run.Code.ShouldBe(ExitCode.Done);
        return JsonDocument.Parse(run.Out).RootElement;
    }

    [GeneratedRegex("```records\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex RecordsPattern { get; }

    [GeneratedRegex(
        @"```console\n\$ dedup id --id '([^']*)' < records\n(.*?)```",
        RegexOptions.Singleline
    )]
    private static partial Regex ConsolePattern { get; }
}
