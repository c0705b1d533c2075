namespace Dedup.Host.Advise;

/// <summary>What was seen of one place in the JSON payloads, or of one header.</summary>
internal sealed class PathStatistics(string name)
{
    /// <summary>Most values told apart; what has more is unique enough.</summary>
    private const int MaxDistinct = 10_000;

    private readonly HashSet<int> _distinct = [];
    private long _words;
    private long _unique;

    /// <summary>Records that have something there.</summary>
    public long Present { get; private set; }

    /// <summary>Whether what stands there can be an ID at all: single words or whole numbers, nearly always.</summary>
    public bool CanBeId => Present > 0 && _words >= Present * 9 / 10;

    /// <summary>Share of different values among those seen.</summary>
    public double Distinct =>
        Present == 0 ? 0 : Math.Min(1, (double)_distinct.Count / Math.Min(Present, MaxDistinct));

    /// <summary>Sees a value.</summary>
    public void See(ReadOnlySpan<byte> value)
    {
        Present++;
        _words += IdLooks.IsWord(value) ? 1 : 0;
        _unique += IdLooks.IsUnique(value) ? 1 : 0;
        if (_distinct.Count < MaxDistinct)
        {
            var hash = new HashCode();
            hash.AddBytes(value);
            _ = _distinct.Add(hash.ToHashCode());
        }
    }

    /// <summary>
    /// How much it looks like an ID, 0 for not at all: by its name, or by values that are UUIDs or nearly all different (a time is
    /// that too, and no ID).
    /// </summary>
    public int Promise(long records)
    {
        if (!CanBeId || IdLooks.IsTime(name) || IdLooks.IsOfSending(name))
        {
            return 0;
        }

        int byName = IdLooks.PointsOf(name);
        int byValue =
            _unique >= Present * 9 / 10 ? 30
            : Distinct >= 0.8 && Present >= 20 ? 10
            : 0;
        return byName + byValue == 0
            ? 0
            : byName + byValue + (int)(20 * Present / Math.Max(1, records));
    }
}
