using System.Text;

namespace Dedup.Topology.Tenants;

/// <summary>What one tenant has used of a partition's state, and may. Belongs to its <see cref="TenantTable"/>.</summary>
public sealed class Tenant
{
    internal Tenant(byte[] name, TenantQuota quota, bool isPinned, ulong hash)
    {
        Name = name;
        Quota = quota;
        IsPinned = isPinned;
        Hash = hash;
        Rate = quota.Rate ?? default;
        HasRate = quota.Rate is not null;
    }

    /// <summary>The name for people; empty for records without a tenant.</summary>
    public string Text => Encoding.UTF8.GetString(Name);

    internal byte[] Name { get; }

    internal TenantQuota Quota { get; }

    /// <summary>Whether it has a quota of its own, and so is never counted among the others.</summary>
    internal bool IsPinned { get; }

    internal ulong Hash { get; }

    internal RateLimit Rate { get; }

    internal bool HasRate { get; }

    /// <summary>As of the last commit.</summary>
    internal TenantCounts Committed;

    /// <summary>What the open transaction adds.</summary>
    internal TenantCounts Open;

    internal RateBucket CommittedRate { get; set; } = RateBucket.Unasked;

    internal RateBucket OpenRate { get; set; } = RateBucket.Unasked;

    /// <summary>IDs held by slot of the table's buckets, committed.</summary>
    internal long[] Held { get; private set; } = [];

    /// <summary>What the open transaction adds to them.</summary>
    internal long[] OpenHeld { get; private set; } = [];

    /// <summary>IDs held in all slots, the open transaction included: also in those that have expired since the last commit.</summary>
    internal long HeldAtMost { get; set; }

    /// <summary>Whether the open transaction has changed anything.</summary>
    internal bool IsTouched { get; set; }

    /// <summary>Whether there is nothing to be remembered of it.</summary>
    internal bool IsBlank => Committed.Records + Open.Records == 0 && HeldAtMost == 0;

    internal void Reserve(int slots)
    {
        if (Held.Length < slots)
        {
            long[] held = new long[slots];
            long[] open = new long[slots];
            Held.CopyTo(held, 0);
            OpenHeld.CopyTo(open, 0);
            (Held, OpenHeld) = (held, open);
        }
    }

    /// <summary>IDs in a slot, the open transaction included.</summary>
    internal long HeldIn(int slot) => slot < Held.Length ? Held[slot] + OpenHeld[slot] : 0;

    internal void Commit()
    {
        Committed.Add(Open);
        Open = default;
        CommittedRate = OpenRate;
        for (int i = 0; i < Held.Length; i++)
        {
            Held[i] += OpenHeld[i];
            OpenHeld[i] = 0;
        }

        IsTouched = false;
    }

    internal void Abort()
    {
        Open = default;
        OpenRate = CommittedRate;
        HeldAtMost -= OpenHeld.Sum();
        Array.Clear(OpenHeld);
        IsTouched = false;
    }

    /// <summary>A bucket is gone.</summary>
    internal void Forget(int slot)
    {
        if (slot < Held.Length)
        {
            HeldAtMost -= Held[slot];
            Held[slot] = 0;
        }
    }

    /// <summary>Takes over what is committed of another one.</summary>
    internal void Absorb(Tenant other)
    {
        Committed.Add(other.Committed);
        Reserve(other.Held.Length);
        for (int i = 0; i < other.Held.Length; i++)
        {
            Held[i] += other.Held[i];
        }

        HeldAtMost += other.HeldAtMost;
    }
}

/// <summary>Records of a tenant.</summary>
internal struct TenantCounts
{
    public long Records;
    public long Firsts;
    public long Duplicates;
    public long OverQuota;

    public void Add(in TenantCounts other)
    {
        Records += other.Records;
        Firsts += other.Firsts;
        Duplicates += other.Duplicates;
        OverQuota += other.OverQuota;
    }
}

/// <summary>What a tenant has used, for people.</summary>
/// <param name="Name">The tenant; empty for records without one.</param>
/// <param name="Records">Records consumed.</param>
/// <param name="Firsts">First occurrences.</param>
/// <param name="Duplicates">Duplicates.</param>
/// <param name="OverQuota">Records that its quota did not let through.</param>
/// <param name="Ids">IDs held.</param>
public readonly record struct TenantUsage(
    string Name,
    long Records,
    long Firsts,
    long Duplicates,
    long OverQuota,
    long Ids
);
