using Dedup.Kafka.Tasks;
using Shouldly;

namespace Dedup.Kafka.Tests.Lanes;

/// <summary>
/// A record that the clean topic refuses, beside a partition that never drains. `dedup crash-test --rounds 10` at before-abort:
/// 40 s and 1,300 aborts without one of them found, since each commit of the other partition raised the limit again.
/// </summary>
public sealed class LaneNarrowingTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    public void Refused_records_are_found_while_another_partition_never_drains(int refused)
    {
        using var test = new LaneUnderTest();
        test.Source.CommittedOffset = static () => 0;
        test.Changelog.End = 9;
        test.Changelog.IsRead = true;
        test.Stores.Headers[0] = new(LaneUnderTest.MarkerAt(0), 7);
        test.Stores.Headers[1] = new(LaneUnderTest.MarkerAt(0), 7);
        for (int i = 0; i < refused; i++)
        {
            _ = test.Sink.Refused.Add((1, 300 + (100 * i)));
        }

        test.Source.Assign(0, 1);
        test.Steps(20);
        test.Lane.Tasks.Values.ShouldAllBe(static task => task.State == TaskState.Active);
        test.Source.Log = new EndlessLog(1_024, 64);

        for (int step = 0; step < 1_000 && test.Sink.Committed.GetValueOrDefault(1) < 1_000; step++)
        {
            test.Pass(TimeSpan.FromMilliseconds(100));
        }

        test.Lane.Failure.ShouldBeNull();
        test.Sink.Committed[1].ShouldBeGreaterThanOrEqualTo(1_000);
        test.Sink.Committed[0].ShouldBeGreaterThan(test.Sink.Committed[1]);
    }
}
