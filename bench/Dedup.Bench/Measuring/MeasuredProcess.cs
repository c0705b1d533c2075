using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Dedup.Bench.Measuring;

/// <summary>A program under measurement. Its output goes to a file; it dies with this process.</summary>
internal sealed class MeasuredProcess : IDisposable
{
    private const int Terminate = 15;
    private const int TailLines = 15;
    private readonly Process _process;
    private readonly string _logFile;

    private MeasuredProcess(Process process, string logFile)
    {
        _process = process;
        _logFile = logFile;
    }

    /// <summary>Process id; the program's own, since every shell in between execs.</summary>
    public int Id => _process.Id;

    /// <summary>Whether it runs.</summary>
    public bool IsRunning => !_process.HasExited;

    /// <summary>Exit code, once it has ended.</summary>
    public int ExitCode => _process.ExitCode;

    /// <summary>CPU seconds so far.</summary>
    public double CpuSeconds => ProcessTree.CpuSeconds(Id);

    /// <summary>
    /// Starts a program. On the main thread only: the kernel ends the child with the thread that made it.
    /// </summary>
    public static MeasuredProcess Start(
        string logFile,
        IReadOnlyDictionary<string, string> environment,
        params IReadOnlyList<string> command
    )
    {
        // setpriv and exec keep the process id; what the shell adds to the CPU time is a millisecond.
        const string script =
            "log=$1; shift; exec >>\"$log\" 2>&1 </dev/null; "
            + "if command -v setpriv >/dev/null; then exec setpriv --pdeathsig KILL -- \"$@\"; fi; exec \"$@\"";
        var start = new ProcessStartInfo("bash") { UseShellExecute = false };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add(script);
        start.ArgumentList.Add("dedup-bench");
        start.ArgumentList.Add(logFile);
        foreach (string argument in command)
        {
            start.ArgumentList.Add(argument);
        }

        foreach ((string name, string value) in environment)
        {
            start.Environment[name] = value;
        }

        return new MeasuredProcess(
            Process.Start(start) ?? throw new BenchException("bash did not start"),
            logFile
        );
    }

    /// <summary>The last lines of its output.</summary>
    public string Tail() =>
        File.Exists(_logFile)
            ? string.Join('\n', File.ReadAllLines(_logFile).TakeLast(TailLines))
            : "";

    /// <summary>SIGTERM, and SIGKILL after the time; false when the second was needed.</summary>
    public bool Stop(TimeSpan timeout)
    {
        if (IsRunning)
        {
            _ = NativeMethods.Kill(Id, Terminate);
            if (!_process.WaitForExit(timeout))
            {
                _process.Kill(entireProcessTree: true);
                _process.WaitForExit();
                return false;
            }
        }

        return true;
    }

    /// <summary>Waits for its end.</summary>
    public bool WaitForExit(TimeSpan timeout) => _process.WaitForExit(timeout);

    public void Dispose()
    {
        if (IsRunning)
        {
            _process.Kill(entireProcessTree: true);
            _process.WaitForExit();
        }

        _process.Dispose();
    }

    private static class NativeMethods
    {
        [DllImport("libc", EntryPoint = "kill", ExactSpelling = true)]
        internal static extern int Kill(int processId, int signal);
    }
}
