using Dedup.Host.Configuration;
using Dedup.Kafka.Running;
using Dedup.Topology.Pipelines;

namespace Dedup.Host.Schemas;

/// <summary>The validators of a process: one for each pipeline that validates.</summary>
internal sealed class Validators : IDisposable
{
    private readonly List<RegistryValidator> _all = [];

    /// <summary>The configuration with validators in the pipelines that want one.</summary>
    public DedupConfig Equip(DedupConfig config, Action<RuntimeEvent> log, TimeProvider time) =>
        config with
        {
            Pipelines = [.. config.Pipelines.Select(p => Equip(config, p, log, time))],
        };

    /// <inheritdoc/>
    public void Dispose() => _all.ForEach(static v => v.Dispose());

    private PipelineSpec Equip(
        DedupConfig config,
        PipelineSpec spec,
        Action<RuntimeEvent> log,
        TimeProvider time
    )
    {
        if (!config.Validation.TryGetValue(spec.Name, out ValidationSettings? settings))
        {
            return spec;
        }

        var validator = new RegistryValidator(spec.Name, settings, log, time);
        _all.Add(validator);
        return spec with { Validator = validator, ForwardsUnchecked = settings.ForwardsUnchecked };
    }
}
