using System.Text.Json.Nodes;
using Dedup.Topology.Identify;
using Dedup.Topology.Identify.Parsing;
using Shouldly;
using Xunit;

namespace DedupTopology.Tests.Identify;

public sealed class RecipeParserTests
{
    [Theory]
    [InlineData("key", "key")]
    [InlineData("header: Idempotency-Key", "header:Idempotency-Key")]
    [InlineData("header:we|ird", "header:we | ird", false)]
    [InlineData("json:$['a']['b c'][0]", "json:$.a['b c'][0]")]
    [InlineData("json: $[\"it's\"]", "json:$['it\\'s']")]
    [InlineData("header:a | json:$['x|y'] | key", "header:a | json:$['x|y'] | key")]
    [InlineData("content", "content(canonical jcs, on-missing raw)")]
    [InlineData("content | key", "content(canonical jcs, on-missing next) | key")]
    public void Short_forms_have_a_canonical_text(string text, string expected, bool good = true)
    {
        RecipeResult result = RecipeParser.Parse(text);
        if (good)
        {
            result.Recipe.ShouldNotBeNull().Text.ShouldBe(expected);
        }
        else
        {
            result.Errors.ShouldNotBeEmpty();
        }
    }

    [Fact]
    public void The_version_follows_what_decides_about_ids_and_nothing_else()
    {
        string[] different =
        [
            """{"id":"key"}""",
            """{"id":{"header":"a"}}""",
            """{"id":[{"header":"a"},"key"]}""",
            """{"id":["key",{"header":"a"}]}""",
            """{"id":"key","scope":{"tenant":{"header":"a"}}}""",
            """{"id":"key","scope":{"service":{"header":"a"}}}""",
            """{"id":"key","scope":{"service":{"value":"header:a"}}}""",
            """{"id":"key","scope":{"tenant":{"header":"a","required":true}}}""",
            """{"id":"key","fingerprint":"payload"}""",
            """{"id":"content"}""",
            """{"id":{"content":{"canonical":"python"}}}""",
            """{"id":{"content":{"canonical":"python","separators":[",",":"]}}}""",
            """{"id":{"content":{"canonical":"python","ensure-ascii":"false"}}}""",
            """{"id":{"content":{"bucket":"100ms"}}}""",
            """{"id":{"content":{"framing":"none"}}}""",
            """{"id":{"content":{"include":["$.a","$.b"]}}}""",
            """{"id":{"join":["key","header:a"]}}""",
        ];
        different.Select(static r => Of(r).Version).Distinct().Count().ShouldBe(different.Length);
        Of("""{"id":"json:$['a']"}""")
            .Version.ShouldBe(Of("""{"id":{"json":"$.a"},"id-prefix":"x"}""").Version);
        Of("""{"id":{"content":{"include":["$.b","$.a"]}}}""")
            .Version.ShouldBe(Of("""{"id":{"content":{"include":["$.a","$.b"]}}}""").Version);
    }

    /// <summary>The number is in the changelog of every pipeline: it must never change for a recipe.</summary>
    [Fact]
    public void The_version_of_a_recipe_is_for_ever() =>
        Recipe.Key.Version.ShouldBe(0x2C70E12B7A0646F9UL);

    [Theory]
    [InlineData("""{"id":""}""", "id: empty")]
    [InlineData("""{}""", "id: missing")]
    [InlineData("""{"id":[]}""", "id: 0 sources")]
    [InlineData("""{"id":{"header":"a","json":"$.b"}}""", "2 names where one source is expected")]
    [InlineData("""{"id":{"header":""}}""", "id: header: a text is expected")]
    [InlineData("""{"id":{"header":["a"]}}""", "id: header: a text is expected")]
    [InlineData("""{"id":"key:x"}""", "key takes no value")]
    [InlineData("""{"id":["key","key"]}""", "stands there twice")]
    [InlineData("""{"id":"jsom:$.a"}""", "did you mean 'json'?")]
    [InlineData("""{"id":{"json":"event_id"}}""", "a path begins with $: write $.event_id")]
    [InlineData("""{"id":{"json":"$.a[-1]"}}""", "an index from the end is not supported")]
    [InlineData("""{"id":{"json":"$.a[?(@.b)]"}}""", "(filter) is not supported")]
    [InlineData("""{"id":{"json":"$.a[0:2]"}}""", "(slice) is not supported")]
    [InlineData("""{"id":{"json":"$.a['b','c']"}}""", "(union) is not supported")]
    [InlineData("""{"id":{"json":"$.a[01]"}}""", "no leading zeros")]
    [InlineData("""{"id":{"json":"$.a["}}""", "] is missing")]
    [InlineData("""{"id":{"json":"$.a['b"}}""", "the closing ' is missing")]
    [InlineData("""{"id":{"json":"$.a['\\x']"}}""", "is no escape")]
    [InlineData("""{"id":{"json":"$.*"}}""", "(all members) is not supported")]
    [InlineData("""{"id":{"content":{"includ":["$.a"]}}}""", "did you mean 'include'?")]
    [InlineData("""{"id":{"content":{"exclude":["$"]}}}""", "$ leaves nothing")]
    [InlineData(
        """{"id":{"content":{"include":["$.a"],"exclude":["$.b"]}}}""",
        "$.b lies under no included path"
    )]
    [InlineData("""{"id":{"content":{"separators":[",",":"]}}}""", "is for canonical: python")]
    [InlineData(
        """{"id":{"content":{"canonical":"python","separators":[",","="]}}}""",
        "do not make JSON"
    )]
    [InlineData("""{"id":{"content":{"on-missing":"drop"}}}""", "unknown 'drop'")]
    [InlineData("""{"id":{"content":{"bucket":"100"}}}""", "is no width")]
    [InlineData("""{"id":{"join":["key"]}}""", "a list of 2 to 32 sources")]
    [InlineData("""{"id":{"join":["key",{"content":{"bucket":"1s"}}]}}""", "content with a bucket")]
    [InlineData("""{"id":{"join":["key",{"join":["key","header:a"]}]}}""", "unknown 'join'")]
    [InlineData("""{"id":"key","scope":{}}""", "scope: empty")]
    [InlineData("""{"id":"key","scope":"tenant"}""", "scope: a map is expected")]
    [InlineData("""{"id":"key","scope":{"tennant":"key"}}""", "did you mean 'tenant'?")]
    [InlineData(
        """{"id":"key","scope":{"type":{"header":"a","required":"yes"}}}""",
        "neither true nor false"
    )]
    [InlineData("""{"id":"key","fingerprint":"payloat"}""", "did you mean 'payload'?")]
    [InlineData("""{"id":"key","json":{"max-depth":0}}""", "write a number from 1 to 512")]
    public void Mistakes_are_named_with_their_fix(string recipe, string expected) =>
        string.Join('\n', Vectors.Parse(JsonNode.Parse(recipe)!).Errors).ShouldContain(expected);

    private static Recipe Of(string json)
    {
        RecipeResult result = Vectors.Parse(JsonNode.Parse(json)!);
        result.Errors.ShouldBeEmpty(json);
        return result.Recipe!;
    }
}
