using Dedup.Contracts.Identity;
using Dedup.Tests;
using Dedup.Topology.Identify;
using Dedup.Topology.Identify.Json;
using Dedup.Topology.Records;
using FsCheck;
using FsCheck.Fluent;
using Shouldly;

namespace DedupTopology.Tests.Identify;

/// <summary>Times in payloads.</summary>
public sealed class PayloadTimeTests
{
    [Theory]
    [InlineData("1767258000000", 1_767_258_000_000)]
    [InlineData("\"1767258000000\"", 1_767_258_000_000)]
    [InlineData("1767258000000.9", 1_767_258_000_000)]
    [InlineData("\"2026-01-01T09:00:00Z\"", 1_767_258_000_000)]
    [InlineData("\"2026-01-01T09:00Z\"", 1_767_258_000_000)]
    [InlineData("\"2026-01-01T10:00:00.123+01:00\"", 1_767_258_000_123)]
    [InlineData("\"2026-01-01T09:00:00.1239999Z\"", 1_767_258_000_123)]
    [InlineData("99999999999999999999", 253_402_300_799_999)]
    public void A_number_or_a_text_with_its_zone_is_a_time(string json, long expected)
    {
        Read($$"""{"at": {{json}}, "x": 1}""", out long ms).ShouldBe(Reason.None);
        ms.ShouldBe(expected);
    }

    [Theory]
    [InlineData("{\"at\": \"2026-01-01T09:00:00\"}", Reason.TimestampMissing)]
    [InlineData("{\"at\": \"2026-01-01\"}", Reason.TimestampMissing)]
    [InlineData("{\"at\": \"yesterday\"}", Reason.TimestampMissing)]
    [InlineData("{\"at\": \"2026-13-01T09:00:00Z\"}", Reason.TimestampMissing)]
    [InlineData("{\"at\": \"2026-01-01T09:00:00\\uD800Z\"}", Reason.TimestampMissing)]
    [InlineData("{\"at\": \"2026-01-01T09:00:00\\qZ\"}", Reason.MalformedJson)]
    [InlineData("{\"at\": \"\"}", Reason.TimestampMissing)]
    [InlineData("{\"at\": null}", Reason.TimestampMissing)]
    [InlineData("{\"at\": true}", Reason.TimestampMissing)]
    [InlineData("{\"at\": [1]}", Reason.TimestampMissing)]
    [InlineData("{\"at\": 0}", Reason.TimestampMissing)]
    [InlineData("{\"at\": -5}", Reason.TimestampMissing)]
    [InlineData("{}", Reason.TimestampMissing)]
    [InlineData("{\"at\"", Reason.MalformedJson)]
    [InlineData("no JSON", Reason.MalformedJson)]
    [InlineData(null, Reason.TimestampMissing)]
    public void What_is_no_time_is_said_to_be_none(string? json, Reason expected) =>
        Read(json, out _).ShouldBe(expected);

    [Fact]
    public void Seconds_are_counted_in_seconds_with_their_fraction()
    {
        Read("""{"at": 1767258000.5}""", out long ms, unitMs: 1000).ShouldBe(Reason.None);
        ms.ShouldBe(1_767_258_000_500);
    }

    [Fact]
    public void Every_time_that_is_written_is_read_back_and_no_bytes_make_it_throw() =>
        Prop.ForAll(
                Arb.From(
                    from ms in Gen.Choose(1, int.MaxValue)
                    from text in ArbMap.Default.GeneratorFor<NonNull<string>>()
                    select (Ms: 1000L * ms, text.Get)
                ),
                static x =>
                {
                    string iso = DateTimeOffset
                        .FromUnixTimeMilliseconds(x.Ms)
                        .ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'");
                    Reason reason = Read($$"""{"at": "{{iso}}"}""", out long ms);
                    _ = Read($$"""{"at": "{{x.Get}}"}""", out _);
                    _ = Read($$"""{"at": "2026-T{{x.Get}}Z"}""", out _);
                    return reason == Reason.None && ms == x.Ms;
                }
            )
            .Check(Config.QuickThrowOnFailure.WithMaxTest(Repetitions.Of(1_000)));

    private static Reason Read(string? json, out long ms, int unitMs = 1)
    {
        JsonPathParser.TryParse("$.at", out JsonPath? path, out _).ShouldBeTrue();
        new OneRecord { Json = json }.Get(0, out RecordView record);
        return new PayloadTime(path!, JsonLimits.Default, unitMs).Read(record, out ms);
    }
}
