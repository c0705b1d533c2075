using System.Text;
using Dedup.Contracts.Identity;
using Dedup.Topology.Identify;
using Dedup.Topology.Identify.Parsing;
using Dedup.Topology.Identify.Scopes;
using Dedup.Topology.Identify.Sources;
using Shouldly;
using Xunit;

namespace DedupTopology.Tests.Identify;

public sealed class ScopeTests
{
    private static readonly ScopePart FromHeader = new(new HeaderSource("t"));

    [Theory]
    [InlineData("order.created", 1)]
    [InlineData("order.cancelled", 3)]
    [InlineData("order.item.added", 4)]
    [InlineData("heartbeat", 2)]
    [InlineData("heartbeat2", 5)]
    [InlineData("", 5)]
    public void An_exact_type_goes_before_a_longer_pattern_before_a_shorter_one(
        string type,
        int expected
    )
    {
        TypePatterns patterns = new([
            "order.created",
            "heartbeat",
            "order.*",
            "order.*.added",
            "*",
        ]);
        patterns.Match(Encoding.UTF8.GetBytes(type)).ShouldBe((ushort)expected);
    }

    [Theory]
    [InlineData("a*c", "abc", true)]
    [InlineData("a*c", "ac", true)]
    [InlineData("a*c", "abcd", false)]
    [InlineData("*b*", "abc", true)]
    [InlineData("*ab*ab", "abab", true)]
    [InlineData("*ab*ab", "ab", false)]
    [InlineData("a**", "a", true)]
    public void A_star_stands_for_any_characters(string pattern, string type, bool matches) =>
        new TypePatterns([pattern])
            .Match(Encoding.UTF8.GetBytes(type))
            .ShouldBe((ushort)(matches ? 1 : 0));

    [Fact]
    public void The_type_chooses_the_class_and_no_match_is_the_default()
    {
        Recipe recipe = new Recipe([new KeySource()], new Scope(null, null, FromHeader)).WithTypes(
            new TypePatterns(["order.*"])
        );
        Outcome
            .Of(recipe, new OneRecord { KeyText = "k" }.With("t", "order.x"))
            .All.Class.ShouldBe((ushort)1);
        Outcome
            .Of(recipe, new OneRecord { KeyText = "k" }.With("t", "other"))
            .All.Class.ShouldBe((ushort)0);
        Outcome.Of(recipe, new OneRecord { KeyText = "k" }).All.Class.ShouldBe((ushort)0);
    }

    [Fact]
    public void The_same_id_under_another_scope_is_another_event_and_an_empty_scope_is_not_none()
    {
        Recipe plain = Recipe.Key;
        Recipe tenant = new([new KeySource()], new Scope(FromHeader, null, null));
        Recipe service = new([new KeySource()], new Scope(null, FromHeader, null));
        OneRecord bare = new() { KeyText = "k" };
        OneRecord acme = new OneRecord { KeyText = "k" }.With("t", "acme");
        OneRecord beta = new OneRecord { KeyText = "k" }.With("t", "beta");
        EventKey[] keys =
        [
            Outcome.Of(plain, bare).Key,
            Outcome.Of(tenant, bare).Key,
            Outcome.Of(tenant, acme).Key,
            Outcome.Of(tenant, beta).Key,
            Outcome.Of(service, acme).Key,
        ];
        keys.Distinct().Count().ShouldBe(keys.Length);
        Outcome.Of(tenant, new OneRecord { KeyText = "k" }.With("t", "")).Key.ShouldBe(keys[1]);
    }

    [Fact]
    public void The_tag_has_tenant_and_type_apart()
    {
        uint both = ScopeTag.Of("acme"u8, "order"u8);
        (both & ScopeTag.TenantMask).ShouldBe(ScopeTag.OfTenant("acme"u8));
        (both & ScopeTag.TypeMask).ShouldBe(ScopeTag.OfType("order"u8));
        ScopeTag.Of(default, default).ShouldBe(0u);
        Recipe recipe = new([new KeySource()], new Scope(FromHeader, null, null));
        Outcome
            .Of(recipe, new OneRecord { KeyText = "k" }.With("t", "acme"))
            .All.ScopeTag.ShouldBe(ScopeTag.OfTenant("acme"u8));
        for (int i = 0; i < 5000; i++)
        {
            byte[] name = Encoding.UTF8.GetBytes($"n{i}");
            (ScopeTag.OfTenant(name) & ~ScopeTag.TenantMask).ShouldBe(0u);
            ScopeTag.OfTenant(name).ShouldNotBe(0u);
            ScopeTag.OfType(name).ShouldBeInRange(1u, ScopeTag.TypeMask);
        }
    }

    [Fact]
    public void The_percent_hash_is_unkeyed_and_made_only_when_asked_for()
    {
        OneRecord record = new() { KeyText = "k" };
        Outcome.Of(Recipe.Key, record).All.PercentHash.ShouldBe(0UL);
        IdScratch asking = new() { WantPercentHash = true };
        ulong hash = Outcome.Of(Recipe.Key, record, asking).All.PercentHash;
        hash.ShouldNotBe(0UL);
        record.Get(0, out var view);
        Recipe.Key.Identify(view, asking, new SipHash(7, 8), out Identified otherKey);
        otherKey.PercentHash.ShouldBe(hash);
        otherKey.Key.ShouldNotBe(Outcome.Of(Recipe.Key, record).Key);
    }

    [Theory]
    [InlineData(0, 0, true)]
    [InlineData(199, 0, true)]
    [InlineData(200, 0, false)]
    [InlineData(0, 199, true)]
    [InlineData(299, 199, true)]
    [InlineData(300, 199, false)]
    [InlineData(-1, 0, true)]
    [InlineData(-101, 0, false)]
    public void Content_is_the_same_in_the_same_or_the_neighbouring_bucket(
        long t,
        long seen,
        bool same
    ) => ContentBucket.IsSame(t, seen, 100).ShouldBe(same);

    [Fact]
    public void An_id_has_a_longest_length()
    {
        Recipe recipe = new(new KeySource()) { MaxIdBytes = 8 };
        Outcome.Of(recipe, new OneRecord { KeyText = "1234567" }).Reason.ShouldBe(Reason.None);
        Outcome
            .Of(recipe, new OneRecord { KeyText = "12345678" })
            .Reason.ShouldBe(Reason.IdTooLong);
    }

    [Fact]
    public void Fingerprints_tell_contents_apart_and_are_never_0()
    {
        Recipe payload = new([new KeySource()], null, new Fingerprint());
        Recipe paths = Vectors
            .Parse(
                System.Text.Json.Nodes.JsonNode.Parse(
                    """{"id":"key","fingerprint":["$.a","$.b"]}"""
                )!
            )
            .Recipe!;
        ulong[] bytes =
        [
            Of(payload, """{"a":1}"""),
            Of(payload, """{"a": 1}"""),
            Of(payload, ""),
            Of(payload, null),
        ];
        bytes.Distinct().Count().ShouldBe(bytes.Length);
        Of(paths, """{"a":1,"x":2}""").ShouldBe(Of(paths, """{ "x":3, "a":1.0 }"""));
        ulong[] parts =
        [
            Of(paths, """{"a":1}"""),
            Of(paths, """{"b":1}"""),
            Of(paths, "{}"),
            Of(paths, "no"),
            Of(paths, null),
        ];
        parts.Distinct().Count().ShouldBe(parts.Length);
        parts.ShouldNotContain(0UL);

        static ulong Of(Recipe recipe, string? json) =>
            Outcome.Of(recipe, new OneRecord { KeyText = "k", Json = json }).All.Fingerprint;
    }

    [Fact]
    public void An_identity_that_somebody_names_has_the_key_of_the_record()
    {
        Recipe scoped = new(
            [new HeaderSource("none"), new KeySource()],
            new Scope(FromHeader, null, new ScopePart(new ConstantSource("order")))
        );
        IdScratch scratch = new();
        scratch.Compose(scoped, 1, IdKind.Bytes, "k"u8, "acme"u8, default, "order"u8);
        OneRecord record = new OneRecord { KeyText = "k" }.With("t", "acme");
        Outcome.Hash.Hash(scratch.Frame).ShouldBe(Outcome.Of(scoped, record).Key);
        scratch.Compose(Recipe.Key, 0, IdKind.Bytes, "k"u8);
        Outcome.Hash.Hash(scratch.Frame).ShouldBe(Outcome.Of(Recipe.Key, record).Key);
    }

    [Fact]
    public void Explain_says_why_each_source_was_passed_over()
    {
        Recipe recipe = RecipeParser.Parse("header:h | json:$.a | key | content").Recipe!;
        Reason[] reasons = new Reason[4];
        new OneRecord { KeyText = "k", Json = "{" }.Get(0, out var view);
        recipe.Explain(view, new IdScratch(), reasons).ShouldBe(2);
        reasons.ShouldBe([Reason.NoId, Reason.MalformedJson, Reason.None, Reason.None]);
        new OneRecord().Get(0, out view);
        recipe.Explain(view, new IdScratch(), reasons).ShouldBe(-1);
        reasons.ShouldBe([Reason.NoId, Reason.NoId, Reason.NullKey, Reason.NoId]);
    }
}
