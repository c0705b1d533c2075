namespace Dedup.Host.Schemas;

/// <summary>What is known of a schema.</summary>
internal enum SchemaState
{
    /// <summary>Payloads can be checked against it.</summary>
    Usable,

    /// <summary>It is there and is no JSON Schema: its payloads are not checked.</summary>
    NotJson,

    /// <summary>The registry says that there is no such schema.</summary>
    NotThere,

    /// <summary>The registry cannot be asked.</summary>
    Away,

    /// <summary>It is there, and cannot be used; asking again does not help.</summary>
    Unusable,
}

/// <summary>What a look-up found.</summary>
/// <param name="State">How it ended.</param>
/// <param name="Schema">The schema, when it is usable.</param>
/// <param name="Detail">What went wrong otherwise, in one line.</param>
internal sealed record SchemaFound(SchemaState State, CompiledSchema? Schema, string Detail);

/// <summary>Fetches a schema with all that it refers to, and compiles it.</summary>
internal static class SchemaLookup
{
    /// <summary>Most schemas that one refers to, directly and indirectly.</summary>
    private const int MaxReferences = 64;

    public static async Task<SchemaFound> FetchAsync(
        RegistryClient registry,
        SchemaName name,
        CancellationToken cancellation
    )
    {
        RegistryAnswer answer = await registry.GetAsync(name, cancellation);
        if (answer.Status != RegistryStatus.Found)
        {
            return Failed(answer);
        }

        if (answer.Type != "JSON")
        {
            return new SchemaFound(SchemaState.NotJson, null, answer.Type);
        }

        var texts = new Dictionary<string, string>(StringComparer.Ordinal);
        var open = new Queue<SchemaReference>(answer.References);
        while (open.TryDequeue(out SchemaReference? reference))
        {
            if (texts.ContainsKey(reference.Name))
            {
                continue;
            }

            if (texts.Count == MaxReferences)
            {
                return Unusable($"it refers to more than {MaxReferences} others");
            }

            RegistryAnswer referred = await registry.GetAsync(reference, cancellation);
            if (referred.Status == RegistryStatus.NotThere)
            {
                return Unusable(
                    $"it refers to version {reference.Version} of '{reference.Subject}', which is not there"
                );
            }

            if (referred.Status == RegistryStatus.Away)
            {
                return Failed(referred);
            }

            texts[reference.Name] = referred.Schema;
            foreach (SchemaReference further in referred.References)
            {
                open.Enqueue(further);
            }
        }

        CompiledSchema? schema = CompiledSchema.Compile(answer.Schema, texts, out string problem);
        return schema is null ? Unusable(problem) : new SchemaFound(SchemaState.Usable, schema, "");
    }

    private static SchemaFound Failed(RegistryAnswer answer) =>
        new(
            answer.Status == RegistryStatus.NotThere ? SchemaState.NotThere : SchemaState.Away,
            null,
            answer.Detail
        );

    private static SchemaFound Unusable(string why) => new(SchemaState.Unusable, null, why);
}
