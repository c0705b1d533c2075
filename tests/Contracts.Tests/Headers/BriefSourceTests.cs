using System.Text;
using Dedup.Contracts.Headers;
using FsCheck;
using FsCheck.Fluent;
using Shouldly;

namespace Contracts.Tests.Headers;

/// <summary>One header for what is over its quota: written as documented, read back, and nothing else is taken for it.</summary>
public sealed class BriefSourceTests
{
    [Theory]
    [InlineData("orders", 3, 17, 1_767_261_723_456, "over-quota orders/3/17/1767261723456")]
    [InlineData("a.b_c-d", 0, 0, 1, "over-quota a.b_c-d/0/0/1")]
    public void It_is_written_as_documented_and_read_back(
        string topic,
        int partition,
        long offset,
        long timestampMs,
        string expected
    )
    {
        byte[] target = new byte[BriefSource.MaxSize];
        int length = BriefSource.Write(
            target,
            Encoding.UTF8.GetBytes(topic),
            partition,
            offset,
            timestampMs
        );
        Encoding.UTF8.GetString(target, 0, length).ShouldBe(expected);
        BriefSource
            .TryRead(
                target.AsSpan(0, length),
                out ReadOnlySpan<byte> t,
                out int p,
                out long o,
                out long ms
            )
            .ShouldBeTrue();
        (Encoding.UTF8.GetString(t), p, o, ms).ShouldBe((topic, partition, offset, timestampMs));
    }

    [Fact]
    public void The_longest_one_fits()
    {
        byte[] target = new byte[BriefSource.MaxSize];
        int length = BriefSource.Write(
            target,
            new byte[249],
            int.MaxValue,
            long.MaxValue,
            long.MaxValue
        );
        length.ShouldBeLessThan(BriefSource.MaxSize);
    }

    [Theory]
    [InlineData("")]
    [InlineData("over-quota")]
    [InlineData("over-quota ")]
    [InlineData("over-quota /1/2/3")]
    [InlineData("over-quota orders/1/2")]
    [InlineData("over-quota orders/1/2/x")]
    [InlineData("over-quota orders/1/-2/3")]
    [InlineData("over-quota orders/99999999999/2/3")]
    [InlineData("over-quota orders/1/2/99999999999999999999")]
    [InlineData("no-id orders/1/2/3")]
    public void Anything_else_is_not_one(string text) =>
        BriefSource
            .TryRead(Encoding.UTF8.GetBytes(text), out _, out _, out _, out _)
            .ShouldBeFalse();

    [Fact]
    public void It_never_throws_on_hostile_bytes() =>
        Prop.ForAll<byte[]>(static bytes =>
            {
                _ = BriefSource.TryRead(bytes, out _, out _, out _, out _);
                _ = BriefSource.TryRead([.. "over-quota "u8, .. bytes], out _, out _, out _, out _);
            })
            .QuickCheckThrowOnFailure();
}
