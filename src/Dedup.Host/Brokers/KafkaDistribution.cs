namespace Dedup.Host.Brokers;

/// <summary>What has to be known about a stock Kafka distribution's folder.</summary>
internal static class KafkaDistribution
{
    /// <summary>Null when the distribution can be started here, else the reason in one line.</summary>
    public static string? WhyUnusable(string home)
    {
        if (home.Length == 0)
        {
            return "KAFKA_HOME is not set";
        }
        if (!File.Exists(Path.Combine(home, "bin", "kafka-server-start.sh")))
        {
            return $"KAFKA_HOME={home} has no bin/kafka-server-start.sh; name the folder of an unpacked Kafka distribution";
        }
        return FindJava() is null
            ? $"KAFKA_HOME={home} is there but Java is not; install a JRE of version 17 or later, or set JAVA_HOME"
            : null;
    }

    /// <summary>The switch that makes Kafka 3 (log4j 1) and Kafka 4 (log4j 2) log to stdout only.</summary>
    public static string LogOptions(string directory) =>
        $"-Dlog4j2.configurationFile={Path.Combine(directory, "log4j2.properties")} -Dlog4j.configuration=file:{Path.Combine(directory, "log4j.properties")}";

    public static void WriteLogConfiguration(string directory)
    {
        File.WriteAllText(
            Path.Combine(directory, "log4j2.properties"),
            """
            status=error
            rootLogger.level=info
            rootLogger.appenderRef.out.ref=OUT
            appender.out.type=Console
            appender.out.name=OUT
            appender.out.layout.type=PatternLayout
            appender.out.layout.pattern=%d{ISO8601} %p %m (%c)%n

            """
        );
        File.WriteAllText(
            Path.Combine(directory, "log4j.properties"),
            """
            log4j.rootLogger=INFO, OUT
            log4j.appender.OUT=org.apache.log4j.ConsoleAppender
            log4j.appender.OUT.layout=org.apache.log4j.PatternLayout
            log4j.appender.OUT.layout.ConversionPattern=%d{ISO8601} %p %m (%c)%n

            """
        );
    }

    private static string? FindJava()
    {
        string? javaHome = Environment.GetEnvironmentVariable("JAVA_HOME");
        if (!string.IsNullOrEmpty(javaHome))
        {
            // Kafka's scripts take JAVA_HOME without looking further, so a wrong one must not be overlooked here.
            string java = Path.Combine(javaHome, "bin", "java");
            return File.Exists(java) ? java : null;
        }
        string path = Environment.GetEnvironmentVariable("PATH") ?? "";
        return path.Split(':')
            .Select(folder => Path.Combine(folder, "java"))
            .FirstOrDefault(File.Exists);
    }
}
