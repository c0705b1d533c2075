namespace Dedup.Host.Brokers;

/// <summary>How a stock Kafka distribution is started as child processes. Every value has a default that suits tests and the demo.</summary>
public sealed record LocalKafkaOptions
{
    /// <summary>Folder of the distribution (the one with bin/ and libs/). Default: the environment's KAFKA_HOME.</summary>
    public string? KafkaHome { get; init; }

    /// <summary>Brokers in the cluster, each also a KRaft voter. Default 1; 3 is the smallest cluster that survives the loss of a node.</summary>
    public int Nodes { get; init; } = 1;

    /// <summary>Heap of each node in MiB. Default 512: enough for a million records in flight; benchmarks take 1024 and more.</summary>
    public int HeapMiB { get; init; } = 512;

    /// <summary>JVM flags in place of the distribution's own. Default: its G1 settings, without JMX and GC logs.</summary>
    public string JvmFlags { get; init; } =
        "-server -XX:+UseG1GC -XX:MaxGCPauseMillis=20 -Xshare:auto -Djava.awt.headless=true";

    /// <summary>Lines for server.properties; they win over the defaults of <see cref="ServerProperties"/>.</summary>
    public IReadOnlyDictionary<string, string> ExtraProperties { get; init; } =
        new Dictionary<string, string>();

    /// <summary>Further client listeners, e.g. one whose advertised port belongs to a proxy, or one with SASL.</summary>
    public IReadOnlyList<ExtraListener> ExtraListeners { get; init; } = [];

    /// <summary>Longest time until the whole cluster answers. Default 60 s: three JVMs on two busy cores took 15 s.</summary>
    public TimeSpan StartTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Parent of the temporary directory. Default: the system's. A small tmpfs here makes a full disk.</summary>
    public string? TemporaryRoot { get; init; }
}

/// <summary>A client listener beside the plain one.</summary>
/// <remarks>
/// With a password, tried: protocol SASL_PLAINTEXT under the name SASL, and the properties sasl.enabled.mechanisms=PLAIN and
/// listener.name.sasl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_alice="secret";
/// For missing rights also authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer and super.users=User:ANONYMOUS
/// (the plain listener, which the nodes use among themselves, stays allowed everything).
/// </remarks>
/// <param name="Name">Listener name, upper case letters, e.g. TOXIC.</param>
/// <param name="Protocol">PLAINTEXT, SASL_PLAINTEXT, SSL, or SASL_SSL; what it needs goes into <see cref="LocalKafkaOptions.ExtraProperties"/>.</param>
/// <param name="AdvertisedPorts">One port for each node that clients are told, e.g. those of a proxy; empty: the real ones.</param>
public sealed record ExtraListener(
    string Name,
    string Protocol,
    IReadOnlyList<int> AdvertisedPorts
);
