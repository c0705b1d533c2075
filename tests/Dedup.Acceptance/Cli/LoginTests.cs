using Dedup.Acceptance.Brokers;
using Dedup.Host.Brokers;
using Shouldly;

namespace Dedup.Acceptance.Cli;

/// <summary>Wrong passwords and missing rights: one line each, with the fix, and no secret in it.</summary>
public sealed class LoginTests : IDisposable
{
    private const string PlainLogin =
        "org.apache.kafka.common.security.plain.PlainLoginModule required user_alice=\"secret\";";

    private readonly string _state = Directory.CreateTempSubdirectory("dedup-login-").FullName;

    [Fact]
    public async Task A_wrong_password_and_missing_rights_are_said_with_the_fix()
    {
        await using LocalKafka broker = await RealKafka.StartOwnAsync(
            new LocalKafkaOptions
            {
                HeapMiB = 256,
                ExtraListeners = [new ExtraListener("SASL", "SASL_PLAINTEXT", [])],
                ExtraProperties = new Dictionary<string, string>
                {
                    ["sasl.enabled.mechanisms"] = "PLAIN",
                    ["listener.name.sasl.plain.sasl.jaas.config"] = PlainLogin,
                    ["authorizer.class.name"] =
                        "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
                    ["super.users"] = "User:ANONYMOUS",
                },
            }
        );
        CliProcess
            .Run(["topics", .. Pipeline(broker.BootstrapServers), "--partitions", "1", "--apply"])
            .Code.ShouldBe(0);
        string[] login =
        [
            .. Pipeline(broker.BootstrapServersOf("SASL")),
            "--kafka",
            "security.protocol=SASL_PLAINTEXT",
            "--kafka",
            "sasl.mechanism=PLAIN",
            "--kafka",
            "sasl.username=alice",
        ];

        (int code, string output, _) = CliProcess.Run([
            "check",
            .. login,
            "--kafka",
            "sasl.password=hush-hush",
        ]);
        code.ShouldBe(1);
        output.ShouldContain("the broker refuses the login");
        output.ShouldContain("fix: check sasl.username, sasl.password, and sasl.mechanism");
        output.ShouldNotContain("hush-hush");

        (code, _, string error) = CliProcess.Run([
            "run",
            .. login,
            "--kafka",
            "sasl.password=secret",
        ]);
        code.ShouldBe(2);
        error.ShouldContain("input topic 'in' may not be seen");
        error.ShouldContain("changelog topic 'dedup-in-changelog' may not be seen");
        error.ShouldContain("this user may not READ consumer group 'dedup-in'");
        error.ShouldContain("this user may not use the transactional ids 'dedup-in-*'");
        error
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .ShouldAllBe(static l => l.Contains("; fix: allow ", StringComparison.Ordinal));
    }

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(_state, recursive: true);

    private string[] Pipeline(string bootstrap) =>
        [
            "--bootstrap",
            bootstrap,
            "--input",
            "in",
            "--clean",
            "out",
            "--id",
            "key",
            "--state",
            _state,
        ];
}
