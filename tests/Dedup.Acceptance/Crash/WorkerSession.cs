using System.Diagnostics;
using System.Globalization;
using Dedup.Audit.Reports;
using Dedup.Host.CrashTest;
using Shouldly;

namespace Dedup.Acceptance.Crash;

/// <summary>`dedup run` processes on one pipeline with a load in the background, and the audit from outside at the end.</summary>
/// <remarks>All of it ends with the test, by PID. The logs are copied to the directory DEDUP_KEEP_LOGS, if that is set.</remarks>
internal abstract class WorkerSession(CrashTopics topics, ITestOutputHelper output)
    : IAsyncDisposable
{
    private readonly long _begun = Stopwatch.GetTimestamp();

    public CrashTopics Topics { get; } = topics;

    /// <summary>All processes, running or not.</summary>
    public abstract IReadOnlyList<WorkerProcess> Workers { get; }

    protected abstract BackgroundLoad? LoadIfAny { get; }

    protected CommittedOffsets Offsets { get; } = new(topics);

    /// <summary>Writes a line into the test's output, with the time since the beginning.</summary>
    public void Say(string what) =>
        output.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{Stopwatch.GetElapsedTime(_begun).TotalSeconds, 6:0.0} s  {what}"
            )
        );

    /// <summary>The last lines of each process.</summary>
    public string Tails() =>
        string.Join('\n', Workers.Select(static w => $"--- {w.Name} ({w.ExitCode})\n{w.Tail()}"));

    public async ValueTask DisposeAsync()
    {
        foreach (WorkerProcess worker in Workers)
        {
            worker.Dispose();
        }

        if (Environment.GetEnvironmentVariable("DEDUP_KEEP_LOGS") is { Length: > 0 } keep)
        {
            foreach (string log in Directory.GetFiles(Topics.Directory, "*.log"))
            {
                File.Copy(log, Path.Combine(keep, $"{Topics.Input}-{Path.GetFileName(log)}"));
            }
        }

        LoadIfAny?.Dispose();
        Offsets.Dispose();
        await Topics.DisposeAsync();
    }

    /// <summary>Audits: sound, and nothing missing in the counts.</summary>
    protected AuditReport AuditShouldBeSound(BackgroundLoad load)
    {
        AuditReport report = Topics.Audit(TestContext.Current.CancellationToken);
        Say($"audit: {report.Counts} {string.Join("; ", report.Notes)}");
        report.IsSound.ShouldBeTrue(
            string.Join(
                '\n',
                report.Findings.Select(static f => $"{f.Kind} {f.Count}: {f.Shown[0]}")
            )
        );
        // Nothing is late or odd here, and the window is longer than the run: each ID is on clean exactly once.
        (
            report.Counts.In,
            report.Counts.Clean,
            report.Counts.Quarantined,
            report.UnknownTotal
        ).ShouldBe((load.Sent, load.Ids, 0, 0));
        return report;
    }
}
