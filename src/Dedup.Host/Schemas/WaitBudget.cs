namespace Dedup.Host.Schemas;

/// <summary>
/// How long records may wait for schemas, over all lanes and records together: a stream of records with schema ids that nobody
/// knows must not stand still for each of them. Lanes that wait at the same time use the budget once.
/// </summary>
internal sealed class WaitBudget
{
    /// <summary>The most that may be waited at once: a healthy registry answers in a few milliseconds, over the ocean in 300.</summary>
    public static readonly TimeSpan Most = TimeSpan.FromMilliseconds(500);

    /// <summary>What may be waited at first: connecting and compiling take longer than they ever will again.</summary>
    public static readonly TimeSpan AtStart = TimeSpan.FromSeconds(2);

    /// <summary>Of the time that passes without waiting, this share may be waited later: one part in twenty.</summary>
    private const double Share = 0.05;

    private readonly TimeProvider _time;
    private readonly Lock _lock = new();
    private TimeSpan _left = AtStart;
    private long _countedAt;
    private int _waiting;

    public WaitBudget(TimeProvider time)
    {
        _time = time;
        _countedAt = time.GetTimestamp();
    }

    /// <summary>Begins to wait; false when all has been used up. Who gets true ends with <see cref="End"/>.</summary>
    /// <param name="most">How long may be waited.</param>
    public bool TryBegin(out TimeSpan most)
    {
        lock (_lock)
        {
            long now = _time.GetTimestamp();
            TimeSpan passed = _time.GetElapsedTime(_countedAt, now);
            if (_waiting == 0)
            {
                TimeSpan refilled = _left + (passed * Share);
                _left =
                    refilled < Most ? refilled
                    : _left > Most ? _left
                    : Most;
                _countedAt = now;
                passed = TimeSpan.Zero;
            }

            most = _left - passed;
            if (most < TimeSpan.FromMilliseconds(1))
            {
                return false;
            }

            _waiting++;
            return true;
        }
    }

    /// <summary>Ends to wait; with the last one who waited the time counts.</summary>
    public void End()
    {
        lock (_lock)
        {
            if (--_waiting == 0)
            {
                long now = _time.GetTimestamp();
                TimeSpan left = _left - _time.GetElapsedTime(_countedAt, now);
                _left = left > TimeSpan.Zero ? left : TimeSpan.Zero;
                _countedAt = now;
            }
        }
    }
}
