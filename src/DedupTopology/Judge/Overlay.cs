using System.Numerics;
using Dedup.Contracts.Identity;
using Dedup.Topology.Ports;
using Dedup.Topology.Proof;

namespace Dedup.Topology.Judge;

/// <summary>
/// The IDs judged first in the open transaction. They reach the store after the commit, and nothing of them survives an
/// abort. Open addressing over an array in order of arrival; a generation in each slot makes clearing free.
/// </summary>
/// <remarks>
/// Nearly every ID asked for is not here. One bit for each of 8 times as many hashes as there are slots answers that from memory
/// that stays in the core's own cache, where a slot would be fetched from the one shared by all.
/// </remarks>
public sealed class Overlay
{
    private const int InitialCapacity = 4096;

    /// <summary>A few large steps: what is left behind is garbage, and transactions reach their usual size within seconds.</summary>
    private const int GrowthFactor = 8;

    private const int BitsPerSlot = 8;

    private NewEntry[] _entries = new NewEntry[InitialCapacity];
    private ulong[] _slots = new ulong[InitialCapacity * 2];
    private ulong[] _bits = new ulong[InitialCapacity * 2 * BitsPerSlot / 64];
    private uint _generation = 1;
    private int _count;

    /// <summary>Entries held.</summary>
    public int Count => _count;

    /// <summary>The entries in order of arrival.</summary>
    public ReadOnlySpan<NewEntry> Entries => _entries.AsSpan(0, _count);

    /// <summary>Forgets all.</summary>
    public void Clear()
    {
        if (_count > 0)
        {
            Array.Clear(_bits);
        }

        _count = 0;
        if (++_generation == 0)
        {
            // After 2^32 transactions old stamps would look new again.
            Array.Clear(_slots);
            _generation = 1;
        }
    }

    /// <summary>Adds an entry, also beside another of the same key. Allocation-free once grown.</summary>
    public void Add(in NewEntry entry)
    {
        if (_count == _entries.Length)
        {
            Grow();
        }

        _entries[_count] = entry;
        Place(entry.Key, _count);
        _count++;
    }

    /// <summary>Of the entries of that key within the window the one with the greatest time.</summary>
    public bool TryFind(
        in EventKey key,
        long timestampMs,
        long windowMs,
        out SeenEntry entry,
        out ushort windowClass
    )
    {
        entry = default;
        windowClass = 0;
        bool found = false;
        if (!MayHave(key) || Planted.Is(PlantedBug.OverlayNotAsked))
        {
            return false;
        }

        ulong[] slots = _slots;
        int mask = slots.Length - 1;
        for (int i = (int)key.Low & mask; ; i = (i + 1) & mask)
        {
            ulong slot = slots[i];
            if ((uint)(slot >> 32) != _generation)
            {
                return found;
            }

            ref readonly NewEntry candidate = ref _entries[(int)(uint)slot];
            if (
                candidate.Key == key
                && Windows.WindowClass.IsWithin(candidate.Entry.SeenMs, timestampMs, windowMs)
                && (!found || candidate.Entry.SeenMs > entry.SeenMs)
            )
            {
                entry = candidate.Entry;
                windowClass = candidate.Bucket.Class;
                found = true;
            }
        }
    }

    private bool MayHave(in EventKey key)
    {
        int bit = (int)key.High & ((_bits.Length * 64) - 1);
        return (_bits[bit >> 6] & (1UL << bit)) != 0;
    }

    private void Place(in EventKey key, int index)
    {
        int bit = (int)key.High & ((_bits.Length * 64) - 1);
        _bits[bit >> 6] |= 1UL << bit;
        int mask = _slots.Length - 1;
        int i = (int)key.Low & mask;
        while ((uint)(_slots[i] >> 32) == _generation)
        {
            i = (i + 1) & mask;
        }

        _slots[i] = ((ulong)_generation << 32) | (uint)index;
    }

    private void Grow()
    {
        Array.Resize(ref _entries, _entries.Length * GrowthFactor);
        _bits = new ulong[_entries.Length * 2 * BitsPerSlot / 64];
        _slots = new ulong[(int)BitOperations.RoundUpToPowerOf2((uint)_entries.Length * 2)];
        for (int i = 0; i < _count; i++)
        {
            Place(_entries[i].Key, i);
        }
    }
}
