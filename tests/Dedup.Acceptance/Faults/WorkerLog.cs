using System.Globalization;
using Dedup.Host.CrashTest;

namespace Dedup.Acceptance.Faults;

/// <summary>A line of a worker's log.</summary>
/// <param name="At">When it was said, to the millisecond.</param>
/// <param name="Text">The line.</param>
internal readonly record struct LogLine(DateTimeOffset At, string Text);

/// <summary>What a worker has said since it was started last.</summary>
internal sealed class WorkerLog(WorkerProcess worker)
{
    private int _from;

    /// <summary>From here on.</summary>
    public void Begin() => _from = ReadAll().Length;

    /// <summary>The first line that contains all of these; null when there is none yet.</summary>
    public LogLine? First(params string[] what) => All(what).Cast<LogLine?>().FirstOrDefault();

    /// <summary>Whether it is in any line, also in one that it said at its end and without a time.</summary>
    public bool Has(string what) =>
        ReadAll().Skip(_from).Any(line => line.Contains(what, StringComparison.Ordinal));

    /// <summary>All lines that contain all of these.</summary>
    public IEnumerable<LogLine> All(params string[] what)
    {
        foreach (string line in ReadAll().Skip(_from))
        {
            if (
                what.All(w => line.Contains(w, StringComparison.Ordinal))
                && DateTimeOffset.TryParse(
                    line.Split(' ')[0],
                    CultureInfo.InvariantCulture,
                    DateTimeStyles.AssumeUniversal,
                    out DateTimeOffset at
                )
            )
            {
                yield return new LogLine(at, line);
            }
        }
    }

    private string[] ReadAll() =>
        File.Exists(worker.LogFile) ? File.ReadAllLines(worker.LogFile) : [];
}
