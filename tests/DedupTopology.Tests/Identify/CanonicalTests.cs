using System.Text;
using Dedup.Contracts.Identity;
using Dedup.Topology.Identify;
using Dedup.Topology.Identify.Canonical;
using Dedup.Topology.Identify.Json;
using Dedup.Topology.Identify.Sources;
using Shouldly;
using Xunit;

namespace DedupTopology.Tests.Identify;

public sealed class CanonicalTests
{
    /// <summary>The canonical form, or the reason why there is none.</summary>
    internal static string Of(string json, ContentOptions? options = null)
    {
        Recipe recipe = new(
            new ContentSource((options ?? new ContentOptions()) with { OnMissing = OnMissing.Next })
        );
        IdScratch scratch = new();
        Outcome outcome = Outcome.Of(recipe, new OneRecord { Json = json }, scratch);
        return outcome.Reason == Reason.None
            ? Encoding.UTF8.GetString(scratch.CanonicalJson)
            : ReasonText.Of(outcome.Reason);
    }

    /// <summary>The example of RFC 8785, sections 3.2.2 to 3.2.4.</summary>
    [Fact]
    public void The_example_of_the_rfc() =>
        Of(
                """
                {
                  "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
                  "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
                  "literals": [null, true, false]
                }
                """
            )
            .ShouldBe(
                """{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}"""
            );

    /// <summary>The sorting example of RFC 8785, section 3.2.3.</summary>
    [Fact]
    public void Names_sort_by_utf16_code_units() =>
        Of(
                """{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}"""
            )
            .ShouldBe(
                "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u0080\":\"Control\",\"ö\":\"Latin Small Letter O With Diaeresis\",\"€\":\"Euro Sign\",\"😀\":\"Emoji: Grinning Face\",\"\ufb33\":\"Hebrew Letter Dalet With Dagesh\"}"
            );

    /// <summary>Appendix B of RFC 8785, and what goes beyond it.</summary>
    [Theory]
    [InlineData("0", "0")]
    [InlineData("-0", "0")]
    [InlineData("-0.0", "0")]
    [InlineData("0e9999999999999", "0")]
    [InlineData("1.0", "1")]
    [InlineData("1e0", "1")]
    [InlineData("10e-1", "1")]
    [InlineData("5e-324", "5e-324")]
    [InlineData("-5e-324", "-5e-324")]
    [InlineData("1.7976931348623157e308", "1.7976931348623157e+308")]
    [InlineData("9007199254740992", "9007199254740992")]
    [InlineData("9007199254740993", "9007199254740993")]
    [InlineData("9007199254740993.0", "9007199254740993")]
    [InlineData("123456789012345678901234567890", "123456789012345678901234567890")]
    [InlineData("295147905179352830000", "295147905179352830000")]
    [InlineData("9.999999999999997e22", "9.999999999999997e+22")]
    [InlineData("1e23", "1e+23")]
    [InlineData("1.0000000000000001e23", "1.0000000000000001e+23")]
    [InlineData("1e21", "1e+21")]
    [InlineData("999999999999999900000.0", "999999999999999900000")]
    [InlineData("0.000001", "0.000001")]
    [InlineData("9.999999999999997e-7", "9.999999999999997e-7")]
    [InlineData("333333333.3333332", "333333333.3333332")]
    [InlineData("333333333.33333343", "333333333.33333343")]
    [InlineData("1424953923781206.2", "1424953923781206.2")]
    [InlineData("0.1000000000000000000000", "0.1")]
    [InlineData("1.000000000000000001", "1.000000000000000001")]
    [InlineData("1.000000000000000002", "1.000000000000000002")]
    [InlineData("1e400", "1e+400")]
    [InlineData("-12.5e400", "-1.25e+401")]
    [InlineData("1e-400", "1e-400")]
    [InlineData("1E99999999999", "1e99999999999")]
    public void Numbers(string literal, string expected)
    {
        Of($"[{literal}]").ShouldBe($"[{expected}]");
        Outcome
            .Of(
                new Recipe(
                    new JsonSource(new JsonPath(new JsonPathSegment(0)), JsonLimits.Default)
                ),
                new OneRecord { Json = $"[{literal}]" }
            )
            .Id.ShouldBe(expected);
    }

    [Theory]
    [InlineData("""{"b":1,"a":{"d":[],"c":{}}}""", """{"a":{"c":{},"d":[]},"b":1}""")]
    [InlineData("""{"a":2,"b":0,"a":1}""", """{"a":2,"a":1,"b":0}""")]
    [InlineData("\"\\ud800\"", "\"\\ud800\"")]
    [InlineData("\"\\uD83D\\uDE00\"", "\"😀\"")]
    [InlineData("\uFEFF{}", "{}")]
    [InlineData("\u0000\u0000\u0000\u0000\u0001{}", "{}")]
    [InlineData(" 7 ", "7")]
    public void Documents(string json, string expected) => Of(json).ShouldBe(expected);

    [Theory]
    [InlineData("{")]
    [InlineData("[1,]")]
    [InlineData("{\"a\":1,}")]
    [InlineData("{\"a\" 1}")]
    [InlineData("[1}")]
    [InlineData("{]")]
    [InlineData("1 2")]
    [InlineData("nul")]
    [InlineData("[01]")]
    [InlineData("[1.]")]
    [InlineData("[1e]")]
    [InlineData("[NaN]")]
    [InlineData("[\"\\ud80\"]")]
    [InlineData("'a'")]
    public void What_is_no_json_has_no_canonical_form(string json) =>
        Of(json).ShouldBe("malformed-json");

    [Fact]
    public void Depth_and_size_have_limits()
    {
        Of(new string('[', 64) + new string(']', 64)).Length.ShouldBe(128);
        Of(new string('[', 65) + new string(']', 65)).ShouldBe("json-too-deep");
        ContentOptions small = new() { Limits = new JsonLimits { MaxBytes = 10 } };
        Of("[1,2,3,45]", small).ShouldBe("[1,2,3,45]");
        Of("[1,2,3,45] ", small).ShouldBe("json-too-large");
        Of("[1,2,3,456]", small).ShouldBe("json-too-large");
    }

    [Fact]
    public void Bytes_that_are_no_utf8_have_no_canonical_form()
    {
        Recipe recipe = new(new ContentSource(new ContentOptions { OnMissing = OnMissing.Next }));
        foreach (
            byte[] bad in new byte[][] { [0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xE2, 0x82] }
        )
        {
            byte[] value = [(byte)'"', .. bad, (byte)'"'];
            Outcome
                .Of(recipe, new OneRecord { Value = value })
                .Reason.ShouldBe(Reason.MalformedJson);
        }
    }

    [Theory]
    [InlineData("""{"data":{"x":1,"sent_at":5},"other":2}""", """{"data":{"x":1}}""")]
    [InlineData("""{"data":null}""", "content-path-missing")]
    [InlineData("""{"dat":1}""", "content-path-missing")]
    [InlineData("[1]", "content-path-missing")]
    [InlineData("""{"data":7,"x":[bad]}""", "malformed-json")]
    public void Included_without_excluded(string json, string expected)
    {
        JsonPath data = new(new JsonPathSegment("data"));
        JsonPath sent = new(new JsonPathSegment("data"), new JsonPathSegment("sent_at"));
        Of(json, new ContentOptions { Paths = new PathTree([data], [sent]) }).ShouldBe(expected);
    }

    [Fact]
    public void Elements_keep_their_array_and_many_members_are_sorted()
    {
        JsonPath path = new(
            new JsonPathSegment("a"),
            new JsonPathSegment(1),
            new JsonPathSegment("b")
        );
        Of(
                """{"a":[{"b":1},{"c":0,"b":2},3],"z":1}""",
                new ContentOptions { Paths = new PathTree([path], []) }
            )
            .ShouldBe("""{"a":[{"b":2}]}""");
        string[] names = [.. Enumerable.Range(0, 500).Select(static i => $"n{(i * 7919) % 1000}")];
        string json = "{" + string.Join(",", names.Select(static n => $"\"{n}\":0")) + "}";
        string sorted =
            "{"
            + string.Join(",", names.Order(StringComparer.Ordinal).Select(static n => $"\"{n}\":0"))
            + "}";
        Of(json).ShouldBe(sorted);
    }
}
