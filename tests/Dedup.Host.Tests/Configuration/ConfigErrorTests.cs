using Dedup.Host.Configuration;
using Dedup.Host.Guards;

namespace Dedup.Host.Tests.Configuration;

/// <summary>Every error: where, what, fix.</summary>
public sealed class ConfigErrorTests
{
    // Lines of a pipeline begin at line 8.
    [Theory]
    [InlineData(
        "windw: 24h",
        8,
        "'windw' is not a setting of 'pipelines.orders'",
        "did you mean 'window'?"
    )]
    [InlineData("maxFuture: 1h", 8, "'maxFuture' is not a setting", "did you mean 'max-future'?")]
    [InlineData("zzzzzz: 1", 8, "'zzzzzz' is not a setting", "known here: input, clean")]
    [InlineData("membership: static", 8, "'membership' is not a setting", "it belongs to")]
    [InlineData(
        "window: 24",
        8,
        "'pipelines.orders.window' is '24', which is no duration",
        "100ms, 30s, 15m, 24h, 7d"
    )]
    [InlineData("window: 1.5.2h", 8, "which is no duration", "write a number with a unit")]
    [InlineData("window: [1h]", 8, "is a list, which is no duration", "write a number with a unit")]
    [InlineData("window:", 8, "is nothing, which is no duration", "write a number with a unit")]
    [InlineData("window: 0s", 8, "out of its range", "1s to 3660d")]
    [InlineData("window: 11000d", 8, "out of its range", "1s to 3660d")]
    [InlineData("window: 1h\ngrace: 7h", 9, "more than 6 windows of 1h", "write at most 6h")]
    [InlineData(
        "window: 1h\nmax-future: 16m",
        9,
        "more than a quarter of the window of 1h",
        "write at most 15m"
    )]
    [InlineData(
        "late: forwrd",
        8,
        "which is not one of forward, quarantine, drop",
        "write 'forward'"
    )]
    [InlineData(
        "late: 7",
        8,
        "which is not one of forward, quarantine, drop",
        "the default is forward"
    )]
    [InlineData(
        "start: yesterday",
        8,
        "'pipelines.orders.start' is 'yesterday'",
        "earliest, latest, or an ISO 8601 time"
    )]
    [InlineData("start: 2026-01-31T12:00:00", 8, "'pipelines.orders.start'", "with its zone")]
    [InlineData(
        "partitioning: byinput",
        8,
        "which is not one of by-input, by-id",
        "write 'by-input'"
    )]
    [InlineData("repartition: { partitions: 0 }", 8, "out of its range", "1 to 10_000")]
    [InlineData("idle-timeout: 1ms", 8, "out of its range", "1s")]
    [InlineData(
        "quarantine: orders",
        8,
        "input and quarantine of pipeline 'orders' are the same topic 'orders'",
        "a topic of its own"
    )]
    [InlineData(
        "duplicates: orders.clean",
        8,
        "clean and duplicates of pipeline 'orders' are the same topic",
        "orders.duplicates"
    )]
    [InlineData(
        "duplicates: dedup-orders-changelog",
        8,
        "duplicates and changelog",
        "choose another topic"
    )]
    [InlineData("duplicates: 'a b'", 8, "cannot be the name of a topic", "letters, digits")]
    [InlineData("duplicates: ''", 8, "'pipelines.orders.duplicates' is ''", "name of a topic")]
    [InlineData("accept-loss: true", 8, "'accept-loss' is not a setting", "--accept-loss")]
    [InlineData("input: other", 8, "'input' is set twice, first in line 5", "keep one")]
    [InlineData(
        "quota: {}",
        8,
        "'pipelines.orders.quota' limits tenants, and nothing says what tenant a record has",
        "scope: { tenant: { header: tenant-id } }"
    )]
    [InlineData(
        "duplicates: !include x",
        8,
        "the YAML tag '!include' means nothing here",
        "take it out"
    )]
    [InlineData(
        "duplicates: *nowhere",
        8,
        "the alias '*nowhere' names no anchor",
        "set the anchor"
    )]
    [InlineData(
        "duplicates: ${MISSING}",
        8,
        "the environment variable MISSING is not set",
        "${MISSING:-default}"
    )]
    [InlineData("duplicates: ${MISSING", 8, "'${' without its '}'", "$${")]
    [InlineData(
        "duplicates: ${1x}",
        8,
        "is not the name of an environment variable",
        "letters, digits"
    )]
    [InlineData("? [a]\n: b", 8, "a name has to be plain text", "name: value")]
    public void Pipeline(string lines, int line, string what, string fix)
    {
        ConfigResult result = Load.Text(Load.WithPipelineLines(lines));
        result.Findings.ShouldSay($"dedup.yaml:{line}", what, fix);
        result.Config.ShouldBeNull();
    }

    [Theory]
    [InlineData("lanes: 0", "'lanes' is '0', out of its range", "1 to 256")]
    [InlineData("lanes: two", "'lanes' is 'two', which is no count", "1_000_000")]
    [InlineData("lanes: 2.5", "which is no count", "a whole number")]
    [InlineData("lane: 2", "'lane' is not a setting of the configuration", "did you mean 'lanes'?")]
    [InlineData("membership: dynamik", "not one of static, dynamic", "write 'dynamic'")]
    [InlineData(
        "commit: { interval: 1d }",
        "'commit.interval' is '1d', out of its range",
        "1ms to 30s"
    )]
    [InlineData(
        "commit: { intervall: 1s }",
        "'intervall' is not a setting of 'commit'",
        "did you mean 'interval'?"
    )]
    [InlineData(
        "commit: { max-records: 0 }",
        "'commit.max-records' is '0', out of its range",
        "1 to 10_000_000"
    )]
    [InlineData(
        "commit: { max-bytes: 1B }",
        "'commit.max-bytes' is '1B', out of its range",
        "64KiB to 1GiB"
    )]
    [InlineData(
        "commit: 100ms",
        "'commit' is '100ms', not a mapping",
        "interval, max-records, max-bytes"
    )]
    [InlineData("state: { memory: 512 }", "'state.memory' is '512', which is no size", "512MiB")]
    [InlineData(
        "state: { memory: 1MiB }",
        "'state.memory' is '1MiB', out of its range",
        "64MiB to 1TiB"
    )]
    [InlineData(
        "state: { dir: x }",
        "'dir' is not a setting of 'state'",
        "known here: directory, memory"
    )]
    [InlineData("scope: {}", "'scope' is not a setting of the configuration", "it belongs to")]
    public void Process(string line, string what, string fix) =>
        Load.Text(Load.Minimal + "\n" + line + "\n").Findings.ShouldSay("dedup.yaml:8", what, fix);

    [Theory]
    [InlineData(
        "boostrap.servers: x",
        "is not a property of librdkafka",
        "did you mean 'bootstrap.servers'?"
    )]
    [InlineData("nothing.like.it.there: x", "is not a property of librdkafka", "CONFIGURATION.md")]
    [InlineData("client.id: [a]", "'kafka.client.id' is a list", "give one value")]
    [InlineData("bootstrap: { servers: x }", "'kafka.bootstrap.servers' is set twice", "keep one")]
    public void Kafka(string property, string what, string fix) =>
        Load.Text(
                Load.Minimal.Replace(
                    "pipelines:",
                    $"  {property}\npipelines:",
                    StringComparison.Ordinal
                )
            )
            .Findings.ShouldSay("dedup.yaml:3", what, fix);

    public static TheoryData<string> Guarded => [.. GuardedProperties.Names];

    [Theory]
    [MemberData(nameof(Guarded))]
    public void A_property_that_carries_the_guarantee_is_refused_with_the_reason(string property) =>
        Load.Text(
                Load.Minimal.Replace(
                    "pipelines:",
                    $"  {property}: 0\npipelines:",
                    StringComparison.Ordinal
                )
            )
            .Findings.ShouldSay(
                "dedup.yaml:3",
                GuardedProperties.ReasonFor(property)!,
                "take it out"
            );

    [Theory]
    [InlineData("", "dedup.yaml", "the file is empty", "kafka and pipelines")]
    [InlineData("a: [", "dedup.yaml:2", "not valid YAML", "syntax")]
    [InlineData(
        "just text",
        "dedup.yaml:1",
        "the configuration is 'just text', not a mapping",
        "name: value"
    )]
    [InlineData(
        "kafka: { bootstrap.servers: x }",
        "dedup.yaml:1",
        "'pipelines' is missing",
        "input, clean, id, window"
    )]
    [InlineData(
        "kafka: { bootstrap.servers: x }\npipelines: {}",
        "dedup.yaml:2",
        "'pipelines' names none",
        "a name for each"
    )]
    [InlineData(
        "kafka: { bootstrap.servers: x }\npipelines: x",
        "dedup.yaml:2",
        "'pipelines' is 'x', not a mapping",
        "a name for each"
    )]
    [InlineData(
        "pipelines: { o: { input: a, clean: b, id: key } }",
        "dedup.yaml:1",
        "'kafka.bootstrap.servers' is missing",
        "host:port"
    )]
    [InlineData(
        "kafka: x\npipelines: {}",
        "dedup.yaml:1",
        "'kafka' is 'x', not a mapping",
        "librdkafka properties"
    )]
    [InlineData(
        "kafka: { bootstrap.servers: x }\npipelines:\n  o: {}",
        "dedup.yaml:3",
        "'pipelines.o.input' is missing",
        "name of a topic"
    )]
    [InlineData(
        "kafka: { bootstrap.servers: x }\npipelines:\n  o: {}",
        "dedup.yaml:3",
        "'pipelines.o.id' is missing",
        "add 'id:'"
    )]
    [InlineData(
        "kafka: { bootstrap.servers: x }\npipelines:\n  'a b': { input: a, clean: b, id: key }",
        "dedup.yaml:3",
        "'a b' cannot be the name of a pipeline",
        "letters, digits"
    )]
    [InlineData("a: 1\n---\nb: 2", "dedup.yaml:2", "a second YAML document", "keep one")]
    public void File(string yaml, string where, string what, string fix) =>
        Load.Text(yaml).Findings.ShouldSay(where, what, fix);

    [Theory]
    [InlineData("{ hedaer: x }", "unknown 'hedaer'", "did you mean 'header'?")]
    [InlineData("{ json: 'event_id' }", "'event_id' is no path", "$")]
    [InlineData("[key, key]", "stands there twice", "keep one")]
    [InlineData(
        "{ header: x }",
        "with 'id: header:x' the partitioning has to be chosen",
        "partitioning: by-input"
    )]
    [InlineData(
        "{ content: { bucket: 13h } }",
        "a bucket of 13h does not fit twice into the window of 24h",
        "write a bucket of at most 12h"
    )]
    [InlineData("", "'pipelines.orders.id' is nothing", "`key`")]
    public void Recipe(string id, string what, string fix) =>
        Load.Text(Load.Minimal.Replace("id: key", $"id: {id}", StringComparison.Ordinal))
            .Findings.ShouldSay("dedup.yaml:7", what, fix);

    [Theory]
    [InlineData("scope: { tenat: key }", 8, "unknown 'tenat'", "did you mean 'tenant'?")]
    [InlineData("json:\n  max-depth: 0", 9, "json.max-depth", "1 to 512")]
    [InlineData("json:\n  max-dept: 1", 9, "unknown 'max-dept'", "did you mean 'max-depth'?")]
    [InlineData("fingerprint: paylod", 8, "unknown 'paylod'", "did you mean 'payload'?")]
    public void Scope_and_limits(string lines, int line, string what, string fix) =>
        Load.Text(Load.WithPipelineLines(lines))
            .Findings.ShouldSay($"dedup.yaml:{line}", what, fix);

    [Fact]
    public void Pipelines_that_write_to_the_same_clean_topic_are_refused() =>
        Load.Text(
                Load.Minimal
                    + "\n  again:\n    input: others\n    clean: orders.clean\n    id: key\n"
            )
            .Findings.ShouldSay(
                "dedup.yaml:10",
                "pipelines 'orders' and 'again' both write to 'orders.clean'",
                "of its own"
            );

    [Fact]
    public void A_pipeline_that_reads_anothers_changelog_is_refused() =>
        Load.Text(
                Load.Minimal
                    + "\n  again:\n    input: dedup-orders-changelog\n    clean: x\n    id: key\n"
            )
            .Findings.ShouldSay(
                "dedup.yaml:9",
                "is the changelog of pipeline 'orders'",
                "producers write to"
            );

    [Fact]
    public void Everything_is_said_at_once_in_the_order_of_lines()
    {
        ConfigResult result = Load.Text(
            Load.Minimal.Replace(
                "pipelines:",
                "  acks: 1\nlanes: 0\npipelines:",
                StringComparison.Ordinal
            ) + "\n    late: x\n    windw: 1h\n"
        );
        result
            .Findings.Select(static f => f.Where)
            .ShouldBe(["dedup.yaml:3", "dedup.yaml:4", "dedup.yaml:10", "dedup.yaml:11"]);
    }

    [Fact]
    public void A_finding_is_one_line() =>
        new Finding(Severity.Error, "f:1", "a\nb", "c\r\nd")
            .ToString()
            .ShouldBe("f:1: error: a b; fix: c d");

    [Fact]
    public void What_a_variable_holds_is_not_printed()
    {
        ConfigResult result = Load.Text(
            Load.WithPipelineLines("late: ${SECRET}\nwindow: ${OTHER:-hush}"),
            ("SECRET", "hush")
        );
        result.Findings.Length.ShouldBe(2);
        string.Join('\n', result.Findings).ShouldNotContain("hush");
        result.Findings.ShouldSay("dedup.yaml:8", "'${SECRET}'", "forward");
    }

    [Fact]
    public void Options_are_named_in_their_errors()
    {
        ConfigResult result = FlagConfig.Load(
            new PipelineFlags
            {
                Input = "a",
                Clean = "a",
                Id = "key",
                Window = "x",
                Kafka = ["password", "acks=1"],
            },
            static _ => null
        );
        result.Findings.ShouldSay("--window", "which is no duration", "24h");
        result.Findings.ShouldSay("--clean", "the same topic 'a'", "a topic of its own");
        result.Findings.ShouldSay("--kafka", "not of the form NAME=VALUE", "--kafka");
        result.Findings.ShouldSay("--kafka", "'kafka.acks' belongs to Dedup", "take it out");
        result.Findings.ShouldSay(
            "command line",
            "'kafka.bootstrap.servers' is missing",
            "--bootstrap"
        );
        result.Findings.ShouldSay(
            "command line",
            "neither XDG_STATE_HOME nor HOME",
            "state.directory"
        );
        string.Join('\n', result.Findings).ShouldNotContain("password");
    }

    [Theory]
    [InlineData("/no/such/file.yaml", "there is no such file")]
    [InlineData("/", "cannot be read")]
    public void A_file_that_cannot_be_read_is_said(string path, string what)
    {
        ConfigResult result = ConfigLoader.LoadFile(path, static _ => null);
        result.NothingRead.ShouldBeTrue();
        result.Findings.Single().Where.ShouldBe(path);
        result.Findings.Single().What.ShouldContain(what);
    }

    [Fact]
    public void A_billion_laughs_end_early()
    {
        string yaml = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
        for (int i = 1; i < 10; i++)
        {
            yaml += $"a{i}: &a{i} [{string.Join(',', Enumerable.Repeat($"*a{i - 1}", 10))}]\n";
        }

        Load.Text(yaml)
            .Findings.ShouldContain(static f =>
                f.What.Contains("aliases expanded", StringComparison.Ordinal)
            );
    }

    [Fact]
    public void Deep_nesting_ends_early() =>
        Load.Text("a: " + new string('[', 200) + new string(']', 200))
            .Findings.ShouldSay("dedup.yaml:1", "nested too deeply", "plainly");
}
