namespace Dedup.Simulation.Conformance;

/// <summary><see cref="GroupScenarios"/> on the model broker.</summary>
public sealed class ModelGroupScenarios : GroupScenarios
{
    /// <inheritdoc/>
    protected override IClusterUnderTest Begin() => new ModelClusterUnderTest();
}

/// <summary><see cref="KeyScenarios"/> on the model broker.</summary>
public sealed class ModelKeyScenarios : KeyScenarios
{
    /// <inheritdoc/>
    protected override IClusterUnderTest Begin() => new ModelClusterUnderTest();
}

/// <summary><see cref="OffsetScenarios"/> on the model broker.</summary>
public sealed class ModelOffsetScenarios : OffsetScenarios
{
    /// <inheritdoc/>
    protected override IClusterUnderTest Begin() => new ModelClusterUnderTest();
}

/// <summary><see cref="SourceScenarios"/> on the model broker.</summary>
public sealed class ModelSourceScenarios : SourceScenarios
{
    /// <inheritdoc/>
    protected override IClusterUnderTest Begin() => new ModelClusterUnderTest();
}

/// <summary><see cref="TakeOverScenarios"/> on the model broker.</summary>
public sealed class ModelTakeOverScenarios : TakeOverScenarios
{
    /// <inheritdoc/>
    protected override IClusterUnderTest Begin() => new ModelClusterUnderTest();
}

/// <summary><see cref="TransactionScenarios"/> on the model broker.</summary>
public sealed class ModelTransactionScenarios : TransactionScenarios
{
    /// <inheritdoc/>
    protected override IClusterUnderTest Begin() => new ModelClusterUnderTest();
}
