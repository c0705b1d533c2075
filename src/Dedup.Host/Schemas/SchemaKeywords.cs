using System.Collections.Frozen;
using Newtonsoft.Json.Linq;

namespace Dedup.Host.Schemas;

/// <summary>
/// Keywords of JSON Schema that NJsonSchema passes over. <c>const</c> and <c>$defs</c> are rewritten to <c>enum</c> and
/// <c>definitions</c>, which mean the same; the others are named, so that nobody believes they are checked.
/// </summary>
internal static class SchemaKeywords
{
    private static readonly FrozenSet<string> PassedOver = new[]
    {
        "if",
        "then",
        "else",
        "contains",
        "minContains",
        "maxContains",
        "propertyNames",
        "dependentRequired",
        "dependentSchemas",
        "prefixItems",
        "unevaluatedItems",
        "unevaluatedProperties",
        "$dynamicRef",
        "$recursiveRef",
    }.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Members whose own members have names that the schema's author chose.</summary>
    private static readonly FrozenSet<string> Maps = new[]
    {
        "properties",
        "patternProperties",
        "definitions",
        "$defs",
        "dependentSchemas",
    }.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Members that hold values, not schemas.</summary>
    private static readonly FrozenSet<string> Values = new[]
    {
        "enum",
        "const",
        "default",
        "examples",
        "example",
    }.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Rewrites a schema.</summary>
    /// <param name="text">The schema.</param>
    /// <param name="notChecked">Gets the keywords in it that are not checked.</param>
    /// <exception cref="Newtonsoft.Json.JsonException">It is no JSON.</exception>
    public static string Prepare(string text, SortedSet<string> notChecked)
    {
        JToken tree = JToken.Parse(text);
        Walk(tree, notChecked);
        if (tree is JObject root && root["$ref"] is { } target)
        {
            // A root that is a reference into itself is not resolved; as the one part of allOf it is.
            _ = root.Remove("$ref");
            JArray all = root["allOf"] as JArray ?? [];
            all.Add(new JObject { ["$ref"] = target });
            root["allOf"] = all;
        }

        return tree.ToString();
    }

    private static void Walk(JToken node, SortedSet<string> found)
    {
        if (node is JArray list)
        {
            foreach (JToken item in list)
            {
                Walk(item, found);
            }
        }
        else if (node is JObject schema)
        {
            foreach (JProperty member in schema.Properties().ToArray())
            {
                if (PassedOver.Contains(member.Name))
                {
                    _ = found.Add(member.Name);
                }

                if (member.Name == "const" && schema["enum"] is null)
                {
                    schema["enum"] = new JArray(member.Value.DeepClone());
                }
                else if (member is { Name: "$ref", Value: JValue { Value: string target } })
                {
                    member.Value = target.Replace(
                        "/$defs/",
                        "/definitions/",
                        StringComparison.Ordinal
                    );
                }
                else if (Maps.Contains(member.Name) && member.Value is JObject named)
                {
                    foreach (JProperty one in named.Properties())
                    {
                        Walk(one.Value, found);
                    }

                    if (member.Name == "$defs")
                    {
                        Move(named, schema);
                    }
                }
                else if (!Values.Contains(member.Name))
                {
                    Walk(member.Value, found);
                }
            }
        }
    }

    private static void Move(JObject definitions, JObject schema)
    {
        if (schema["definitions"] is not JObject target)
        {
            target = [];
            schema["definitions"] = target;
        }

        foreach (JProperty one in definitions.Properties())
        {
            target[one.Name] ??= one.Value;
        }

        _ = schema.Remove("$defs");
    }
}
