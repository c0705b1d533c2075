using Dedup.Host.Configuration;

namespace Dedup.Host.Tests.Configuration;

public sealed class QuantityTests
{
    [Theory]
    [InlineData("100ms", 100)]
    [InlineData("1.5h", 5_400_000)]
    [InlineData("24h", 86_400_000)]
    [InlineData("7d", 604_800_000)]
    [InlineData("2w", 1_209_600_000)]
    [InlineData("1_000 s", 1_000_000)]
    [InlineData("0s", 0)]
    public void Durations(string text, long ms)
    {
        Quantities.TryDuration(text, out long value).ShouldBeTrue();
        value.ShouldBe(ms);
    }

    [Theory]
    [InlineData("")]
    [InlineData("h")]
    [InlineData("1")]
    [InlineData("-1h")]
    [InlineData("1.0001ms")]
    [InlineData("1H")]
    [InlineData("1y")]
    [InlineData("99999999999999999999d")]
    [InlineData("1..5h")]
    [InlineData("_1h")]
    public void No_durations(string text) => Quantities.TryDuration(text, out _).ShouldBeFalse();

    [Theory]
    [InlineData("512MiB", 536_870_912)]
    [InlineData("512mib", 536_870_912)]
    [InlineData("1.5GiB", 1_610_612_736)]
    [InlineData("2 GB", 2_000_000_000)]
    [InlineData("7B", 7)]
    public void Sizes(string text, long bytes)
    {
        Quantities.TrySize(text, out long value).ShouldBeTrue();
        value.ShouldBe(bytes);
    }

    [Theory]
    [InlineData("1_000_000", 1_000_000)]
    [InlineData("0", 0)]
    public void Counts(string text, long count)
    {
        Quantities.TryCount(text, out long value).ShouldBeTrue();
        value.ShouldBe(count);
    }

    [Theory]
    [InlineData("2026-01-31T12:00:00Z", 1_769_860_800_000)]
    [InlineData("2026-01-31T12:00:00.500Z", 1_769_860_800_500)]
    [InlineData("2026-01-31T13:00:00+01:00", 1_769_860_800_000)]
    [InlineData("2026-01-31T12:00Z", 1_769_860_800_000)]
    public void Instants(string text, long ms)
    {
        Quantities.TryInstant(text, out long value).ShouldBeTrue();
        value.ShouldBe(ms);
    }

    [Theory]
    [InlineData(86_400_000, "24h")]
    [InlineData(604_800_000, "7d")]
    [InlineData(100, "100ms")]
    [InlineData(90_000, "90s")]
    [InlineData(0, "0s")]
    public void Durations_print_as_one_would_write_them(long ms, string text)
    {
        Quantities.Duration(ms).ShouldBe(text);
        Quantities.TryDuration(text, out long again).ShouldBeTrue();
        again.ShouldBe(ms);
    }

    [Theory]
    [InlineData("kitten", "sitting", 3)]
    [InlineData("ab", "ba", 1)]
    [InlineData("", "abc", 3)]
    [InlineData("same", "same", 0)]
    public void Edit_distance(string a, string b, int distance) =>
        Nearest.Distance(a, b).ShouldBe(distance);
}
