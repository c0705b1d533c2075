using System.Collections.Concurrent;

namespace Dedup.Host.Schemas;

/// <summary>
/// The schemas of a registry, looked up in the background and kept. Asking never blocks for longer than the wait budget, whatever
/// the registry does. Used by several lanes at once.
/// </summary>
internal sealed class SchemaCache : IDisposable
{
    /// <summary>Most schemas kept; a topic has a few.</summary>
    private const int MaxSchemas = 1000;

    /// <summary>Most look-ups at a time; beyond them the answer is "away".</summary>
    private const int MaxLookups = 8;

    /// <summary>A schema that is not there may be registered: asked for again after this time.</summary>
    private static readonly TimeSpan NotThereFor = TimeSpan.FromSeconds(30);

    /// <summary>First pause after a look-up that failed; doubled up to the longest.</summary>
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(500);

    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    private static readonly SchemaFound NotNow = new(SchemaState.Away, null, "not known yet");

    private readonly Func<SchemaName, CancellationToken, Task<SchemaFound>> _fetch;
    private readonly Action<SchemaName, SchemaFound> _settled;
    private readonly TimeProvider _time;
    private readonly WaitBudget _budget;
    private readonly CancellationTokenSource _closing = new();
    private readonly ConcurrentDictionary<SchemaName, Entry> _entries = new();
    private readonly Lock _lock = new();
    private int _lookups;
    private int _failures;
    private long _failedAt;

    /// <summary>Makes a cache.</summary>
    /// <param name="fetch">Looks a schema up; may be called by several threads.</param>
    /// <param name="settled">Hears of each look-up that ended.</param>
    /// <param name="time">Clock.</param>
    public SchemaCache(
        Func<SchemaName, CancellationToken, Task<SchemaFound>> fetch,
        Action<SchemaName, SchemaFound> settled,
        TimeProvider time
    )
    {
        _fetch = fetch;
        _settled = settled;
        _time = time;
        _budget = new WaitBudget(time);
    }

    /// <summary>What is known of a schema, after a bounded wait where nothing is.</summary>
    public SchemaFound Get(SchemaName name)
    {
        if (_entries.TryGetValue(name, out Entry? entry) && IsKnown(entry))
        {
            return entry.Lookup.Result;
        }

        entry = Begin(name, entry, out bool isWorthWaiting);
        if (entry is null)
        {
            return NotNow;
        }

        if (isWorthWaiting && !entry.Lookup.IsCompleted)
        {
            Wait(entry.Lookup);
        }

        return entry.Lookup.IsCompletedSuccessfully ? entry.Lookup.Result : NotNow;
    }

    /// <summary>Ends what is being looked up.</summary>
    public void Dispose()
    {
        _closing.Cancel();
        _closing.Dispose();
    }

    /// <summary>The look-up of that schema that is going on, or a new one; null when there may be none now.</summary>
    private Entry? Begin(SchemaName name, Entry? known, out bool isWorthWaiting)
    {
        lock (_lock)
        {
            // While a registry is away the question whether it is back is asked, but nobody waits for the answer.
            isWorthWaiting = _failures == 0;
            if (
                _entries.TryGetValue(name, out Entry? now)
                // Also one that has ended since the caller looked.
                && (now != known || !now.Lookup.IsCompleted || IsKnown(now))
            )
            {
                return now;
            }

            if (_lookups == MaxLookups || IsPausing() || _closing.IsCancellationRequested)
            {
                return null;
            }

            MakeRoom();
            _lookups++;
            var entry = new Entry(
                Task.Run(() => LookUpAsync(name), CancellationToken.None),
                _time.GetTimestamp()
            );
            _entries[name] = entry;
            return entry;
        }
    }

    private async Task<SchemaFound> LookUpAsync(SchemaName name)
    {
        SchemaFound found;
        try
        {
            found = await _fetch(name, _closing.Token);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            found = new SchemaFound(SchemaState.Away, null, e.Message.ReplaceLineEndings(" "));
        }

        lock (_lock)
        {
            _lookups--;
            _failures = found.State == SchemaState.Away ? _failures + 1 : 0;
            _failedAt = _time.GetTimestamp();
        }

        _settled(name, found);
        return found;
    }

    private bool IsPausing()
    {
        if (_failures == 0)
        {
            return false;
        }

        TimeSpan pause = FirstPause * Math.Pow(2, Math.Min(_failures - 1, 10));
        return _time.GetElapsedTime(_failedAt) < (pause < LongestPause ? pause : LongestPause);
    }

    private bool IsKnown(Entry entry) => entry.Lookup.IsCompletedSuccessfully && !IsStale(entry);

    private bool IsStale(Entry entry) =>
        entry.Lookup.Result.State switch
        {
            SchemaState.Away => true,
            SchemaState.NotThere => _time.GetElapsedTime(entry.BegunAt) > NotThereFor,
            _ => false,
        };

    /// <summary>What is no schema goes first, then the oldest.</summary>
    private void MakeRoom()
    {
        if (_entries.Count < MaxSchemas)
        {
            return;
        }

        KeyValuePair<SchemaName, Entry> victim = _entries
            .Where(static e => e.Value.Lookup.IsCompletedSuccessfully)
            .OrderBy(static e =>
                e.Value.Lookup.Result.State is SchemaState.Usable or SchemaState.NotJson
            )
            .ThenBy(static e => e.Value.BegunAt)
            .FirstOrDefault();
        if (victim.Value is not null)
        {
            _ = _entries.TryRemove(victim);
        }
    }

    private void Wait(Task lookup)
    {
        if (_budget.TryBegin(out TimeSpan most))
        {
            _ = lookup.Wait(most);
            _budget.End();
        }
    }

    private sealed record Entry(Task<SchemaFound> Lookup, long BegunAt);
}
