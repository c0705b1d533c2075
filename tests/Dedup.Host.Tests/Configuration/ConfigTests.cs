using Dedup.Host.Configuration;
using Dedup.Topology.Pipelines;

namespace Dedup.Host.Tests.Configuration;

public sealed class ConfigTests
{
    [Fact]
    public void Minimal_file_gets_every_default()
    {
        DedupConfig config = Load.Good(Load.Minimal);
        config.Kafka["bootstrap.servers"].ShouldBe("localhost:9092");
        config.State.Directory.ShouldBe("/home/user/.local/state/dedup");
        config.State.MemoryBytes.ShouldBe(512L << 20);
        config.Lanes.ShouldBe(Environment.ProcessorCount);
        config.Commit.ShouldBe(new CommitSettings(100, 32_768, 64L << 20));
        config.Membership.ShouldBe(Membership.Static);
        PipelineSpec orders = config.Pipelines.Single();
        orders.Name.ShouldBe("orders");
        orders.Quarantine.ShouldBe("orders.quarantine");
        orders.Duplicates.ShouldBeNull();
        orders.Group.ShouldBe("dedup-orders");
        orders.Changelog.ShouldBe("dedup-orders-changelog");
        orders.Windows.Single().WindowMs.ShouldBe(86_400_000);
        orders.Windows.Single().GraceMs.ShouldBe(86_400_000);
        orders.MaxFutureMs.ShouldBe(3_600_000);
        orders.Late.ShouldBe(LatePolicy.Forward);
        orders.Start.ShouldBe(new StartAt(StartKind.Earliest));
        orders.AcceptLoss.ShouldBeFalse();
    }

    [Fact]
    public void The_whole_of_the_documented_example_is_read()
    {
        DedupConfig config = Load.Good(
            """
            kafka:                         # any librdkafka property
              bootstrap.servers: localhost:9092
              security.protocol: SASL_SSL
              sasl.password: ${PW}
            state:
              directory: /var/lib/dedup
              memory: 1GiB
            lanes: 2
            commit: { interval: 50ms, max-records: 1_000, max-bytes: 1MiB }
            membership: dynamic
            pipelines:
              orders:
                input: orders
                clean: orders.clean
                quarantine: orders.bad
                duplicates: orders.again
                id: key
                window: 7d
                grace: 1h
                max-future: 30m
                late: drop
                start: 2026-01-31T12:00:00Z
                partitioning: by-input
            """,
            ("PW", "hush")
        );
        config.State.ShouldBe(new StateSettings("/var/lib/dedup", 1L << 30));
        config.Lanes.ShouldBe(2);
        config.Commit.ShouldBe(new CommitSettings(50, 1000, 1 << 20));
        config.Membership.ShouldBe(Membership.Dynamic);
        PipelineSpec orders = config.Pipelines.Single();
        orders.Quarantine.ShouldBe("orders.bad");
        orders.Duplicates.ShouldBe("orders.again");
        orders.Windows.Single().WindowMs.ShouldBe(7L * 86_400_000);
        orders.Windows.Single().GraceMs.ShouldBe(3_600_000);
        orders.MaxFutureMs.ShouldBe(1_800_000);
        orders.Late.ShouldBe(LatePolicy.Drop);
        orders.Start.ShouldBe(new StartAt(StartKind.Timestamp, 1_769_860_800_000));
        config.Kafka["sasl.password"].ShouldBe("hush");
        config.PlaceOf("pipelines.orders.window").ToString().ShouldBe("dedup.yaml:18");
    }

    [Fact]
    public void Max_future_is_at_most_a_quarter_of_a_short_window() =>
        Load.Pipeline("window: 1m").MaxFutureMs.ShouldBe(15_000);

    [Fact]
    public void Several_pipelines_keep_their_order()
    {
        DedupConfig config = Load.Good(
            Load.Minimal
                + "\n  b:\n    input: b\n    clean: b.clean\n    id: key\n  a:\n    input: a\n    clean: a.clean\n    id: key\n"
        );
        config.Pipelines.Select(static p => p.Name).ShouldBe(["orders", "b", "a"]);
    }

    [Fact]
    public void Xdg_state_home_goes_before_home()
    {
        StateDirectory
            .Default(n => n == "XDG_STATE_HOME" ? "/xdg" : "/home/user")
            .ShouldBe("/xdg/dedup");
        StateDirectory
            .Default(n => n == "XDG_STATE_HOME" ? "relative" : "/home/user")
            .ShouldBe("/home/user/.local/state/dedup");
        StateDirectory.Default(static _ => null).ShouldBeNull();
    }

    [Fact]
    public void A_relative_state_directory_is_relative_to_the_file()
    {
        ConfigResult result = ConfigLoader.LoadText(
            "/etc/dedup/dedup.yaml",
            Load.Minimal + "\nstate: { directory: data }\n",
            static _ => null
        );
        result.Config.ShouldNotBeNull().State.Directory.ShouldBe("/etc/dedup/data");
    }

    [Fact]
    public void Secrets_are_masked_in_every_print()
    {
        DedupConfig config = Load.Good(
            """
            kafka:
              bootstrap.servers: ${B}
              sasl.username: me
              sasl.password: written
              sasl.oauthbearer.client.secret: written
              ssl.key.pem: written
            pipelines: { o: { input: i, clean: c, id: key } }
            """,
            ("B", "from-variable:9092")
        );
        string printed = string.Join('\n', config.Kafka.Properties) + config;
        printed.ShouldNotContain("written");
        printed.ShouldNotContain("from-variable");
        printed.ShouldContain("sasl.username=me");
    }

    [Fact]
    public void Variables_are_put_in_and_never_change_the_structure()
    {
        DedupConfig config = Load.Good(
            """
            kafka: { bootstrap.servers: "${HOST:-localhost}:${PORT:-9092}", client.id: "$${literal}" }
            pipelines: { o: { input: "${IN}", clean: c, id: key, window: "${W:-2h}" } }
            """,
            ("IN", "topic"),
            ("HOST", "broker")
        );
        config.Kafka["bootstrap.servers"].ShouldBe("broker:9092");
        config.Kafka["client.id"].ShouldBe("${literal}");
        config.Pipelines.Single().Input.ShouldBe("topic");
        config.Pipelines.Single().Windows.Single().WindowMs.ShouldBe(7_200_000);
    }

    [Fact]
    public void Flags_make_the_same_configuration_as_a_file()
    {
        ConfigResult result = FlagConfig.Load(
            new PipelineFlags
            {
                Bootstrap = "localhost:9092",
                Input = "orders",
                Clean = "orders.clean",
                Id = "key",
                Window = "7d",
                State = "/tmp/state",
                Kafka = ["security.protocol=PLAINTEXT"],
            },
            static _ => null
        );
        result.Findings.ShouldBeEmpty();
        DedupConfig config = result.Config.ShouldNotBeNull();
        config.Pipelines.Single().Name.ShouldBe("orders");
        config.Pipelines.Single().Windows.Single().WindowMs.ShouldBe(7L * 86_400_000);
        config.State.Directory.ShouldBe("/tmp/state");
        config.Kafka["security.protocol"].ShouldBe("PLAINTEXT");
    }

    [Theory]
    [InlineData("key", "key")]
    [InlineData("header:Idempotency-Key | key", "header:Idempotency-Key | key")]
    [InlineData("json:$.event_id", "json:$.event_id")]
    public void Recipes_of_the_command_line(string text, string canonical)
    {
        ConfigResult result = FlagConfig.Load(
            new PipelineFlags
            {
                Bootstrap = "b",
                Input = "i",
                Clean = "c",
                Id = text,
                Partitioning = "by-input",
                State = "/s",
            },
            static _ => null
        );
        result.Findings.ShouldBeEmpty();
        result.Config!.Pipelines[0].Recipe.Text.ShouldBe(canonical);
    }

    [Fact]
    public void Recipes_scopes_and_json_limits_of_a_file()
    {
        PipelineSpec spec = Load.Good(
            """
            kafka: { bootstrap.servers: b }
            pipelines:
              o:
                input: i
                clean: c
                partitioning: by-input
                id:
                  - header: Idempotency-Key
                  - json: $.event_id
                scope: { tenant: { header: tenant-id }, service: { value: checkout } }
                json: { max-depth: 8, max-bytes: 64KiB }
            """
        ).Pipelines[0];
        spec.Recipe.Sources.Select(static x => x.Text)
            .ShouldBe(["header:Idempotency-Key", "json:$.event_id"]);
        spec.Recipe.Scope.ShouldNotBeNull();
    }

    [Fact]
    public void Anchors_share_values()
    {
        DedupConfig config = Load.Good(
            """
            kafka: { bootstrap.servers: b }
            pipelines:
              a: { input: a, clean: a.c, id: key, window: &w 3h }
              b: { input: b, clean: b.c, id: key, window: *w }
            """
        );
        config.Pipelines.ShouldAllBe(static p => p.Windows[0].WindowMs == 10_800_000);
    }
}
