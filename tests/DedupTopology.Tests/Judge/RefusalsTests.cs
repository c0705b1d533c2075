using Dedup.Contracts.Identity;
using Dedup.Topology.Judge;
using Shouldly;

namespace DedupTopology.Tests.Judge;

public sealed class RefusalsTests
{
    [Fact]
    public void A_record_refused_twice_loses_its_payload_and_keeps_its_first_reason()
    {
        var refusals = new Refusals();
        refusals.IsEmpty.ShouldBeTrue();
        refusals.Add(1, 10, Reason.RefusedTooLarge).ShouldBeTrue();
        refusals.IsEmpty.ShouldBeFalse();
        refusals.IsWithoutPayload(1, 10).ShouldBeFalse();
        refusals.Add(1, 10, Reason.TimestampMissing).ShouldBeTrue();
        refusals.IsWithoutPayload(1, 10).ShouldBeTrue();
        refusals.TryGet(1, 10, out Reason reason).ShouldBeTrue();
        reason.ShouldBe(Reason.RefusedTooLarge);
        refusals.Add(1, 10, Reason.RefusedTooLarge).ShouldBeFalse("nothing is left to take away");
    }

    [Fact]
    public void What_was_committed_is_forgotten_and_nothing_else()
    {
        var refusals = new Refusals();
        refusals.ForgetBelow(1, 100);
        foreach ((int partition, long offset) in new[] { (1, 9L), (1, 10L), (1, 11L), (2, 9L) })
        {
            _ = refusals.Add(partition, offset, Reason.RefusedTooLarge);
        }

        refusals.ForgetBelow(1, 10);
        new[] { (1, 9L), (1, 10L), (1, 11L), (2, 9L) }
            .Select(r => refusals.TryGet(r.Item1, r.Item2, out _))
            .ShouldBe([false, true, true, true]);
        refusals.IsWithoutPayload(1, 9).ShouldBeFalse();
        refusals.ForgetBelow(1, 100);
        refusals.ForgetBelow(2, 100);
        refusals.IsEmpty.ShouldBeTrue();
    }
}
