using System.Numerics;

namespace Dedup.Audit.Matching;

/// <summary>
/// Which input record each clean record is, as positions, and what that says of the order. Four bytes for each clean offset.
/// </summary>
/// <remarks>
/// A clean record is <em>fixed</em> when all matched ones before it come from earlier input records and all after it from
/// later ones. Such a record belongs to every longest rising subsequence, so the order is only calculated between fixed
/// ones: on a sound topic, nowhere.
/// </remarks>
internal sealed class Backbone
{
    /// <summary>
    /// Longest stretch whose smallest set of moved records is calculated; beyond it (a topic that is shuffled throughout)
    /// every record that stands behind a later one is counted. 8 bytes each: 64 MiB.
    /// </summary>
    public const int MaxStretch = 8 * 1024 * 1024;

    private readonly uint[] _inputOf;
    private ulong[] _fixed = [];

    /// <summary>Makes one for clean positions 1 to <paramref name="cleanPositions"/>.</summary>
    public Backbone(long cleanPositions) => _inputOf = new uint[checked((int)cleanPositions + 1)];

    /// <summary>Input position of the first and the last fixed record; 0 when there is none.</summary>
    public uint FirstFixedInput { get; private set; }

    /// <summary>Likewise of the last.</summary>
    public uint LastFixedInput { get; private set; }

    /// <summary>Clean position of the first fixed record; 0 when there is none.</summary>
    public uint FirstFixedClean { get; private set; }

    /// <summary>Notes what a clean record is.</summary>
    public void Match(uint clean, uint input) => _inputOf[clean] = input;

    /// <summary>Input position of a clean record; 0 when it is none.</summary>
    public uint InputOf(uint clean) => _inputOf[clean];

    /// <summary>Finds the fixed records among those matched so far.</summary>
    public void Fix()
    {
        int n = _inputOf.Length;
        _fixed = new ulong[(n + 63) / 64];
        uint lowest = uint.MaxValue;
        for (int i = n - 1; i > 0; i--)
        {
            uint input = _inputOf[i];
            if (input != 0 && input < lowest)
            {
                lowest = input;
                _fixed[i >> 6] |= 1UL << (i & 63);
            }
        }

        uint highest = 0;
        FirstFixedClean = FirstFixedInput = LastFixedInput = 0;
        for (int i = 1; i < n; i++)
        {
            uint input = _inputOf[i];
            if (input == 0)
            {
                continue;
            }

            if (input <= highest)
            {
                _fixed[i >> 6] &= ~(1UL << (i & 63));
                continue;
            }

            highest = input;
            if (IsFixed((uint)i))
            {
                FirstFixedClean = FirstFixedClean == 0 ? (uint)i : FirstFixedClean;
                FirstFixedInput = FirstFixedInput == 0 ? input : FirstFixedInput;
                LastFixedInput = input;
            }
        }
    }

    /// <summary>Whether a clean record is fixed, as of the last <see cref="Fix"/>.</summary>
    public bool IsFixed(uint clean) => (_fixed[clean >> 6] >> ((int)clean & 63) & 1) != 0;

    /// <summary>The input positions between which a clean record at that place would be in order, both exclusive.</summary>
    public (uint After, uint Before) Gap(uint clean)
    {
        uint left = FixedBelow(clean);
        uint right = FixedAbove(clean);
        return (left == 0 ? 0 : _inputOf[left], right == 0 ? uint.MaxValue : _inputOf[right]);
    }

    /// <summary>Calls back for each clean record of a smallest set whose removal leaves the rest in order.</summary>
    public void FindMoved(Action<uint> moved)
    {
        Fix();
        int n = _inputOf.Length;
        int from = 1;
        while (from < n)
        {
            if (_inputOf[from] == 0 || IsFixed((uint)from))
            {
                from++;
                continue;
            }

            int to = from;
            while (to < n && !IsFixed((uint)to))
            {
                to++;
            }

            FindMoved(from, to, moved);
            from = to;
        }
    }

    private void FindMoved(int from, int to, Action<uint> moved)
    {
        if (to - from > MaxStretch)
        {
            uint highest = 0;
            for (int i = from; i < to; i++)
            {
                if (_inputOf[i] != 0 && _inputOf[i] < highest)
                {
                    moved((uint)i);
                }

                highest = Math.Max(highest, _inputOf[i]);
            }

            return;
        }

        // Longest rising subsequence by patience sorting: tails[k] is the last of the best one of length k + 1.
        int[] previous = new int[to - from];
        int[] tails = new int[to - from];
        int length = 0;
        for (int i = from; i < to; i++)
        {
            uint input = _inputOf[i];
            if (input == 0)
            {
                continue;
            }

            int at = FirstNotBelow(tails, length, input);
            previous[i - from] = at == 0 ? -1 : tails[at - 1];
            tails[at] = i;
            length = Math.Max(length, at + 1);
        }

        int keep = length == 0 ? -1 : tails[length - 1];
        var dropped = new List<uint>();
        for (int i = to - 1; i >= from; i--)
        {
            if (i == keep)
            {
                keep = previous[i - from];
            }
            else if (_inputOf[i] != 0)
            {
                dropped.Add((uint)i);
            }
        }

        dropped.Reverse();
        dropped.ForEach(moved);
    }

    private int FirstNotBelow(int[] tails, int length, uint input)
    {
        int low = 0;
        int high = length;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (_inputOf[tails[middle]] < input)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }

    private uint FixedBelow(uint clean)
    {
        int word = (int)(clean >> 6);
        ulong bits = _fixed[word] & ((1UL << ((int)clean & 63)) - 1);
        while (bits == 0)
        {
            if (--word < 0)
            {
                return 0;
            }

            bits = _fixed[word];
        }

        return (uint)((word << 6) + 63 - BitOperations.LeadingZeroCount(bits));
    }

    private uint FixedAbove(uint clean)
    {
        uint from = clean + 1;
        int word = (int)(from >> 6);
        if (word >= _fixed.Length)
        {
            return 0;
        }

        ulong bits = _fixed[word] & (ulong.MaxValue << ((int)from & 63));
        while (bits == 0)
        {
            if (++word == _fixed.Length)
            {
                return 0;
            }

            bits = _fixed[word];
        }

        return (uint)((word << 6) + BitOperations.TrailingZeroCount(bits));
    }
}
