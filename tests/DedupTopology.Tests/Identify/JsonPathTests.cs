using System.Text;
using System.Text.Json;
using Dedup.Contracts.Identity;
using Dedup.Topology.Identify;
using Dedup.Topology.Identify.Json;
using Dedup.Topology.Identify.Sources;
using Shouldly;

namespace DedupTopology.Tests.Identify;

/// <summary>Paths as RFC 9535 writes them, of members and indexes.</summary>
public sealed class JsonPathTests
{
    [Theory]
    [InlineData("$.a", "a")]
    [InlineData("$ .a [ 'b' ]\t[\n0\r] ", "a", "b", "#0")]
    [InlineData("$[10][2147483647]", "#10", "#2147483647")]
    [InlineData("""$['a.b']["c'd"]['e"f']""", "a.b", "c'd", "e\"f")]
    [InlineData("""$['\b\f\n\r\t\/\\']""", "\b\f\n\r\t/\\")]
    [InlineData("""$['\''].x""", "'", "x")]
    [InlineData("""$["\""]""", "\"")]
    [InlineData("""$['\u0041\u00e9\u20AC\ud83d\uDE00z']""", "Aé€😀z")]
    [InlineData("$['😀😀']", "😀😀")]
    [InlineData("$['']", "")]
    public void A_path_has_the_steps_that_it_names(string text, params string[] steps)
    {
        JsonPathParser.TryParse(text, out JsonPath? path, out string error).ShouldBeTrue(error);
        path!
            .ToString()
            .ShouldBe(
                new JsonPath([
                    .. steps.Select(static s =>
                        s.StartsWith('#')
                            ? new JsonPathSegment(
                                int.Parse(s[1..], System.Globalization.CultureInfo.InvariantCulture)
                            )
                            : new JsonPathSegment(s)
                    ),
                ]).ToString()
            );
    }

    [Theory]
    [InlineData("", "a path begins with $")]
    [InlineData("a.b", "write $.a.b")]
    [InlineData("..a", "write $.a")]
    [InlineData("$x", "'x' at column 2: a step begins with . or [")]
    [InlineData("$.", "a name is missing after the last dot")]
    [InlineData("$..a", "descendants")]
    [InlineData("$.*", "all members")]
    [InlineData("$.a-b", "write ['a-b']")]
    [InlineData("$.a'b", """write ['a\'b']""")]
    [InlineData("$[", "] is missing at the end")]
    [InlineData("$[0", "] is missing at the end")]
    [InlineData("$['a'", "] is missing at the end")]
    [InlineData("$[?@.a]", "filter")]
    [InlineData("$[*]", "all elements")]
    [InlineData("$[-1]", "count from the start")]
    [InlineData("$[:2]", "slice")]
    [InlineData("$[1:2]", "slice")]
    [InlineData("$[1,2]", "union")]
    [InlineData("$[a]", "'a' at column 3: in brackets stands 'name' or an index")]
    [InlineData("$['a'b]", "'b' at column 6: expected ]")]
    [InlineData("$[007]", "no leading zeros, write 7")]
    [InlineData("$[00]", "no leading zeros, write 0")]
    [InlineData("$[2147483648]", "beyond 2147483647")]
    [InlineData("$['a", "the closing ' is missing")]
    [InlineData("$[\"a'", "the closing \" is missing")]
    [InlineData("$['a\nb']", "a control character in a name")]
    [InlineData("""$['\ud83d']""", "half a surrogate pair")]
    [InlineData("""$['\ud83dx']""", "half a surrogate pair")]
    [InlineData("""$['\ude00\ud83d']""", "half a surrogate pair")]
    [InlineData("""$['\x']""", """\x is no escape""")]
    [InlineData("""$['\"']""", """\" is no escape""")]
    [InlineData("""$["\'"]""", """\' is no escape""")]
    [InlineData("""$['\u00g0']""", "four hex digits are expected")]
    [InlineData("""$['\u00""", """\u is no escape""")]
    [InlineData("""$['\""", "is no escape")]
    public void What_is_no_path_to_one_value_is_refused_with_what_to_write(string text, string says)
    {
        JsonPathParser.TryParse(text, out JsonPath? path, out string error).ShouldBeFalse();
        path.ShouldBeNull();
        error.ShouldContain(says, Case.Sensitive);
    }

    [Fact]
    public void A_path_has_a_bounded_number_of_steps()
    {
        string longest = "$" + string.Concat(Enumerable.Repeat("[0]", JsonPathParser.MaxSegments));
        JsonPathParser.TryParse(longest, out _, out _).ShouldBeTrue();
        JsonPathParser.TryParse(longest + "[0]", out _, out string error).ShouldBeFalse();
        error.ShouldBe($"more than {JsonPathParser.MaxSegments} steps");
    }

    /// <summary>At the borders of UTF-8's lengths and of the surrogates, as it stands and escaped.</summary>
    [Theory]
    [InlineData(0x7F)]
    [InlineData(0x80)]
    [InlineData(0x7FF)]
    [InlineData(0x800)]
    [InlineData(0xD7FF)]
    [InlineData(0xE000)]
    [InlineData(0xFFFF)]
    [InlineData(0x10000)]
    [InlineData(0x10FC00)]
    [InlineData(0x103FF)]
    [InlineData(0x10FFFF)]
    public void A_character_is_the_same_as_it_stands_and_escaped_as_name_and_as_value(int codePoint)
    {
        string c = char.ConvertFromUtf32(codePoint);
        string escaped = string.Concat(c.Select(static u => $"\\u{(int)u:x4}"));
        var path = new JsonPath(new JsonPathSegment($"n{c}"));
        foreach (string name in (string[])[c, escaped])
        {
            foreach (string value in (string[])[c, escaped])
            {
                string json = $$"""{"n":"no","n{{name}}x":"no","n{{name}}":"v{{value}}w"}""";
                JsonDocument
                    .Parse(json)
                    .RootElement.GetProperty($"n{c}")
                    .GetString()
                    .ShouldBe($"v{c}w");
                Identify(path, json).ShouldBe((Reason.None, $"v{c}w"));
            }
        }
    }

    /// <summary>
    /// Up to the value everything may be cut, at whichever byte: by the limit it is too large, by itself it is malformed, and
    /// never is there an ID.
    /// </summary>
    [Fact]
    public void A_document_that_ends_before_its_value_does_has_no_id_wherever_it_ends()
    {
        const string json =
            """ {"s":"a\u20ac\"\n","t":true,"f":false,"z":null,"n":-12.5e+3,"m":0,"o":{"p":[1,{"q":"r"}]},"id":"here"}""";
        var path = new JsonPath(new JsonPathSegment("id"));
        Identify(path, json).ShouldBe((Reason.None, "here"));
        for (int length = 0; length < json.Length - 1; length++)
        {
            (Reason cut, string _) = Identify(path, json, length);
            cut.ShouldBe(Reason.JsonTooLarge, $"limit {length}");
            (Reason ended, string _) = Identify(path, json[..length]);
            ended.ShouldNotBe(Reason.None, $"ends at {length}");
            ended.ShouldNotBe(Reason.JsonTooLarge, $"ends at {length}");
        }
    }

    private static (Reason, string) Identify(JsonPath path, string json, int most = int.MaxValue)
    {
        JsonLimits limits =
            most == int.MaxValue ? JsonLimits.Default : JsonLimits.Default with { MaxBytes = most };
        Outcome outcome = Outcome.Of(
            new Recipe([new JsonSource(path, limits)]),
            new OneRecord { Value = Encoding.UTF8.GetBytes(json) }
        );
        return (outcome.Reason, Encoding.UTF8.GetString(outcome.IdBytes));
    }
}
