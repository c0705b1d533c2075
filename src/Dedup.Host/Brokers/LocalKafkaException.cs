namespace Dedup.Host.Brokers;

/// <summary>A local broker could not be started; the message says which node and why, with the end of its log.</summary>
public sealed class LocalKafkaException : Exception
{
    private const int MaxLogCharacters = 2_000;

    internal LocalKafkaException(string message)
        : base(message) { }

    /// <summary>There is no distribution or no Java: nothing was tried.</summary>
    public bool NothingToStart { get; init; }

    /// <summary>Another process took one of the ports: worth another try with others.</summary>
    public bool PortTaken => Message.Contains("Address already in use", StringComparison.Ordinal);

    internal static LocalKafkaException ForNode(LocalKafkaNode node, string whatHappened)
    {
        string log = File.Exists(node.LogFile) ? File.ReadAllText(node.LogFile) : "";
        string end = log.Length > MaxLogCharacters ? "…" + log[^MaxLogCharacters..] : log;
        return new LocalKafkaException(
            $"Kafka node {node.Id} {whatHappened}; its log ends:\n{end.TrimEnd()}"
        );
    }
}
