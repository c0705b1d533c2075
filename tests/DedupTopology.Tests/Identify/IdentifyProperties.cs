using System.Text;
using System.Text.Json;
using Dedup.Contracts.Identity;
using Dedup.Tests;
using Dedup.Topology.Identify;
using Dedup.Topology.Identify.Canonical;
using Dedup.Topology.Identify.Json;
using Dedup.Topology.Identify.Sources;
using FsCheck;
using FsCheck.Fluent;
using Shouldly;
using Xunit;

namespace DedupTopology.Tests.Identify;

/// <summary>What holds for every document. A failure prints the seed that replays it.</summary>
public sealed class IdentifyProperties
{
    private static readonly Config Many = Config
        .QuickThrowOnFailure.WithMaxTest(Repetitions.Of(1000))
        .WithEndSize(60);

    private static readonly Recipe[] AllRecipes =
    [
        .. new[]
        {
            "key",
            "header:h",
            "json:$.a",
            "json:$.a[0].b",
            "json:$",
            "content",
            "header:h | json:$.a | content",
        }.Select(static text => Dedup.Topology.Identify.Parsing.RecipeParser.Parse(text).Recipe!),
        new(
            new JoinSource(
                new KeySource(),
                new JsonSource(new JsonPath(new JsonPathSegment("a")), JsonLimits.Default)
            )
        ),
        new(
            new ContentSource(
                new ContentOptions
                {
                    Paths = new PathTree(
                        [new JsonPath(new JsonPathSegment("a"))],
                        [new JsonPath(new JsonPathSegment("a"), new JsonPathSegment("b"))]
                    ),
                    Style = CanonicalStyle.Python(),
                }
            )
        ),
    ];

    [Fact]
    public void Hostile_bytes_never_throw_and_give_the_same_id_again()
    {
        // Bytes that JSON is made of, so that random text gets deep into the reader, and some that never belong.
        byte[] alphabet =
        [
            .. "{}[]\",:\\u0123456789aeEtrfnlsd+-. \n\t"u8,
            0x00,
            0x1F,
            0x7F,
            0x80,
            0xC3,
            0xED,
            0xA0,
            0xEF,
            0xF0,
            0xFF,
        ];
        Gen<byte[]> bytes = Gen.Elements(alphabet).ArrayOf();
        IdScratch used = new();
        Check.One(
            Many,
            Prop.ForAll(
                bytes.ToArbitrary(),
                value =>
                {
                    foreach (Recipe recipe in AllRecipes)
                    {
                        OneRecord record = new OneRecord { Key = value, Value = value }.With(
                            "h",
                            null
                        );
                        Outcome first = Outcome.Of(recipe, record, used);
                        Outcome again = Outcome.Of(recipe, record);
                        again.Key.ShouldBe(first.Key);
                        again.Reason.ShouldBe(first.Reason);
                    }
                }
            )
        );
    }

    [Fact]
    public void A_good_document_with_one_byte_changed_never_throws()
    {
        Gen<(Json Json, int At, byte Byte)> changed =
            from json in Json.Any
            from at in Gen.Choose(0, 1000)
            from b in Gen.Choose(0, 255)
            select (json, at, (byte)b);
        Check.One(
            Many,
            Prop.ForAll(
                changed.ToArbitrary(),
                input =>
                {
                    byte[] value = Encoding.UTF8.GetBytes(input.Json.Write(0));
                    value[input.At % value.Length] = input.Byte;
                    foreach (Recipe recipe in AllRecipes)
                    {
                        _ = Outcome.Of(recipe, new OneRecord { Value = value });
                    }
                }
            )
        );
    }

    [Fact]
    public void Order_white_space_and_escapes_do_not_matter()
    {
        Gen<(Json Json, int Seed)> written =
            from json in Json.Any
            from seed in Gen.Choose(1, int.MaxValue)
            select (json, seed);
        Check.One(
            Many,
            Prop.ForAll(
                written.ToArbitrary(),
                input =>
                    CanonicalTests
                        .Of(input.Json.Write(input.Seed))
                        .ShouldBe(CanonicalTests.Of(input.Json.Write(0)))
            )
        );
    }

    [Fact]
    public void Different_documents_have_different_canonical_forms_and_equal_ones_the_same() =>
        Check.One(
            Many,
            Prop.ForAll(
                Json.Any.ToArbitrary(),
                Json.Any.ToArbitrary(),
                (left, right) =>
                    (
                        CanonicalTests.Of(left.Write(1)) == CanonicalTests.Of(right.Write(2))
                    ).ShouldBe(left.Same(right), $"{left.Write(0)} against {right.Write(0)}")
            )
        );

    [Fact]
    public void The_canonical_form_is_its_own()
    {
        Check.One(
            Many,
            Prop.ForAll(
                Json.Any.ToArbitrary(),
                json =>
                {
                    string canonical = CanonicalTests.Of(json.Write(3));
                    CanonicalTests.Of(canonical).ShouldBe(canonical);
                }
            )
        );
    }

    /// <summary>What counts as JSON is what Utf8JsonReader takes for JSON, plus the check of UTF-8 that it leaves to others.</summary>
    [Fact]
    public void The_scanner_agrees_with_Utf8JsonReader()
    {
        byte[] alphabet = [.. "{}[]\",:\\u012aeEtrufals+-. \n"u8, 0x1F, 0x7F];
        Gen<byte[]> text = Gen.OneOf(
            Gen.Elements(alphabet).ArrayOf(),
            from json in Json.Any
            from at in Gen.Choose(0, 1000)
            from b in Gen.Elements(alphabet)
            select Damaged(json.Write(at), at, b)
        );
        int good = 0;
        Check.One(
            Many,
            Prop.ForAll(
                text.ToArbitrary(),
                value =>
                {
                    if (
                        value.AsSpan().StartsWith("\0"u8)
                        || !System.Text.Unicode.Utf8.IsValid(value)
                    )
                    {
                        return;
                    }

                    bool ours =
                        CanonicalTests.Of(Encoding.UTF8.GetString(value))
                        is not ("malformed-json" or "no-id");
                    ours.ShouldBe(IsJson(value), Encoding.UTF8.GetString(value));
                    good += ours ? 1 : 0;
                }
            )
        );
        good.ShouldBeGreaterThan(Repetitions.Of(100));
    }

    [Fact]
    public void A_path_finds_what_an_object_model_finds()
    {
        Gen<(Json Json, int Seed)> written =
            from json in Json.Any
            from seed in Gen.Choose(0, 1000)
            select (json, seed);
        Recipe recipe = new(
            new JsonSource(
                new JsonPath(new JsonPathSegment("a"), new JsonPathSegment(1)),
                JsonLimits.Default
            )
        );
        Check.One(
            Many,
            Prop.ForAll(
                written.ToArbitrary(),
                input =>
                {
                    string text =
                        $$"""{"x":{{input.Json.Write(input.Seed)}},"a":[[],{{input.Json.Write(0)}}]}""";
                    Outcome outcome = Outcome.Of(recipe, new OneRecord { Json = text });
                    string canonical = CanonicalTests.Of(input.Json.Write(0));
                    string id = Encoding.UTF8.GetString(outcome.IdBytes);
                    if (outcome.Reason == Reason.NoId)
                    {
                        canonical.ShouldBeOneOf("null", "true", "false", "\"\"", "[]", "{}");
                    }
                    else if (outcome.Kind == IdKind.Json)
                    {
                        id.ShouldBe(canonical);
                    }
                    else
                    {
                        using JsonDocument model = JsonDocument.Parse(text);
                        id.ShouldBe(model.RootElement.GetProperty("a")[1].GetString());
                    }
                }
            )
        );
    }

    private static byte[] Damaged(string text, int at, byte b)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        if (at % 2 == 0)
        {
            bytes[at % bytes.Length] = b;
        }

        return bytes;
    }

    private static bool IsJson(byte[] value)
    {
        try
        {
            Utf8JsonReader reader = new(value, new JsonReaderOptions { MaxDepth = 64 });
            while (reader.Read()) { }

            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
