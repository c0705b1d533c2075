using Dedup.Contracts.Identity;
using Dedup.Topology.Identify;
using Dedup.Topology.Identify.Parsing;
using Shouldly;
using Xunit;

namespace DedupTopology.Tests.Identify;

public sealed class SourceTests
{
    private static Recipe Of(string text)
    {
        RecipeResult result = RecipeParser.Parse(text);
        result.Errors.ShouldBeEmpty();
        return result.Recipe.ShouldNotBeNull();
    }

    [Fact]
    public void A_key_is_its_bytes_an_empty_one_too_a_null_one_is_none()
    {
        Outcome.Of(Of("key"), new OneRecord { KeyText = "k1" }).Id.ShouldBe("k1");
        Outcome.Of(Of("key"), new OneRecord { KeyText = "" }).Reason.ShouldBe(Reason.None);
        Outcome.Of(Of("key"), new OneRecord()).Reason.ShouldBe(Reason.NullKey);
    }

    [Fact]
    public void Of_repeated_headers_the_last_with_a_value_counts()
    {
        OneRecord record = new OneRecord()
            .With("id", "a")
            .With("id", "b")
            .With("id", null)
            .With("ID", "c");
        Outcome.Of(Of("header:id"), record).Id.ShouldBe("b");
        Outcome.Of(Of("header:other"), record).Reason.ShouldBe(Reason.NoId);
        Outcome.Of(Of("header:id"), new OneRecord().With("id", "")).Reason.ShouldBe(Reason.NoId);
    }

    [Theory]
    [InlineData("$.event_id", """{"event_id":"e1"}""", "e1")]
    [InlineData("$.event_id", """ { "x" : [1,{"a":"}"}] , "event_id" : "e1" , broken""", "e1")]
    [InlineData("$.a.b[1]['c d']", """{"a":{"b":[0,{"c d":"x"}]}}""", "x")]
    [InlineData("$.event_id", """{"\u0065vent_id":"e\u0031\n"}""", "e1\n")]
    [InlineData("$.a", """{"a":"first","a":"second"}""", "first")]
    [InlineData("$.a", """{"a":12.5}""", "12.5")]
    [InlineData("$[0]", """["x"]""", "x")]
    [InlineData("$", "\"x\"", "x")]
    [InlineData("$.a", "\u0000\u0000\u0000\u0000\u0007{\"a\":\"framed\"}", "framed")]
    [InlineData("$.a", "\uFEFF{\"a\":\"bom\"}", "bom")]
    public void A_path_names_a_value(string path, string json, string id) =>
        Outcome.Of(Of($"json:{path}"), new OneRecord { Json = json }).Id.ShouldBe(id);

    [Theory]
    [InlineData("$.a", """{"b":1}""", Reason.NoId)]
    [InlineData("$.a", "{}", Reason.NoId)]
    [InlineData("$.a", """{"a":null}""", Reason.NoId)]
    [InlineData("$.a", """{"a":true}""", Reason.NoId)]
    [InlineData("$.a", """{"a":""}""", Reason.NoId)]
    [InlineData("$.a.b", """{"a":{},"a":{"b":1}}""", Reason.NoId)]
    [InlineData("$.a.b", """{"a":7}""", Reason.NoId)]
    [InlineData("$[1]", "[1]", Reason.NoId)]
    [InlineData("$.a", "", Reason.MalformedJson)]
    [InlineData("$.a", null, Reason.NoId)]
    [InlineData("$.a", "Obj", Reason.MalformedJson)]
    [InlineData("$.a", """{"b":1""", Reason.MalformedJson)]
    [InlineData("$.a", """{"a":12""", Reason.MalformedJson)]
    [InlineData("$.a", """{"a":012}""", Reason.MalformedJson)]
    [InlineData("$.a", """{"a":"x""", Reason.MalformedJson)]
    [InlineData("$.a", "{\"a\":\"x\ny\"}", Reason.MalformedJson)]
    [InlineData("$.a", """{"a":"\x"}""", Reason.MalformedJson)]
    [InlineData("$.a", """{"b":1,}""", Reason.MalformedJson)]
    [InlineData("$", "1 2", Reason.MalformedJson)]
    public void Or_gives_a_reason(string path, string? json, Reason reason) =>
        Outcome.Of(Of($"json:{path}"), new OneRecord { Json = json }).Reason.ShouldBe(reason);

    [Fact]
    public void Text_and_number_of_the_same_digits_are_two_ids()
    {
        Outcome text = Outcome.Of(Of("json:$.a"), new OneRecord { Json = """{"a":"1"}""" });
        Outcome number = Outcome.Of(Of("json:$.a"), new OneRecord { Json = """{"a":1}""" });
        number.Key.ShouldNotBe(text.Key);
    }

    [Fact]
    public void The_first_source_with_an_id_wins_and_the_sources_do_not_mix()
    {
        Recipe chain = Of("header:h | json:$.a");
        Outcome header = Outcome.Of(chain, new OneRecord { Json = """{"a":"1"}""" }.With("h", "1"));
        Outcome json = Outcome.Of(chain, new OneRecord { Json = """{"a":"1"}""" });
        header.Source.ShouldBe(0);
        json.Source.ShouldBe(1);
        json.Key.ShouldNotBe(header.Key);
        Outcome.Of(chain, new OneRecord { Json = "{" }).Reason.ShouldBe(Reason.MalformedJson);
    }

    [Theory]
    [InlineData(63, Reason.None)]
    [InlineData(64, Reason.JsonTooDeep)]
    public void What_is_passed_over_has_the_same_depth_limit(int nested, Reason expected)
    {
        string json = $$"""{"x":{{new string('[', nested)}}{{new string(']', nested)}},"a":"id"}""";
        Outcome.Of(Of("json:$.a"), new OneRecord { Json = json }).Reason.ShouldBe(expected);
        // The value itself, where it is an array, counts the same way.
        Outcome
            .Of(
                Of("json:$.x"),
                new OneRecord { Json = json.Replace("[]", "[1]", StringComparison.Ordinal) }
            )
            .Reason.ShouldBe(expected);
    }

    [Fact]
    public void A_value_within_the_first_bytes_is_found_however_long_the_payload_is()
    {
        RecipeResult result = RecipeParser.Parse(
            new RecipeNodes
            {
                Id = RecipeNode.Of("json:$.a"),
                Json = RecipeNode.Map([new RecipeMember("max-bytes", 1, RecipeNode.Of("20"))]),
            }
        );
        Recipe recipe = result.Recipe.ShouldNotBeNull();
        string filler = new('x', 100);
        Outcome
            .Of(recipe, new OneRecord { Json = $$"""{"a":"id","b":"{{filler}}"}""" })
            .Id.ShouldBe("id");
        Outcome
            .Of(recipe, new OneRecord { Json = $$"""{"b":"{{filler}}","a":"id"}""" })
            .Reason.ShouldBe(Reason.JsonTooLarge);
        Outcome
            .Of(recipe, new OneRecord { Json = """{"a":12345678901234567890}""" })
            .Reason.ShouldBe(Reason.JsonTooLarge);
    }
}
