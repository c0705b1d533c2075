using Dedup.Host.Samples;

namespace Dedup.Host.Tests.Advise;

public sealed class SampleRangeTests
{
    private const long Now = MemoryTopic.Start + 1_000_000;

    [Fact]
    public void A_small_topic_is_read_whole()
    {
        using MemoryTopic topic = Make(10, 20);
        SampleRange range = SampleRange.Newest(topic, 30, topic.OffsetsAt, Now);
        range.IsWhole.ShouldBeTrue();
        range.Offsets.ShouldBe(30);
    }

    [Theory]
    [InlineData(1000)]
    [InlineData(300)]
    [InlineData(37)]
    public void Of_a_large_one_the_newest_are_read_from_the_same_time_on_in_every_partition(
        int most
    )
    {
        // One partition has ten times the rate of the other.
        using MemoryTopic topic = Make(10_000, 1_000);
        SampleRange range = SampleRange.Newest(topic, most, topic.OffsetsAt, Now);
        range.IsWhole.ShouldBeFalse();
        range.Offsets.ShouldBeInRange(most * 9 / 10, most);
        range.From.ShouldBe(topic.OffsetsAt(range.SinceMs!.Value));
        range.To.ShouldBe([10_000, 1_000]);
    }

    [Fact]
    public void Where_timestamps_do_not_tell_each_partition_gives_the_same_share()
    {
        using var topic = new MemoryTopic(2);
        for (int i = 0; i < 1500; i++)
        {
            topic.Add(MemoryTopic.Start, "x", partition: i % 3 == 0 ? 1 : 0);
        }

        SampleRange range = SampleRange.Newest(topic, 150, topic.OffsetsAt, Now);
        range.SinceMs.ShouldBeNull();
        range.From.ShouldBe([900, 450]);
        range.Offsets.ShouldBe(150);
    }

    private static MemoryTopic Make(int first, int second)
    {
        var topic = new MemoryTopic(2);
        for (int i = 0; i < first; i++)
        {
            topic.Add(MemoryTopic.Start + (i * 1_000_000L / first), "x");
        }

        for (int i = 0; i < second; i++)
        {
            topic.Add(MemoryTopic.Start + (i * 1_000_000L / second), "x", partition: 1);
        }

        return topic;
    }
}
