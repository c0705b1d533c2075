using System.Diagnostics;
using System.Globalization;
using Dedup.Simulation.Scenarios;

namespace Dedup.Simulation.Runs;

/// <summary>Runs many seeds on several threads. Each run is a world of its own: threads share nothing but the counter.</summary>
public sealed class SeedBatch
{
    /// <summary>After so many failures the rest tells nothing new.</summary>
    private const int MaxFailures = 10;

    private readonly ulong _from;
    private readonly long _count;
    private readonly int _threads;
    private readonly List<RunResult> _failures = [];
    private readonly Lock _lock = new();
    private readonly Stopwatch _watch = new();
    private long _next;
    private long _done;
    private long _reportedMs;

    /// <summary>Makes a batch.</summary>
    public SeedBatch(ulong from, long count, int threads)
    {
        _from = from;
        _count = count;
        _threads = threads;
    }

    /// <summary>When to stop; null for never.</summary>
    public TimeSpan? Deadline { get; init; }

    /// <summary>Whether the deadline alone ends it.</summary>
    public bool IsEndless { get; init; }

    /// <summary>Where progress goes, every ten seconds.</summary>
    public TextWriter? Progress { get; init; }

    /// <summary>File to which progress is appended.</summary>
    public string? Log { get; init; }

    /// <summary>What is left out of each seed.</summary>
    public Overrides? Overrides { get; init; }

    /// <summary>Directory for the real store's files; null for the model store.</summary>
    public string? StateRoot { get; init; }

    /// <summary>Called for each result, one at a time.</summary>
    public Action<RunResult>? OnResult { get; init; }

    /// <summary>Seeds done.</summary>
    public long Done => _done;

    /// <summary>Input records in all.</summary>
    public long Records { get; private set; }

    /// <summary>Committed transactions in all.</summary>
    public long Commits { get; private set; }

    /// <summary>Faults in all.</summary>
    public long Faults { get; private set; }

    /// <summary>Runs in which the group protocol left a partition to nobody and a lane joined again for it.</summary>
    public long Rejoined { get; private set; }

    /// <summary>Longest time of a quiet phase.</summary>
    public long LongestQuietMs { get; private set; }

    /// <summary>Runs; gives the failures.</summary>
    public IReadOnlyList<RunResult> Run()
    {
        _watch.Start();
        if (_threads == 1)
        {
            Work();
        }
        else
        {
            var threads = new Thread[_threads];
            for (int i = 0; i < threads.Length; i++)
            {
                threads[i] = new Thread(Work);
                threads[i].Start();
            }

            foreach (Thread thread in threads)
            {
                thread.Join();
            }
        }

        return _failures;
    }

    private void Work()
    {
        while (
            _failures.Count < MaxFailures
            && (Deadline is not { } deadline || _watch.Elapsed < deadline)
        )
        {
            long index = Interlocked.Increment(ref _next) - 1;
            if (index >= _count && !IsEndless)
            {
                return;
            }

            RunResult result = SimulatedRun.Run(
                Scenario.Of(_from + (ulong)index, Overrides),
                stateRoot: StateRoot
            );
            lock (_lock)
            {
                Note(result);
            }
        }
    }

    private void Note(RunResult result)
    {
        _done++;
        Records += result.Records;
        Commits += result.Commits;
        Faults += result.Faults;
        Rejoined += result.Rejoins > 0 ? 1 : 0;
        LongestQuietMs = Math.Max(LongestQuietMs, result.QuietMs);
        OnResult?.Invoke(result);
        if (result.Violation is not null)
        {
            _failures.Add(result);
            Progress?.WriteLine(
                $"seed {result.Seed}: {result.Violation.Invariant}: {result.Violation.What}"
            );
        }

        if (_watch.ElapsedMilliseconds - _reportedMs >= 10_000)
        {
            _reportedMs = _watch.ElapsedMilliseconds;
            double rate = _done / _watch.Elapsed.TotalMinutes;
            Progress?.WriteLine($"{_done} seeds, {rate:F0} a minute, {_failures.Count} failed");
            if (Log is not null)
            {
                string line = string.Create(
                    CultureInfo.InvariantCulture,
                    $"from {_from} done {_done} failed {_failures.Count} after {_watch.Elapsed.TotalSeconds:F0} s{Environment.NewLine}"
                );
                File.AppendAllText(Log, line);
            }
        }
    }
}
