using System.Diagnostics;
using System.Globalization;
using Dedup.Host.Brokers;

namespace Dedup.Host.CrashTest;

/// <summary>
/// One <c>dedup run</c> as a child process with a state directory of its own, to be killed, frozen, and started again. The
/// PID is on disk before the program runs, so that <see cref="OrphanGuard"/> ends it when this process dies first.
/// </summary>
internal sealed class WorkerProcess : IDisposable
{
    /// <summary>Standard error of a child that would not start is said up to here.</summary>
    private const int TailLines = 12;

    private const string RunScript = """
        set -e
        echo $$ >"$1"
        if [ "$2" -gt 0 ]; then trap '' XFSZ; ulimit -f "$2"; fi
        shift 2
        exec "$@"
        """;

    /// <summary>What <c>dedup run</c> says once it listens to signals.</summary>
    private const string Started = "process.started";

    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan KillTimeout = TimeSpan.FromSeconds(10);

    private readonly CrashTopics _topics;
    private Process? _process;
    private long _logFrom;

    /// <summary>Writes its configuration; nothing is started.</summary>
    /// <param name="topics">Topics and files.</param>
    /// <param name="name">Name among the workers of these topics.</param>
    /// <param name="isStatic">Static or dynamic membership.</param>
    /// <param name="kafka">Properties of this worker that win over those of all.</param>
    public WorkerProcess(
        CrashTopics topics,
        string name,
        bool isStatic = true,
        IReadOnlyDictionary<string, string>? kafka = null
    )
    {
        _topics = topics;
        Name = name;
        Config = topics.WriteConfig(name, StateDirectory, isStatic, kafka);
    }

    /// <summary>Name of this worker among those of its topics.</summary>
    public string Name { get; }

    /// <summary>Its state directory.</summary>
    public string StateDirectory => Path.Combine(_topics.Directory, Name);

    /// <summary>What it wrote, over all its starts.</summary>
    public string LogFile => Path.Combine(_topics.Directory, Name + ".log");

    /// <summary>Its configuration.</summary>
    public string Config { get; }

    /// <summary>Process id; 0 before the first start.</summary>
    public int Id => _process?.Id ?? 0;

    /// <summary>Whether it is there; a frozen one is.</summary>
    public bool IsRunning => _process is { HasExited: false };

    /// <summary>How the last one ended; 128 + signal as shells count it, null while it runs.</summary>
    public int? ExitCode => _process is { HasExited: true } p ? p.ExitCode : null;

    /// <summary>Starts it, optionally to crash at <c>POINT[:K]</c>, or unable to write files of more than so many KiB.</summary>
    public void Start(string crashAt = "", int mostFileKiB = 0)
    {
        if (IsRunning)
        {
            throw new InvalidOperationException($"worker {Name} is already running");
        }

        _process?.Dispose();
        _logFrom = File.Exists(LogFile) ? new FileInfo(LogFile).Length : 0;
        _process = ChildProcess.Start(
            LogFile,
            RunScript,
            [
                Path.Combine(_topics.PidDirectory, Name),
                mostFileKiB.ToString(CultureInfo.InvariantCulture),
                CrashTopics.Program,
                "run",
                "--config",
                Config,
            ],
            EnvironmentFor(crashAt, mostFileKiB)
        );
    }

    /// <summary>SIGKILL: gone when this returns.</summary>
    public void Kill()
    {
        if (_process is { HasExited: false } process)
        {
            process.Kill();
            _ = process.WaitForExit(KillTimeout);
        }
    }

    /// <summary>SIGSTOP: its connections stay open, and it does not answer.</summary>
    public void Freeze() => Signal(ChildProcess.SignalStop);

    /// <summary>SIGCONT.</summary>
    public void Thaw() => Signal(ChildProcess.SignalContinue);

    /// <summary>
    /// SIGTERM, and its exit code; null when it had to be killed. One that was only just started is let come up first: until it
    /// listens to signals, SIGTERM ends it as it ends any program.
    /// </summary>
    public async Task<int?> StopAsync(TimeSpan limit, CancellationToken cancellation)
    {
        long begun = Stopwatch.GetTimestamp();
        while (IsRunning && !HasSaid(Started) && Stopwatch.GetElapsedTime(begun) < limit)
        {
            await Task.Delay(LookEvery, cancellation);
        }

        Signal(ChildProcess.SignalTerminate);
        bool ended = await EndsAsync(limit, cancellation);
        if (!ended)
        {
            Kill();
        }

        return ended ? ExitCode : null;
    }

    /// <summary>Whether it has said this since it was started last.</summary>
    private bool HasSaid(string what)
    {
        if (!File.Exists(LogFile))
        {
            // The shell makes it when it runs.
            return false;
        }

        using var log = new StreamReader(
            new FileStream(LogFile, FileMode.Open, FileAccess.Read, FileShare.ReadWrite)
        );
        _ = log.BaseStream.Seek(_logFrom, SeekOrigin.Begin);
        return log.ReadToEnd().Contains(what, StringComparison.Ordinal);
    }

    /// <summary>Waits until it has ended by itself; false when it has not.</summary>
    public async Task<bool> EndsAsync(TimeSpan limit, CancellationToken cancellation)
    {
        if (_process is not { } process)
        {
            return true;
        }

        using var source = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        source.CancelAfter(limit);
        try
        {
            await process.WaitForExitAsync(source.Token);
            return true;
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return false;
        }
    }

    /// <summary>The last it said, for messages.</summary>
    public string Tail() =>
        File.Exists(LogFile)
            ? string.Join('\n', File.ReadLines(LogFile).TakeLast(TailLines))
            : string.Create(CultureInfo.InvariantCulture, $"(no log of {Name})");

    /// <inheritdoc/>
    public void Dispose()
    {
        Kill();
        _process?.Dispose();
    }

    private static Dictionary<string, string> EnvironmentFor(string crashAt, int mostFileKiB)
    {
        var environment = new Dictionary<string, string> { [KillAtPoint.Variable] = crashAt };
        if (mostFileKiB > 0)
        {
            // Executable memory is otherwise mapped twice from a sparse file of 2 GB, and the runtime would not even start.
            environment["DOTNET_EnableWriteXorExecute"] = "0";
        }

        return environment;
    }

    private void Signal(int signal)
    {
        if (_process is { } process)
        {
            _ = ChildProcess.Signal(process, signal);
        }
    }
}
