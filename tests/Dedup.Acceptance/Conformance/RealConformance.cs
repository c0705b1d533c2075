using Dedup.Acceptance.Brokers;
using Dedup.Simulation.Conformance;

namespace Dedup.Acceptance.Conformance;

/// <summary><see cref="GroupScenarios"/> on a real Kafka through the batch transport.</summary>
public sealed class RealGroupScenarios(RealKafka kafka) : GroupScenarios
{
    protected override IClusterUnderTest Begin() => RealClusterUnderTest.On(kafka);
}

/// <summary><see cref="KeyScenarios"/> on a real Kafka through the batch transport.</summary>
public sealed class RealKeyScenarios(RealKafka kafka) : KeyScenarios
{
    protected override IClusterUnderTest Begin() => RealClusterUnderTest.On(kafka);
}

/// <summary><see cref="OffsetScenarios"/> on a real Kafka through the batch transport.</summary>
public sealed class RealOffsetScenarios(RealKafka kafka) : OffsetScenarios
{
    protected override IClusterUnderTest Begin() => RealClusterUnderTest.On(kafka);
}

/// <summary><see cref="SourceScenarios"/> on a real Kafka through the batch transport.</summary>
public sealed class RealSourceScenarios(RealKafka kafka) : SourceScenarios
{
    protected override IClusterUnderTest Begin() => RealClusterUnderTest.On(kafka);
}

/// <summary><see cref="TakeOverScenarios"/> on a real Kafka through the batch transport.</summary>
public sealed class RealTakeOverScenarios(RealKafka kafka) : TakeOverScenarios
{
    protected override IClusterUnderTest Begin() => RealClusterUnderTest.On(kafka);
}

/// <summary><see cref="TransactionScenarios"/> on a real Kafka through the batch transport.</summary>
public sealed class RealTransactionScenarios(RealKafka kafka) : TransactionScenarios
{
    protected override IClusterUnderTest Begin() => RealClusterUnderTest.On(kafka);
}
