using System.CommandLine;
using Dedup.Host.Brokers;
using Dedup.Host.Demo;

namespace Dedup.Host.Commands;

/// <summary><c>dedup demo</c>: the main job in under a minute.</summary>
internal static class DemoCommand
{
    public static Command Make(CliContext context)
    {
        Option<bool> mock = new("--mock")
        {
            Description = "use librdkafka's embedded mock even where there is a better broker",
        };
        var command = new ExampleCommand(
            "demo",
            "Show the main job in under a minute: 200,000 orders with 10 % duplicates, a worker killed half way, an audit. Uses KAFKA_BOOTSTRAP_SERVERS, else a broker started from KAFKA_HOME, else Docker, else librdkafka's mock; leaves nothing behind.",
            new Example("dedup demo", "with the best broker that is there"),
            new Example(
                "KAFKA_HOME=/opt/kafka dedup demo",
                "with a broker started from a Kafka distribution, and stopped again"
            ),
            new Example("dedup demo --mock", "with no broker at all")
        );
        command.Options.Add(mock);
        command.SetAction(async (parsed, _) => await Run(parsed.GetValue(mock), context));
        return command;
    }

    private static async Task<int> Run(bool mock, CliContext context)
    {
        try
        {
            return await Interruptible.RunAsync(
                stop => new DemoRunner(context, stop).RunAsync(mock),
                context,
                "nothing is left behind"
            );
        }
        catch (LocalKafkaException e)
        {
            throw new ProblemException(
                ExitCode.Usage,
                e.Message.TrimEnd('.'),
                "mend it, or run 'dedup demo --mock'",
                e
            );
        }
    }
}
