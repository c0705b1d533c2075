using System.Runtime.InteropServices;
using Confluent.Kafka;
using Dedup.Host.Configuration;

namespace Dedup.Host.Tests.Configuration;

/// <summary>The list of names agrees with the library that is loaded.</summary>
public sealed class KafkaPropertyTests
{
    [Fact]
    public void Every_listed_property_is_known_to_librdkafka_and_nothing_is_missing()
    {
        // Confluent.Kafka finds and loads the library; the same file is then asked.
        Library.Version.ShouldBeGreaterThan(0);
        HashSet<string> known = Dump();
        known.Count.ShouldBeGreaterThan(100);
        string[] missing =
        [
            .. known.Where(static n => !KafkaPropertyNames.All.Contains(n) && !IsCallback(n)),
        ];
        missing.ShouldBeEmpty("librdkafka knows them, KafkaPropertyNames does not");
    }

    [Theory]
    [InlineData("ssl.key.password")]
    [InlineData("sasl.oauthbearer.client.secret")]
    [InlineData("sasl.jaas.config")]
    [InlineData("some.TOKEN")]
    public void Secrets_are_known_by_their_names(string name) =>
        KafkaReader.IsSecretName(name).ShouldBeTrue();

    // Set in code, or the library's own business (it hides the second line from its documentation).
    private static bool IsCallback(string name) =>
        name.EndsWith("_cb", StringComparison.Ordinal)
        || name
            is "opaque"
                or "interceptors"
                or "default_topic_conf"
                or "enabled_events"
                or "builtin.features"
        || name
            is "client.software.name"
                or "metadata.request.timeout.ms"
                or "enable.sparse.connections"
                or "enable_sasl_queue"
        || name.StartsWith("test.mock.", StringComparison.Ordinal);

    private static HashSet<string> Dump()
    {
        nint conf = NativeMethods.ConfNew();
        nint list = NativeMethods.ConfDump(conf, out nint count);
        var names = new HashSet<string>();
        for (nint i = 0; i < count; i += 2)
        {
            names.Add(Marshal.PtrToStringUTF8(Marshal.ReadIntPtr(list, (int)i * nint.Size))!);
        }

        NativeMethods.DumpFree(list, count);
        NativeMethods.ConfDestroy(conf);
        return names;
    }

    private static class NativeMethods
    {
        [DllImport("librdkafka", EntryPoint = "rd_kafka_conf_new")]
        internal static extern nint ConfNew();

        [DllImport("librdkafka", EntryPoint = "rd_kafka_conf_dump")]
        internal static extern nint ConfDump(nint conf, out nint count);

        [DllImport("librdkafka", EntryPoint = "rd_kafka_conf_dump_free")]
        internal static extern void DumpFree(nint list, nint count);

        [DllImport("librdkafka", EntryPoint = "rd_kafka_conf_destroy")]
        internal static extern void ConfDestroy(nint conf);
    }
}
