using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.RegularExpressions;
using Dedup.Contracts.Identity;
using NJsonSchema;
using NJsonSchema.References;

namespace Dedup.Host.Schemas;

/// <summary>A JSON Schema that payloads are validated against, by several lanes at once.</summary>
/// <remarks>
/// NJsonSchema does not promise that one schema object serves several threads, so each lane borrows one of its own; there are
/// never more than lanes.
/// </remarks>
internal sealed class CompiledSchema
{
    // Where a schema seems to lie: names in $ref that are no addresses come back below it.
    private const string Base = "http://registry.invalid/";

    private readonly string _text;
    private readonly IReadOnlyDictionary<string, string> _references;
    private readonly ConcurrentBag<JsonSchema> _idle = [];

    private CompiledSchema(string text, IReadOnlyDictionary<string, string> references)
    {
        _text = text;
        _references = references;
    }

    /// <summary>Keywords in it that are not checked.</summary>
    public IReadOnlyList<string> NotChecked { get; private set; } = [];

    /// <summary>Compiles a schema; null when it cannot be, and then <paramref name="problem"/> says why.</summary>
    /// <param name="text">The schema.</param>
    /// <param name="references">Texts of the schemas that it refers to, by the name in <c>$ref</c>.</param>
    /// <param name="problem">One line.</param>
    public static CompiledSchema? Compile(
        string text,
        IReadOnlyDictionary<string, string> references,
        out string problem
    )
    {
        try
        {
            var notChecked = new SortedSet<string>(StringComparer.Ordinal);
            var schema = new CompiledSchema(
                SchemaKeywords.Prepare(text, notChecked),
                references.ToDictionary(
                    static r => r.Key,
                    r => SchemaKeywords.Prepare(r.Value, notChecked)
                )
            )
            {
                NotChecked = [.. notChecked],
            };
            schema._idle.Add(schema.Make());
            problem = "";
            return schema;
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // Newtonsoft and NJsonSchema throw what they like at a schema that is none.
            problem = e.GetBaseException().Message.ReplaceLineEndings(" ");
            return null;
        }
    }

    /// <summary>Whether a payload fits.</summary>
    public Reason Check(ReadOnlySpan<byte> json)
    {
        if (!_idle.TryTake(out JsonSchema? schema))
        {
            schema = Make();
        }

        try
        {
            return schema.Validate(JsonTree.Read(json)).Count == 0
                ? Reason.None
                : Reason.SchemaInvalid;
        }
        catch (Exception e)
            when (e is JsonException or RegexMatchTimeoutException or OverflowException)
        {
            // No JSON, or a value that cannot be compared within bounds: nobody can say that it fits.
            return Reason.SchemaInvalid;
        }
        finally
        {
            _idle.Add(schema);
        }
    }

    private JsonSchema Make() => Parse(_text, []);

    /// <param name="text">A schema.</param>
    /// <param name="made">Those made on the way to it, by name; null while one is being made.</param>
    private JsonSchema Parse(string text, Dictionary<string, JsonSchema?> made) =>
        JsonSchema
            .FromJsonAsync(
                text,
                documentPath: Base,
                schema => new Resolver(schema, name => Resolve(name, made)),
                CancellationToken.None
            )
            .GetAwaiter()
            .GetResult();

    // Nothing is fetched from where a schema says: only what the registry itself gave along.
    private JsonSchema Resolve(string name, Dictionary<string, JsonSchema?> made)
    {
        string plain = name.StartsWith(Base, StringComparison.Ordinal)
            ? Uri.UnescapeDataString(name[Base.Length..])
            : name;
        if (!_references.TryGetValue(plain, out string? text))
        {
            throw new InvalidOperationException(
                $"it refers to '{plain}', which is not among the references that the registry names"
            );
        }

        if (made.TryGetValue(plain, out JsonSchema? schema))
        {
            return schema
                ?? throw new InvalidOperationException($"'{plain}' refers to itself in a circle");
        }

        made[plain] = null;
        schema = Parse(text, made);
        made[plain] = schema;
        return schema;
    }

    private sealed class Resolver(JsonSchema root, Func<string, JsonSchema> resolve)
        : JsonReferenceResolver(new JsonSchemaAppender(root, new DefaultTypeNameGenerator()))
    {
        public override Task<IJsonReference> ResolveFileReferenceAsync(
            string filePath,
            CancellationToken cancellationToken = default
        ) => Task.FromResult<IJsonReference>(resolve(filePath));

        public override Task<IJsonReference> ResolveUrlReferenceAsync(
            string url,
            CancellationToken cancellationToken = default
        ) => Task.FromResult<IJsonReference>(resolve(url));
    }
}
