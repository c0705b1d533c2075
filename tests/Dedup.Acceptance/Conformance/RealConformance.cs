using Dedup.Acceptance.Brokers;
using Dedup.Simulation.Conformance;

namespace Dedup.Acceptance.Conformance;

/// <summary>The suite of the model broker, on a real Kafka through the batch transport.</summary>
public sealed class RealConformance(RealKafka kafka) : ConformanceSuite
{
    protected override IClusterUnderTest Begin() =>
        new RealClusterUnderTest(
            kafka.BootstrapServersAsync().GetAwaiter().GetResult(),
            useNative: true
        );
}
