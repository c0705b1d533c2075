using System.Numerics;
using System.Runtime.InteropServices;
using Dedup.Audit.Contents;
using Dedup.Audit.Spill;
using Dedup.Contracts.Identity;

namespace Dedup.Audit.Matching;

/// <summary>Sorts the records of one bucket into groups of one event ID each, in order, and has each group compared.</summary>
internal sealed class BucketMatcher(Action<EventGroup> match)
{
    private readonly EventGroup _group = new();
    private int[] _slots = [];
    private int[] _nextInput = [];
    private int[] _nextClean = [];
    private readonly List<Chain> _chains = [];

    /// <summary>Compares all buckets, one after the other, and gives each one's memory back.</summary>
    public void MatchAll(
        BucketStore<InputEntry> inputs,
        BucketStore<CleanEntry> cleans,
        ProgressMeter meter,
        CancellationToken cancellation
    )
    {
        InputEntry[] inputEntries = [];
        CleanEntry[] cleanEntries = [];
        for (int bucket = 0; bucket < inputs.Buckets; bucket++)
        {
            cancellation.ThrowIfCancellationRequested();
            int inputCount = inputs.Read(bucket, ref inputEntries);
            int cleanCount = cleans.Read(bucket, ref cleanEntries);
            inputs.Clear(bucket);
            cleans.Clear(bucket);
            Match(inputEntries.AsSpan(0, inputCount), cleanEntries.AsSpan(0, cleanCount));
            meter.Tick(AuditPhase.Comparing);
        }
    }

    /// <summary>Compares a bucket.</summary>
    public void Match(ReadOnlySpan<InputEntry> inputs, ReadOnlySpan<CleanEntry> cleans)
    {
        int size = (int)
            BitOperations.RoundUpToPowerOf2(
                (uint)Math.Max(16, (inputs.Length + cleans.Length) * 2)
            );
        if (_slots.Length < size)
        {
            _slots = new int[size];
        }

        Grow(ref _nextInput, inputs.Length);
        Grow(ref _nextClean, cleans.Length);
        Span<int> slots = _slots.AsSpan(0, size);
        slots.Clear();
        _chains.Clear();
        for (int i = 0; i < inputs.Length; i++)
        {
            ref Chain chain = ref ChainOf(inputs[i].Id, slots);
            _nextInput[i] = -1;
            Link(ref chain.FirstInput, ref chain.LastInput, i, _nextInput);
        }

        for (int i = 0; i < cleans.Length; i++)
        {
            ref Chain chain = ref ChainOf(cleans[i].Id, slots);
            _nextClean[i] = -1;
            Link(ref chain.FirstClean, ref chain.LastClean, i, _nextClean);
        }

        foreach (ref readonly Chain chain in CollectionsMarshal.AsSpan(_chains))
        {
            _group.Clear();
            for (int i = chain.FirstInput; i >= 0; i = _nextInput[i])
            {
                _group.Add(inputs[i]);
            }

            for (int i = chain.FirstClean; i >= 0; i = _nextClean[i])
            {
                _group.Add(cleans[i]);
            }

            match(_group);
        }
    }

    private static void Link(ref int first, ref int last, int index, int[] next)
    {
        if (last < 0)
        {
            first = index;
        }
        else
        {
            next[last] = index;
        }

        last = index;
    }

    private static void Grow(ref int[] array, int length)
    {
        if (array.Length < length)
        {
            array = new int[Math.Max(length, array.Length * 2)];
        }
    }

    private ref Chain ChainOf(in EventKey id, Span<int> slots)
    {
        int mask = slots.Length - 1;
        // The bucket came from the high word; the low one is still unused.
        for (int i = (int)id.Low & mask; ; i = (i + 1) & mask)
        {
            int slot = slots[i];
            if (slot == 0)
            {
                _chains.Add(new Chain(id));
                slots[i] = _chains.Count;
                return ref CollectionsMarshal.AsSpan(_chains)[_chains.Count - 1];
            }

            ref Chain chain = ref CollectionsMarshal.AsSpan(_chains)[slot - 1];
            if (chain.Id == id)
            {
                return ref chain;
            }
        }
    }

    private struct Chain(EventKey id)
    {
        public EventKey Id = id;
        public int FirstInput = -1;
        public int LastInput = -1;
        public int FirstClean = -1;
        public int LastClean = -1;
    }
}
