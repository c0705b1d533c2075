namespace Dedup.Simulation.Conformance;

/// <summary>The suite on the model broker.</summary>
public sealed class ModelConformance : ConformanceSuite
{
    /// <inheritdoc/>
    protected override IClusterUnderTest Begin() => new ModelClusterUnderTest();
}
