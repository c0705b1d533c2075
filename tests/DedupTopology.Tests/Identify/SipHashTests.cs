using Dedup.Contracts.Identity;
using Dedup.Topology.Identify;
using Shouldly;
using Xunit;

namespace DedupTopology.Tests.Identify;

public sealed class SipHashTests
{
    /// <summary>vectors_sip128 of the reference implementation: key 00..0f, input 00, 01, 02, … of that length.</summary>
    [Theory]
    [InlineData(0, "a3817f04ba25a8e66df67214c7550293")]
    [InlineData(1, "da87c1d86b99af44347659119b22fc45")]
    [InlineData(2, "8177228da4a45dc7fca38bdef60affe4")]
    [InlineData(3, "9c70b60c5267a94e5f33b6b02985ed51")]
    [InlineData(15, "5493e99933b0a8117e08ec0f97cfc3d9")]
    public void Agrees_with_the_reference(int length, string expected)
    {
        byte[] input = [.. Enumerable.Range(0, length).Select(static i => (byte)i)];
        EventKey key = Outcome.Hash.Hash(input);
        key.ToString().ShouldBe(expected);
    }
}
