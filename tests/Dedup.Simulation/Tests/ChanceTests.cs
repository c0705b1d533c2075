using Dedup.Simulation.Chance;
using Shouldly;

namespace Dedup.Simulation.Tests;

public sealed class ChanceTests
{
    /// <summary>First outputs of xoshiro256** seeded by splitmix64(0): the reference of Blackman and Vigna.</summary>
    [Fact]
    public void The_generator_is_the_published_one()
    {
        var rng = new Rng(0);

        rng.Next().ShouldBe(0x99EC5F36CB75F2B4UL);
        rng.Next().ShouldBe(0xBF6E1F784956452AUL);
    }

    [Fact]
    public void Splitmix_is_the_published_one()
    {
        ulong state = 0;

        Rng.SplitMix(ref state).ShouldBe(0xE220A8397B1DCDAFUL);
    }

    [Fact]
    public void Bounds_are_kept()
    {
        var rng = new Rng(42);
        for (int i = 0; i < 10_000; i++)
        {
            rng.Below(7).ShouldBeInRange(0, 6);
            rng.Between(-3, 3).ShouldBeInRange(-3, 3);
            rng.Between(10L, 12L).ShouldBeInRange(10, 12);
            rng.Skewed(100).ShouldBeInRange(0, 100);
        }

        rng.Below(0).ShouldBe(0);
        rng.Between(5L, 5L).ShouldBe(5);
    }
}
