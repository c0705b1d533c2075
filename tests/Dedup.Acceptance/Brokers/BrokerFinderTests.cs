using Dedup.Host.Brokers;
using Shouldly;

namespace Dedup.Acceptance.Brokers;

public sealed class BrokerFinderTests
{
    private const string NoDocker = "Docker is not installed";

    [Fact]
    public async Task A_named_cluster_wins_over_everything() =>
        (await FindAsync("broker:9092", "/nowhere", null)).Kind.ShouldBe(BrokerKind.Running);

    [Fact]
    public async Task Docker_is_taken_when_it_answers_and_nothing_else_is_named() =>
        (await FindAsync("", "", null)).Kind.ShouldBe(BrokerKind.Docker);

    [Fact]
    public async Task Every_place_looked_at_in_vain_says_why()
    {
        BrokerSearch search = await FindAsync("", "/nowhere", NoDocker);
        search.Kind.ShouldBe(BrokerKind.None);
        search.Notes.Count.ShouldBe(3);
        search.Summary.ShouldContain("/nowhere has no bin/kafka-server-start.sh");
        search.Summary.ShouldContain(NoDocker);
    }

    [Fact]
    public void The_container_publishes_on_loopback_what_it_advertises()
    {
        string[] arguments = [.. DockerKafka.RunArguments("name", 12_345)];
        arguments.ShouldContain("127.0.0.1:12345:12345");
        arguments.ShouldContain("KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://127.0.0.1:12345");
        arguments[^1].ShouldBe(DockerKafka.Image);
    }

    private static Task<BrokerSearch> FindAsync(
        string servers,
        string home,
        string? whyDockerUnusable
    ) =>
        BrokerFinder.FindAsync(
            name => name == "KAFKA_HOME" ? home : servers,
            _ => Task.FromResult(whyDockerUnusable),
            TestContext.Current.CancellationToken
        );
}
