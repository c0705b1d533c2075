using System.Globalization;
using System.Numerics;
using System.Text.Json;
using Dedup.Topology.Identify.Json;
using Newtonsoft.Json.Linq;

namespace Dedup.Host.Schemas;

/// <summary>From the bytes of a payload to the tree that NJsonSchema looks at.</summary>
/// <remarks>
/// Read by System.Text.Json and not by Newtonsoft's own reader, which takes single quotes and comments for JSON and refuses
/// integers of more than 64 bits. As JSON Schema has it, a number without fraction is an integer, however it is written: 1.0, 1e3.
/// Integers beyond 64 bits stand for the nearest that has them, which is all that NJsonSchema can compare.
/// </remarks>
internal static class JsonTree
{
    private static readonly JsonReaderOptions Options = new() { MaxDepth = JsonLimits.MaxMaxDepth };

    /// <summary>Reads a document.</summary>
    /// <exception cref="JsonException">It is no JSON, or nested deeper than <see cref="JsonLimits.MaxMaxDepth"/>.</exception>
    public static JToken Read(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, Options);
        _ = reader.Read();
        JToken tree = Value(ref reader);
        return reader.Read() ? throw new JsonException("more than one value") : tree;
    }

    private static JToken Value(ref Utf8JsonReader reader)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                var map = new JObject();
                while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
                {
                    string name = Text(ref reader);
                    _ = reader.Read();
                    // Of a repeated name the last counts, as in nearly every program that will read the payload.
                    map[name] = Value(ref reader);
                }

                return map;
            case JsonTokenType.StartArray:
                var list = new JArray();
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                {
                    list.Add(Value(ref reader));
                }

                return list;
            case JsonTokenType.String:
                return new JValue(Text(ref reader));
            case JsonTokenType.Number:
                return Number(ref reader);
            case JsonTokenType.True or JsonTokenType.False:
                return new JValue(reader.GetBoolean());
            default:
                return JValue.CreateNull();
        }
    }

    private static string Text(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException e)
        {
            throw new JsonException("a string is no Unicode text", e);
        }
    }

    private static JValue Number(ref Utf8JsonReader reader)
    {
        if (reader.TryGetInt64(out long small))
        {
            return new JValue(small);
        }

        if (reader.TryGetDecimal(out decimal exact))
        {
            return exact == decimal.Truncate(exact)
                ? Integer(new BigInteger(exact))
                : new JValue(exact);
        }

        double nearest = double.Parse(reader.ValueSpan, CultureInfo.InvariantCulture);
        return double.IsInteger(nearest) ? Integer(new BigInteger(nearest)) : new JValue(nearest);
    }

    private static JValue Integer(BigInteger value) =>
        value < 0 ? new JValue((long)BigInteger.Max(value, long.MinValue))
        : value > long.MaxValue ? new JValue((ulong)BigInteger.Min(value, ulong.MaxValue))
        : new JValue((long)value);
}
