using Dedup.Simulation.Chance;

namespace Dedup.Simulation.Broker;

/// <summary>Spreads partitions over members, as the leader of the group does.</summary>
internal static class Assignor
{
    /// <summary>
    /// cooperative-sticky (KIP-429): members keep what they own as far as the balance allows, and a partition that moves is
    /// given to nobody in this round: its owner revokes it first and joins again. Eager: claims are empty, so that
    /// everything is given out at once.
    /// </summary>
    /// <param name="members">Members; their assignment is set.</param>
    /// <param name="partitions">Partitions of the topic.</param>
    /// <param name="chance">Decides what an assignor may do either way.</param>
    /// <param name="isShuffled">Any assignment may come out, as from another assignor; else a balanced one.</param>
    public static void Assign(
        IReadOnlyList<GroupMember> members,
        int partitions,
        Rng chance,
        bool isShuffled
    )
    {
        var owner = new GroupMember?[partitions];
        foreach (GroupMember member in members)
        {
            foreach (int p in member.Claimed)
            {
                // Two claim it: a member that was away, and the one that works on it. Java's assignor believes the later
                // generation (AbstractStickyAssignor), librdkafka's the last one in the list (adjust_assignment).
                if (p < partitions && (owner[p] is null || chance.OneIn(2)))
                {
                    owner[p] = member;
                }
            }
        }

        GroupMember[] target = isShuffled
            ? Shuffled(members, partitions, chance)
            : Balanced(members, owner);
        foreach (GroupMember member in members)
        {
            member.Assigned.Clear();
        }

        for (int p = 0; p < partitions; p++)
        {
            if (owner[p] is null || owner[p] == target[p])
            {
                target[p].Assigned.Add(p);
            }
        }
    }

    private static GroupMember[] Shuffled(
        IReadOnlyList<GroupMember> members,
        int partitions,
        Rng shuffle
    )
    {
        var target = new GroupMember[partitions];
        for (int p = 0; p < partitions; p++)
        {
            target[p] = shuffle.Pick(members);
        }

        return target;
    }

    private static GroupMember[] Balanced(IReadOnlyList<GroupMember> members, GroupMember?[] owner)
    {
        var load = new Dictionary<GroupMember, int>();
        foreach (GroupMember member in members)
        {
            load[member] = 0;
        }

        int most = (owner.Length + members.Count - 1) / members.Count;
        var target = new GroupMember?[owner.Length];
        for (int p = 0; p < owner.Length; p++)
        {
            if (owner[p] is { } keeps && load[keeps] < most)
            {
                target[p] = keeps;
                load[keeps]++;
            }
        }

        for (int p = 0; p < owner.Length; p++)
        {
            if (target[p] is null)
            {
                GroupMember least = Least(members, load);
                target[p] = least;
                load[least]++;
            }
        }

        return target!;
    }

    private static GroupMember Least(
        IReadOnlyList<GroupMember> members,
        Dictionary<GroupMember, int> load
    )
    {
        GroupMember least = members[0];
        foreach (GroupMember member in members)
        {
            if (load[member] < load[least])
            {
                least = member;
            }
        }

        return least;
    }
}
