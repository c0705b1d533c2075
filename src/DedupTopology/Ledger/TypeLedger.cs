using System.Collections.Immutable;
using System.Text;
using Dedup.Contracts.Identity;

namespace Dedup.Topology.Ledger;

/// <summary>
/// Records by event type and verdict: the <see cref="MaxShown"/> largest types, the rest as others. Those of the open
/// transaction are apart until it commits.
/// </summary>
/// <remarks>
/// A new type gets a place while there are fewer than <see cref="MaxTracked"/>. When they are all taken a commit keeps the
/// largest half and adds the rest to the others, so that a type which becomes large later is seen. Hot path: no allocation
/// but for a type's first record.
/// </remarks>
public sealed class TypeLedger
{
    /// <summary>Types that a marker names: its size is bounded, and so are the labels of metrics.</summary>
    public const int MaxShown = 100;

    /// <summary>Types counted apart at a time.</summary>
    public const int MaxTracked = 2 * MaxShown;

    /// <summary>Longest name in bytes; a longer type counts as other.</summary>
    public const int MaxNameBytes = 128;

    private const int Verdicts = PartitionLedger.Verdicts;
    private const int Slots = 512; // at most 40 % full
    private const string Prefix = "type.";
    private const string OtherPrefix = "type-other.";

    private readonly List<byte[]> _names = [];
    private readonly int[] _slots = new int[Slots];
    private readonly long[] _committed = new long[(MaxTracked + 1) * Verdicts];
    private readonly long[] _open = new long[(MaxTracked + 1) * Verdicts];

    /// <summary>The number that stands for types that are not counted apart.</summary>
    public static int Other => 0;

    /// <summary>The number of a type, for <see cref="Count"/>; valid until the next commit.</summary>
    public int NumberOf(ReadOnlySpan<byte> type)
    {
        int i = (int)(Hash(type) & (Slots - 1));
        for (; _slots[i] != 0; i = (i + 1) & (Slots - 1))
        {
            if (type.SequenceEqual(_names[_slots[i] - 1]))
            {
                return _slots[i];
            }
        }

        if (_names.Count == MaxTracked || type.Length > MaxNameBytes)
        {
            return Other;
        }

        _names.Add(type.ToArray());
        return _slots[i] = _names.Count;
    }

    /// <summary>Counts a record.</summary>
    public void Count(int number, Verdict verdict) => _open[(number * Verdicts) + (int)verdict]++;

    /// <summary>Records of a type with that verdict, committed; 0 for one that is not counted apart.</summary>
    public long Of(string type, Verdict verdict)
    {
        byte[] name = Encoding.UTF8.GetBytes(type);
        int number = _names.FindIndex(n => n.AsSpan().SequenceEqual(name)) + 1;
        return number == 0 ? 0 : _committed[(number * Verdicts) + (int)verdict];
    }

    /// <summary>Records of all other types with that verdict, committed.</summary>
    public long OfOthers(Verdict verdict) => _committed[(int)verdict];

    /// <summary>The transaction committed.</summary>
    public void Commit()
    {
        for (int i = 0; i < (_names.Count + 1) * Verdicts; i++)
        {
            _committed[i] += _open[i];
            _open[i] = 0;
        }

        if (_names.Count == MaxTracked)
        {
            KeepLargest();
        }
    }

    /// <summary>The transaction was aborted.</summary>
    public void Abort() => Array.Clear(_open);

    /// <summary>Takes the counts over from a marker; other names are not its own.</summary>
    public void Load(ImmutableArray<KeyValuePair<string, long>> counts)
    {
        Clear();
        foreach ((string name, long value) in counts)
        {
            if (TryParse(name, out int verdict, out string? type))
            {
                int number = type is null ? Other : NumberOf(Encoding.UTF8.GetBytes(type));
                _committed[(number * Verdicts) + verdict] += value;
            }
        }
    }

    /// <summary>Adds the counts as they will be when the open transaction commits, without zeros, largest types first.</summary>
    public void AddPending(ImmutableArray<KeyValuePair<string, long>>.Builder counts)
    {
        if (_names.Count == 0 && Total(Other) == 0)
        {
            return;
        }

        int[] numbers = ByTotal();
        Span<long> others = stackalloc long[Verdicts];
        AddTo(others, Other);
        for (int i = 0; i < numbers.Length; i++)
        {
            if (i >= MaxShown)
            {
                AddTo(others, numbers[i]);
                continue;
            }

            string type = Encoding.UTF8.GetString(_names[numbers[i] - 1]);
            for (int v = 0; v < Verdicts; v++)
            {
                AddCount(counts, $"{Prefix}{Name(v)}:{type}", ValueOf(numbers[i], v));
            }
        }

        for (int v = 0; v < Verdicts; v++)
        {
            AddCount(counts, $"{OtherPrefix}{Name(v)}", others[v]);
        }
    }

    private static void AddCount(
        ImmutableArray<KeyValuePair<string, long>>.Builder counts,
        string name,
        long value
    )
    {
        if (value != 0)
        {
            counts.Add(new KeyValuePair<string, long>(name, value));
        }
    }

    // type.first:order.created, or type-other.first
    private static bool TryParse(string name, out int verdict, out string? type)
    {
        verdict = -1;
        type = null;
        string? rest = null;
        if (name.StartsWith(OtherPrefix, StringComparison.Ordinal))
        {
            rest = name[OtherPrefix.Length..];
        }
        else if (name.StartsWith(Prefix, StringComparison.Ordinal))
        {
            int colon = name.IndexOf(':', StringComparison.Ordinal);
            if (colon < 0)
            {
                return false;
            }

            rest = name[Prefix.Length..colon];
            type = name[(colon + 1)..];
        }

        for (int v = 0; v < Verdicts; v++)
        {
            verdict = rest == Name(v) ? v : verdict;
        }

        return verdict >= 0;
    }

    private static string Name(int verdict) => VerdictText.Of((Verdict)verdict);

    // FNV-1a over length and the first and last eight bytes: names are few, and a probe compares them whole.
    private static uint Hash(ReadOnlySpan<byte> type)
    {
        uint hash = 2166136261 ^ (uint)type.Length;
        int n = Math.Min(8, type.Length);
        for (int i = 0; i < n; i++)
        {
            hash = (hash ^ type[i]) * 16777619;
            hash = (hash ^ type[^(i + 1)]) * 16777619;
        }

        return hash ^ (hash >> 15);
    }

    private long ValueOf(int number, int verdict) =>
        _committed[(number * Verdicts) + verdict] + _open[(number * Verdicts) + verdict];

    private long Total(int number)
    {
        long sum = 0;
        for (int v = 0; v < Verdicts; v++)
        {
            sum += ValueOf(number, v);
        }

        return sum;
    }

    private void AddTo(Span<long> sums, int number)
    {
        for (int v = 0; v < Verdicts; v++)
        {
            sums[v] += ValueOf(number, v);
        }
    }

    // Of equal ones the first in byte order, so that two owners name the same.
    private int[] ByTotal()
    {
        int[] numbers = [.. Enumerable.Range(1, _names.Count)];
        long[] totals = [.. Enumerable.Range(0, _names.Count + 1).Select(Total)];
        Array.Sort(
            numbers,
            (a, b) =>
                totals[a] != totals[b]
                    ? totals[b].CompareTo(totals[a])
                    : _names[a - 1].AsSpan().SequenceCompareTo(_names[b - 1])
        );
        return numbers;
    }

    private void KeepLargest()
    {
        var counts = ImmutableArray.CreateBuilder<KeyValuePair<string, long>>();
        AddPending(counts);
        Load(counts.ToImmutable());
    }

    private void Clear()
    {
        _names.Clear();
        Array.Clear(_slots);
        Array.Clear(_committed);
        Array.Clear(_open);
    }
}
