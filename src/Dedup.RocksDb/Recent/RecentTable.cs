using System.Runtime.CompilerServices;
using Dedup.Contracts.Identity;
using Dedup.RocksDb.Native;

namespace Dedup.RocksDb.Recent;

/// <summary>
/// The IDs that are not in RocksDB yet: exact, open addressing. An ID may lie in several buckets, once in each. Filled by one
/// thread; once cut it is only read, by the lane and the sealer.
/// </summary>
/// <remarks>
/// <code>
/// slots: | tag 6 bits | row number + 1, 26 bits |   0 = free; linear probing, at most 5/8 full; 16 slots to a cache line
/// rows:  pieces of 16,384 rows of 48 bytes, in the order of arrival
/// </code>
/// Slots apart from rows: a question about an unknown ID, the common case, reads one line of the small array and no row.
/// </remarks>
internal sealed class RecentTable : IDisposable
{
    /// <summary>The most rows that a slot can number, less one for "free".</summary>
    public const int MaxRows = (1 << TagShift) - 2;

    private const int TagShift = 26;
    private const int FewestSlots = 1024;
    private const int PieceShift = 14;
    private const int PieceMask = RowPool.RowsPerPiece - 1;

    private readonly RowPool _pool;
    private readonly List<RowPiece> _pieces = [];
    private readonly List<BucketState> _buckets = [];
    private readonly List<int> _rowsOf = [];
    private NativeArray<uint> _slots = new(FewestSlots);
    private int _slotBits = 10;
    private uint _lastBucket;

    public RecentTable(RowPool pool)
    {
        _pool = pool;
        _pool.AddSlotBytes(_slots.Bytes);
    }

    /// <summary>Number of rows.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes of memory.</summary>
    public long MemoryBytes =>
        _slots.Bytes + ((long)_pieces.Count * RowPool.RowsPerPiece * RecentRow.Size);

    /// <summary>Buckets that rows refer to by number.</summary>
    public IReadOnlyList<BucketState> Buckets => _buckets;

    /// <summary>Rows of buckets that were not dropped.</summary>
    public int LiveCount
    {
        get
        {
            int sum = 0;
            for (int i = 0; i < _buckets.Count; i++)
            {
                sum += _buckets[i].IsDropped ? 0 : _rowsOf[i];
            }

            return sum;
        }
    }

    /// <summary>A row.</summary>
    public ref RecentRow this[int row]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ref _pieces[row >> PieceShift][row & PieceMask];
    }

    /// <summary>Fetches a row into the cache; half of the rows lie on two lines.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void PrefetchRow(int row) => Prefetch.Whole(ref this[row]);

    /// <summary>The bucket of a row.</summary>
    public BucketState BucketOf(in RecentRow row) => _buckets[(int)row.Bucket];

    /// <summary>
    /// Remembers an ID in a bucket. Where it is there already, the greater time stays (a refresh moved it). Returns whether it
    /// was new.
    /// </summary>
    public bool Add(in EventKey key, in SeenEntry entry, BucketState bucket)
    {
        uint number = NumberOf(bucket);
        uint at = Start(key);
        for (int row = Next(key, ref at); row >= 0; row = Next(key, ref at))
        {
            ref RecentRow old = ref this[row];
            if (old.Bucket == number)
            {
                if (entry.SeenMs > old.SeenMs)
                {
                    old = new RecentRow(key, entry, number);
                }

                return false;
            }
        }

        Append(new RecentRow(key, entry, number));
        _rowsOf[(int)number]++;
        return true;
    }

    /// <summary>Where the search for a key begins.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public uint Start(in EventKey key) => (uint)(Hash(key) >> (64 - _slotBits));

    /// <summary>Fetches the line in which the search for a key begins.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void PrefetchFor(in EventKey key) => Prefetch.Line(ref _slots[Start(key)]);

    /// <summary>The next row of a key; -1 when there is none. <paramref name="at"/> comes from <see cref="Start"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Next(in EventKey key, ref uint at)
    {
        uint tag = Tag(Hash(key));
        uint mask = (1u << _slotBits) - 1;
        while (true)
        {
            uint slot = _slots[at];
            if (slot == 0)
            {
                return -1;
            }

            at = (at + 1) & mask;
            if (slot >> TagShift == tag)
            {
                int row = (int)(slot & MaxRowNumber) - 1;
                if (this[row].Key == key)
                {
                    return row;
                }
            }
        }
    }

    /// <summary>Empties the table and gives the rows' memory back; the slots are kept.</summary>
    public void Reset()
    {
        ReturnPieces();
        _buckets.Clear();
        _rowsOf.Clear();
        _lastBucket = 0;
        Count = 0;
        _slots.Clear();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        ReturnPieces();
        _pool.AddSlotBytes(-_slots.Bytes);
        _slots.Dispose();
    }

    private const uint MaxRowNumber = (1u << TagShift) - 1;

    // Keys are hashes already; the multiplication is for keys that tests make by hand, and mixes in the half that the filters
    // do not use, so that a false positive there is not a long search here.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Hash(in EventKey key) =>
        (key.Low ^ (key.High >> 7)) * 0x9E37_79B9_7F4A_7C15;

    private static uint Tag(ulong hash) => (uint)(hash >> 16) & 63;

    private uint NumberOf(BucketState bucket)
    {
        if (_lastBucket < _buckets.Count && ReferenceEquals(_buckets[(int)_lastBucket], bucket))
        {
            return _lastBucket;
        }

        int found = _buckets.IndexOf(bucket);
        if (found < 0)
        {
            found = _buckets.Count;
            _buckets.Add(bucket);
            _rowsOf.Add(0);
        }

        return _lastBucket = (uint)found;
    }

    private void Append(in RecentRow row)
    {
        if (Count >= MaxRows)
        {
            throw new InvalidOperationException(
                $"A recent table holds at most {MaxRows} IDs: seal it."
            );
        }

        if ((Count + 1) * 8L > 5L << _slotBits)
        {
            Grow();
        }

        if (Count >> PieceShift == _pieces.Count)
        {
            _pieces.Add(_pool.Take());
        }

        this[Count] = row;
        Place(row.Key, (uint)++Count);
    }

    private void Place(in EventKey key, uint number)
    {
        uint mask = (1u << _slotBits) - 1;
        uint at = Start(key);
        while (_slots[at] != 0)
        {
            at = (at + 1) & mask;
        }

        _slots[at] = (Tag(Hash(key)) << TagShift) | number;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Grow()
    {
        NativeArray<uint> old = _slots;
        _slots = new NativeArray<uint>(old.Length * 2);
        _slotBits++;
        _pool.AddSlotBytes(_slots.Bytes - old.Bytes);
        old.Dispose();
        for (int row = 0; row < Count; row++)
        {
            Place(this[row].Key, (uint)row + 1);
        }
    }

    private void ReturnPieces()
    {
        foreach (RowPiece piece in _pieces)
        {
            _pool.Return(piece);
        }

        _pieces.Clear();
    }
}
