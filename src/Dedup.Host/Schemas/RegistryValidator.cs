using Dedup.Contracts.Identity;
using Dedup.Kafka.Running;
using Dedup.Topology.Ports;
using Dedup.Topology.Records;

namespace Dedup.Host.Schemas;

/// <summary>Validates payloads of one pipeline against the JSON Schema that each names, out of a schema registry.</summary>
internal sealed class RegistryValidator : IPayloadValidator, IDisposable
{
    private readonly string _pipeline;
    private readonly string _consequence;
    private readonly Action<RuntimeEvent> _log;
    private readonly RegistryClient _registry;
    private readonly SchemaCache _cache;
    private int _isAway;

    /// <summary>Makes a validator; nothing is asked before the first record.</summary>
    /// <param name="pipeline">Name of the pipeline, for messages.</param>
    /// <param name="settings">Where the registry is, and what happens while it is away.</param>
    /// <param name="log">Hears when the registry goes away and comes back, and of schemas that cannot be used.</param>
    /// <param name="time">Clock.</param>
    public RegistryValidator(
        string pipeline,
        ValidationSettings settings,
        Action<RuntimeEvent> log,
        TimeProvider time
    )
    {
        _pipeline = pipeline;
        _consequence = settings.ForwardsUnchecked
            ? "payloads go on unchecked, counted as unchecked"
            : "payloads with schemas not yet known go to quarantine as schema-unavailable";
        _log = log;
        _registry = new RegistryClient(settings.Registry);
        _cache = new SchemaCache(
            (name, cancellation) => SchemaLookup.FetchAsync(_registry, name, cancellation),
            Settled,
            time
        );
    }

    /// <inheritdoc/>
    public Reason Check(in RecordView record)
    {
        if (record.ValueIsNull)
        {
            return Reason.None;
        }

        if (!SchemaName.TryRead(record, out SchemaName name, out ReadOnlySpan<byte> json))
        {
            return Reason.SchemaInvalid;
        }

        SchemaFound found = _cache.Get(name);
        return found.State switch
        {
            SchemaState.Usable => found.Schema!.Check(json),
            SchemaState.NotJson => Reason.None,
            SchemaState.NotThere => Reason.SchemaInvalid,
            _ => Reason.SchemaUnavailable,
        };
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _cache.Dispose();
        _registry.Dispose();
    }

    private void Settled(SchemaName name, SchemaFound found)
    {
        if (found.State == SchemaState.Away)
        {
            if (Interlocked.Exchange(ref _isAway, 1) == 0)
            {
                Say(
                    EventLevel.Warning,
                    "schema-registry.away",
                    $"schema registry {_registry.Name}: {found.Detail}; until it is back {_consequence}"
                );
            }

            return;
        }

        if (Interlocked.Exchange(ref _isAway, 0) == 1)
        {
            Say(
                EventLevel.Info,
                "schema-registry.back",
                $"schema registry {_registry.Name} is back"
            );
        }

        if (found.State == SchemaState.Unusable)
        {
            Say(
                EventLevel.Error,
                "schema.unusable",
                $"schema {name} cannot be used: {found.Detail}; its payloads count as if the registry were away"
            );
        }
        else if (found.Schema is { NotChecked.Count: > 0 } schema)
        {
            Say(
                EventLevel.Warning,
                "schema.not-checked",
                $"schema {name} uses {string.Join(", ", schema.NotChecked)}, which is not checked"
            );
        }
    }

    private void Say(EventLevel level, string name, string text) =>
        _log(new RuntimeEvent(level, name, _pipeline, -1, text));
}
