using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dedup.Contracts.Identity;
using Dedup.Topology.Identify;
using Dedup.Topology.Identify.Parsing;
using Dedup.Topology.Identify.Sources;

namespace DedupTopology.Tests.Identify;

/// <summary>Reads docs/vectors and recomputes them with the product.</summary>
internal static class Vectors
{
    /// <summary>JSON as the neutral tree; YAML written in JSON's style has the same shape.</summary>
    public static RecipeNode Node(JsonNode? node) =>
        node switch
        {
            JsonObject map => RecipeNode.Map(
                map.Select(static m => new RecipeMember(m.Key, 1, Node(m.Value))),
                1
            ),
            JsonArray list => RecipeNode.List(list.Select(Node), 1),
            null => RecipeNode.Of(null, 1),
            _ when node.GetValueKind() == JsonValueKind.String => RecipeNode.Of(
                node.GetValue<string>(),
                1
            ),
            _ => RecipeNode.Of(node.ToJsonString(), 1),
        };

    public static RecipeResult Parse(JsonNode recipe)
    {
        JsonObject map = recipe.AsObject();
        return RecipeParser.Parse(
            new RecipeNodes
            {
                Id = Part("id"),
                Scope = Part("scope"),
                Fingerprint = Part("fingerprint"),
                Prefix = Part("id-prefix"),
                Json = Part("json"),
            }
        );

        RecipeNode? Part(string name) =>
            map.TryGetPropertyValue(name, out JsonNode? value) ? Node(value) : null;
    }

    public static OneRecord Record(JsonNode record) =>
        new()
        {
            Key = Bytes(record["key"]),
            Value = Bytes(record["value"]),
            Headers =
            [
                .. (record["headers"]?.AsArray() ?? []).Select(static h =>
                    (h![0]!.GetValue<string>(), Bytes(h[1]))
                ),
            ],
        };

    public static byte[]? Bytes(JsonNode? value) =>
        value switch
        {
            null => null,
            JsonObject binary => Convert.FromBase64String(binary["base64"]!.GetValue<string>()),
            _ => Encoding.UTF8.GetBytes(value.GetValue<string>()),
        };

    /// <summary>What the product makes of a record, in the form of the vectors.</summary>
    public static JsonObject Compute(Recipe recipe, OneRecord record)
    {
        IdScratch scratch = new() { WantPercentHash = true };
        record.Get(0, out var view);
        recipe.Identify(view, scratch, Outcome.Hash, out Identified identified);
        if (identified.Reason != Reason.None)
        {
            return new JsonObject { ["reason"] = ReasonText.Of(identified.Reason) };
        }

        EventKey hash = new SipHash(0, 0).Hash(scratch.Frame);
        if (hash.High != identified.PercentHash)
        {
            throw new InvalidOperationException(
                "PercentHash is not the first half of the unkeyed hash"
            );
        }

        return new JsonObject
        {
            ["reason"] = "none",
            ["source"] = scratch.Source,
            ["kind"] = scratch.Kind.ToString().ToLowerInvariant(),
            ["canonical"] = Show(Canonical(recipe, record, scratch)),
            ["id"] = Convert.ToHexStringLower(scratch.Id),
            ["frame"] = Convert.ToHexStringLower(scratch.Frame),
            ["hash"] = hash.ToString(),
            ["visible"] = Show(Encoding.UTF8.GetBytes(VisibleKey.Of(scratch, recipe.Prefix))),
        };
    }

    private static byte[] Canonical(Recipe recipe, OneRecord record, IdScratch scratch)
    {
        if (scratch.Kind != IdKind.Content)
        {
            return scratch.Id.ToArray();
        }

        byte[] raw = record.Value!;
        Framing framing = ((ContentSource)recipe.Sources[scratch.Source]).Options.Framing;
        byte[] behind =
            framing == Framing.SchemaRegistry && raw.Length >= 5 && raw[0] == 0 ? raw[5..] : raw;
        return new[] { scratch.CanonicalJson.ToArray(), raw, behind }.First(candidate =>
            System
                .Security.Cryptography.SHA256.HashData(candidate)
                .AsSpan()
                .SequenceEqual(scratch.Id)
        );
    }

    private static JsonNode Show(byte[] data)
    {
        bool valid = System.Text.Unicode.Utf8.IsValid(data);
        string text = valid ? Encoding.UTF8.GetString(data) : "";
        return valid && text.All(static c => c >= ' ' && c != '\u007f')
            ? JsonValue.Create(text)
            : new JsonObject { ["base64"] = Convert.ToBase64String(data) };
    }
}
