using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Dedup.Host.Tests.Guards;
using Dedup.Host.Topics;
using Dedup.Topology.Pipelines;
using Shouldly;
using YamlDotNet.RepresentationModel;

namespace Dedup.Host.Tests.Deploy;

/// <summary>No engine runs where the tests do, so what docker-compose.yml and the Dockerfile name is looked up instead.</summary>
public sealed partial class ComposeTests
{
    private static readonly string[] Images = ["dedup"];

    private static readonly YamlMappingNode Compose = Load("docker-compose.yml");

    private static IEnumerable<(string Name, YamlMappingNode Body)> Services =>
        Map(Compose, "services")
            .Children.Select(pair => (pair.Key.ToString(), (YamlMappingNode)pair.Value));

    [Fact]
    public void The_services_are_the_pipeline_and_what_it_needs() =>
        Services.Select(service => service.Name).ShouldBe(["kafka", "topics", "dedup", "producer"]);

    [Fact]
    public void Every_dependency_is_a_service_that_can_fulfil_its_condition()
    {
        Dictionary<string, YamlMappingNode> services = Services.ToDictionary(
            service => service.Name,
            service => service.Body,
            StringComparer.Ordinal
        );
        foreach (
            (string name, YamlMappingNode body) in Services.Where(service =>
                Has(service.Body, "depends_on")
            )
        )
        {
            foreach ((YamlNode key, YamlNode value) in Map(body, "depends_on").Children)
            {
                services.ShouldContainKey(
                    key.ToString(),
                    $"{name} depends on a service that is not there"
                );
                string condition = value["condition"].ToString();
                condition.ShouldBeOneOf(
                    "service_started",
                    "service_healthy",
                    "service_completed_successfully"
                );
                if (condition == "service_healthy")
                {
                    Has(services[key.ToString()], "healthcheck")
                        .ShouldBeTrue($"{name} waits for the health of {key}, which has no check");
                }
            }
        }
    }

    [Fact]
    public void Every_mounted_file_and_volume_exists()
    {
        string[] volumes = [.. Map(Compose, "volumes").Children.Keys.Select(key => key.ToString())];
        var used = new List<string>();
        foreach (
            (string name, YamlMappingNode body) in Services.Where(service =>
                Has(service.Body, "volumes")
            )
        )
        {
            foreach (YamlNode mount in (YamlSequenceNode)body["volumes"])
            {
                string source = mount.ToString().Split(':')[0];
                if (source.StartsWith('.'))
                {
                    File.Exists(Repository.PathOf(source))
                        .ShouldBeTrue($"{name} mounts {source}, which is not there");
                }
                else
                {
                    volumes.ShouldContain(source, $"{name} uses a volume that is not declared");
                    used.Add(source);
                }
            }
        }
        used.ShouldBe(volumes, ignoreOrder: true);
    }

    [Fact]
    public void Every_image_is_built_here_or_can_be_named_from_outside()
    {
        foreach ((string name, YamlMappingNode body) in Services)
        {
            string image = body["image"].ToString();
            (
                Images.Contains(image)
                    ? Has(body, "build")
                    : image.StartsWith("${", StringComparison.Ordinal)
            ).ShouldBeTrue($"{name}: {image}");
            if (Has(body, "build"))
            {
                File.Exists(Repository.PathOf(Map(body, "build")["dockerfile"].ToString()))
                    .ShouldBeTrue();
            }
        }
    }

    [Fact]
    public void The_commands_name_only_files_that_are_mounted()
    {
        foreach (
            (string name, YamlMappingNode body) in Services.Where(service =>
                Has(service.Body, "command")
            )
        )
        {
            string[] mounted = Has(body, "volumes")
                ?
                [
                    .. ((YamlSequenceNode)body["volumes"]).Select(mount =>
                        mount.ToString().Split(':')[1]
                    ),
                ]
                : [];
            foreach (
                YamlNode word in ((YamlSequenceNode)body["command"]).Where(word =>
                    word.ToString().StartsWith('/')
                )
            )
            {
                mounted.ShouldContain(
                    word.ToString(),
                    $"{name} is started with a file that it does not have"
                );
            }
        }
    }

    [Fact]
    public void The_configuration_and_the_topics_name_the_same_topics()
    {
        YamlMappingNode pipelines = Map(Load("deploy/dedup.yaml"), "pipelines");
        (YamlNode pipeline, YamlNode body) = pipelines.Children.Single();
        string[] needed =
        [
            body["input"].ToString(),
            body["clean"].ToString(),
            body["quarantine"].ToString(),
            $"dedup-{pipeline}-changelog",
        ];
        var topics = (YamlSequenceNode)Load($"topics/{pipeline}.yaml")["topics"];
        topics.Select(topic => topic["name"].ToString()).ShouldBe(needed);
        topics
            .Select(topic => topic["partitions"].ToString())
            .Distinct()
            .Count()
            .ShouldBe(1, "a record keeps its partition");
        topics[3]["config"]["cleanup.policy"].ToString().ShouldBe("compact");
    }

    /// <summary>By-id has three topics more, and partitions of its own between the hops: 6 in the file, 4 of the input.</summary>
    [Theory]
    [InlineData("topics/orders.yaml", "")]
    [InlineData("topics/orders-by-id.yaml", "partitioning: by-id\nrepartition: { partitions: 6 }")]
    public void The_topic_files_are_what_a_pipeline_needs(string file, string lines)
    {
        PipelineSpec spec = Configuration.Load.Pipeline(
            $"quarantine: orders.quarantine\n{lines}".TrimEnd()
        );
        var inFile = ((YamlSequenceNode)Load(file)["topics"]).ToDictionary(static t =>
            t["name"].ToString()
        );
        ImmutableArray<TopicRequirement> needed = TopicRequirements.Of(spec, Facts.Topic("orders"));
        inFile
            .Keys.Except(["orders"])
            .ShouldBe(needed.Select(static n => n.Topic), ignoreOrder: true);
        foreach (TopicRequirement need in needed)
        {
            YamlNode topic = inFile[need.Topic];
            topic["partitions"].ToString().ShouldBe($"{need.Partitions}", need.Topic);
            var config = (YamlMappingNode)topic["config"];
            foreach (ConfigRequirement property in need.Configs)
            {
                if (Has(config, property.Name))
                {
                    property
                        .Accepts(config[property.Name].ToString())
                        .ShouldBeTrue($"{need.Topic} {property.Name}");
                }
                else
                {
                    // What the file leaves out is the broker's default, which has to do.
                    BrokerDefaults.TryGetValue(property.Name, out string? byDefault);
                    property
                        .Accepts(byDefault ?? "")
                        .ShouldBeTrue($"{need.Topic} does not say {property.Name}");
                }
            }
        }
    }

    /// <summary>Of Kafka 4.x, as far as a topic file leaves them out.</summary>
    private static readonly Dictionary<string, string> BrokerDefaults = new(StringComparer.Ordinal)
    {
        ["max.message.bytes"] = "1048588",
        ["cleanup.policy"] = "delete",
        ["retention.ms"] = "604800000",
        ["retention.bytes"] = "-1",
        ["min.insync.replicas"] = "1",
        ["unclean.leader.election.enable"] = "false",
    };

    [Fact]
    public void What_the_Dockerfile_copies_exists_and_its_stages_too()
    {
        string[] lines = File.ReadAllLines(Repository.PathOf("deploy/Dockerfile"));
        string[] stages =
        [
            .. lines
                .Select(line => StagePattern.Match(line))
                .Where(match => match.Success)
                .Select(match => match.Groups[1].Value),
        ];
        string[] arguments =
        [
            .. lines
                .Where(line => line.StartsWith("ARG ", StringComparison.Ordinal))
                .Select(line => line[4..].Split('=')[0]),
        ];
        foreach (string line in lines)
        {
            if (line.StartsWith("FROM ", StringComparison.Ordinal))
            {
                arguments.ShouldContain(line.Split(' ')[1].Trim('$', '{', '}'), line);
            }
            if (!line.StartsWith("COPY ", StringComparison.Ordinal))
            {
                continue;
            }
            string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1..^1];
            if (words[0].StartsWith("--from=", StringComparison.Ordinal))
            {
                stages.ShouldContain(words[0]["--from=".Length..], line);
                continue;
            }
            foreach (string word in words)
            {
                string path = Repository.PathOf(word);
                (File.Exists(path) || Directory.Exists(path)).ShouldBeTrue(
                    $"{word} is not there: {line}"
                );
            }
        }
    }

    private static YamlMappingNode Load(string file)
    {
        using var reader = new StreamReader(Repository.PathOf(file));
        var stream = new YamlStream();
        stream.Load(reader);
        return (YamlMappingNode)stream.Documents.Single().RootNode;
    }

    private static YamlMappingNode Map(YamlMappingNode node, string key) =>
        (YamlMappingNode)node[key];

    private static bool Has(YamlMappingNode node, string key) => node.Children.ContainsKey(key);

    [GeneratedRegex("^FROM .* AS ([a-z]+)$")]
    private static partial Regex StagePattern { get; }
}
