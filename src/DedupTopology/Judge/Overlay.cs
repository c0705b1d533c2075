using Dedup.Contracts.Changelog;
using Dedup.Contracts.Identity;
using Dedup.Topology.Ports;
using Dedup.Topology.Proof;

namespace Dedup.Topology.Judge;

/// <summary>
/// The IDs judged first in the open transaction. They reach the store after the commit, and nothing of them survives an
/// abort. Open addressing over an array in order of arrival.
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

    /// <summary>Index of an entry + 1; 0 is free. Four bytes, so that twice as much of it stays in the core's own cache.</summary>
    private int[] _slots = new int[InitialCapacity * 2];
    private ulong[] _bits = new ulong[InitialCapacity * 2 * BitsPerSlot / 64];
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
            // A few µs for each transaction, against thousands of records.
            Array.Clear(_bits);
            Array.Clear(_slots);
        }

        _count = 0;
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

    /// <summary>
    /// Adds an entry, or puts it in the place of an earlier one of the same key and bucket, as the store will: in a bucket an
    /// ID stands once, with its greatest time.
    /// </summary>
    public void MoveOn(in NewEntry entry)
    {
        int at = IndexOf(entry.Key, entry.Bucket);
        if (at < 0)
        {
            Add(entry);
        }
        else if (entry.Entry.SeenMs > _entries[at].Entry.SeenMs)
        {
            _entries[at] = entry;
        }
    }

    /// <summary>The entry of that key in a bucket.</summary>
    public bool TryGet(in EventKey key, BucketId bucket, out SeenEntry entry)
    {
        int at = IndexOf(key, bucket);
        entry = at < 0 ? default : _entries[at].Entry;
        return at >= 0;
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

        int[] slots = _slots;
        int mask = slots.Length - 1;
        for (int i = (int)key.Low & mask; ; i = (i + 1) & mask)
        {
            int slot = slots[i];
            if (slot == 0)
            {
                return found;
            }

            ref readonly NewEntry candidate = ref _entries[slot - 1];
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

    private int IndexOf(in EventKey key, BucketId bucket)
    {
        if (!MayHave(key))
        {
            return -1;
        }

        int mask = _slots.Length - 1;
        for (int i = (int)key.Low & mask; _slots[i] != 0; i = (i + 1) & mask)
        {
            int at = _slots[i] - 1;
            if (_entries[at].Key == key && _entries[at].Bucket == bucket)
            {
                return at;
            }
        }

        return -1;
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
        while (_slots[i] != 0)
        {
            i = (i + 1) & mask;
        }

        _slots[i] = index + 1;
    }

    private void Grow()
    {
        Array.Resize(ref _entries, _entries.Length * GrowthFactor);
        _bits = new ulong[_entries.Length * 2 * BitsPerSlot / 64];
        _slots = new int[_entries.Length * 2];
        for (int i = 0; i < _count; i++)
        {
            Place(_entries[i].Key, i);
        }
    }
}
