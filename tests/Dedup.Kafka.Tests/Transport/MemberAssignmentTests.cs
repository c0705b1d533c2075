using System.Buffers.Binary;
using System.Text;
using Dedup.Kafka.Transport;
using Shouldly;

namespace Dedup.Kafka.Tests.Transport;

/// <summary>ConsumerProtocolAssignment, as a group's leader writes it.</summary>
public sealed class MemberAssignmentTests
{
    [Fact]
    public void Partitions_of_the_topic_are_read_and_those_of_others_are_not()
    {
        byte[] bytes = Write(("other", [7]), ("in", [0, 3]), ("in-", [5]));
        var partitions = new HashSet<int> { 1 };

        MemberAssignment.TryRead(bytes, "in", partitions).ShouldBeTrue();

        partitions.ShouldBe([0, 1, 3], ignoreOrder: true);
    }

    [Fact]
    public void A_member_without_an_assignment_has_none()
    {
        var partitions = new HashSet<int>();
        MemberAssignment.TryRead([], "in", partitions).ShouldBeTrue();
        MemberAssignment.TryRead(Write(), "in", partitions).ShouldBeTrue();
        partitions.ShouldBeEmpty();
    }

    [Fact]
    public void Bytes_that_are_cut_off_anywhere_are_refused()
    {
        byte[] bytes = Write(("in", [0, 3]));
        for (int length = 1; length < bytes.Length; length++)
        {
            MemberAssignment.TryRead(bytes.AsSpan(0, length), "in", []).ShouldBeFalse($"{length}");
        }
    }

    [Fact]
    public void Negative_lengths_are_refused()
    {
        byte[] bytes = Write(("in", [0]));
        foreach (int at in (int[])[2, 6, 10])
        {
            byte[] hostile = [.. bytes];
            hostile[at] = 0xFF;
            MemberAssignment.TryRead(hostile, "in", []).ShouldBeFalse($"{at}");
        }
    }

    private static byte[] Write(params (string Topic, int[] Partitions)[] topics)
    {
        var bytes = new List<byte>();
        Append(bytes, 1, 2);
        Append(bytes, topics.Length, 4);
        foreach ((string topic, int[] partitions) in topics)
        {
            Append(bytes, topic.Length, 2);
            bytes.AddRange(Encoding.UTF8.GetBytes(topic));
            Append(bytes, partitions.Length, 4);
            Array.ForEach(partitions, p => Append(bytes, p, 4));
        }

        return [.. bytes];
    }

    private static void Append(List<byte> bytes, int value, int size)
    {
        byte[] all = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(all, value);
        bytes.AddRange(all[(4 - size)..]);
    }
}
