namespace Dedup.Host.Advise;

/// <summary>Groups the records of a sample by the IDs of one candidate and counts repeats. Its arrays are used for one candidate after the other.</summary>
internal sealed class RepeatCounter
{
    private readonly SampleTable _table;
    private readonly ulong[] _ids;
    private readonly int[] _rows;
    private readonly long[] _distances;
    private readonly int[] _seenIn;
    private readonly Comparison<int> _earlier;
    private int _groups;

    /// <summary>Makes one.</summary>
    /// <param name="table">The sample.</param>
    /// <param name="partitions">Partitions of the topic.</param>
    public RepeatCounter(SampleTable table, int partitions)
    {
        _table = table;
        _earlier = (a, b) =>
            table.Times[a] != table.Times[b]
                ? table.Times[a].CompareTo(table.Times[b])
                : a.CompareTo(b);
        _ids = new ulong[table.Count];
        _rows = new int[table.Count];
        _distances = new long[table.Count];
        _seenIn = new int[partitions];
    }

    /// <summary>Counts for one candidate.</summary>
    public RepeatCounts Count(int candidate)
    {
        int n = 0;
        ReadOnlySpan<ulong> ids = _table.IdsOf(candidate);
        for (int row = 0; row < ids.Length; row++)
        {
            if (ids[row] != 0)
            {
                _ids[n] = ids[row];
                _rows[n++] = row;
            }
        }

        Array.Sort(_ids, _rows, 0, n);
        _groups = 0;
        Array.Clear(_seenIn);
        var counts = new RepeatCounts { Records = _table.Count, WithId = n };
        int repeats = 0;
        for (int start = 0; start < n; )
        {
            int end = start + 1;
            while (end < n && _ids[end] == _ids[start])
            {
                end++;
            }

            counts.Distinct++;
            counts.Largest = Math.Max(counts.Largest, end - start);
            if (end - start > 1)
            {
                repeats = Group(_rows.AsSpan(start, end - start), repeats, counts);
            }

            start = end;
        }

        Span<long> distances = _distances.AsSpan(0, repeats);
        distances.Sort();
        counts.SetDistances(distances);
        return counts;
    }

    /// <summary>One ID that occurs several times; gives how many repeats there are so far.</summary>
    private int Group(Span<int> rows, int repeats, RepeatCounts counts)
    {
        long[] times = _table.Times;
        // The first is the earliest; of equal times the one read first.
        rows.Sort(_earlier);
        ReadOnlySpan<ulong> payloads = _table.Payloads;
        int first = rows[0];
        _seenIn[_table.Partitions[first]] = ++_groups;
        foreach (int row in rows[1..])
        {
            _distances[repeats++] = times[row] - times[first];
            counts.Conflicts += payloads[row] != payloads[first] ? 1 : 0;
            ref int seen = ref _seenIn[_table.Partitions[row]];
            if (seen != _groups)
            {
                seen = _groups;
                counts.Elsewhere++;
            }
        }

        return repeats;
    }
}
