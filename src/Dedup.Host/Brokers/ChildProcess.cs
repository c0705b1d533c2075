using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Dedup.Host.Brokers;

/// <summary>Starts a bash script as a child that holds nothing of its parent: no terminal, no session, no inherited descriptor.</summary>
internal static class ChildProcess
{
    public const int SignalTerminate = 15;
    public const int SignalContinue = 18;
    public const int SignalStop = 19;

    // librdkafka's sockets have no close-on-exec: a broker that inherits its own clients' connections keeps them open after the client's death.
    // Not `done 2>/dev/null`: bash keeps the original stderr on one of the descriptors that the loop closes.
    private const string Prologue = """
        for fd in /proc/self/fd/*; do
          fd=${fd##*/}
          if [ "$fd" -gt 2 ] && [ "$fd" -lt 255 ]; then eval "exec $fd>&-"; fi
        done
        """;

    // A session of its own, so that Ctrl-C in the terminal reaches the parent alone and the parent decides about its brokers.
    // setsid does not fork here (a child of .NET leads no process group), so the PID stays the one that .NET knows.
    private const string NewSession = """
        script=$1; shift
        if command -v setsid >/dev/null 2>&1; then exec setsid bash -c "$script" dedup-child "$@"; fi
        exec bash -c "$script" dedup-child "$@"
        """;

    /// <summary>Runs <paramref name="script"/> with "$1"… = <paramref name="arguments"/>; output goes to <paramref name="outputFile"/> ("" drops it).</summary>
    public static Process Start(
        string outputFile,
        string script,
        IReadOnlyList<string> arguments,
        IReadOnlyDictionary<string, string> environment,
        bool pipeInput = false
    )
    {
        string redirect =
            $"exec >>{Quote(outputFile.Length == 0 ? "/dev/null" : outputFile)} 2>&1{(pipeInput ? "" : " </dev/null")}\n";
        var start = new ProcessStartInfo("bash")
        {
            RedirectStandardInput = pipeInput,
            UseShellExecute = false,
        };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add(NewSession);
        start.ArgumentList.Add("dedup-child");
        start.ArgumentList.Add(redirect + Prologue + "\n" + script);
        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }
        Quiet(start);
        foreach ((string name, string value) in environment)
        {
            start.Environment[name] = value;
        }
        return Process.Start(start)
            ?? throw new InvalidOperationException(
                "bash did not start; Dedup starts local brokers with it"
            );
    }

    /// <summary>Sends a signal that Process.Kill cannot send; false when the process is gone.</summary>
    public static bool Signal(Process process, int signal) =>
        !process.HasExited && NativeMethods.Kill(process.Id, signal) == 0;

    /// <summary>
    /// Each .NET process makes pipes for debuggers in the temporary directory; one that is killed leaves them there, and these
    /// are started to be killed.
    /// </summary>
    public static void Quiet(ProcessStartInfo start) =>
        start.Environment["DOTNET_EnableDiagnostics"] = "0";

    private static string Quote(string text) =>
        "'" + text.Replace("'", "'\\''", StringComparison.Ordinal) + "'";

    private static class NativeMethods
    {
        [DllImport("libc", EntryPoint = "kill", ExactSpelling = true)]
        internal static extern int Kill(int processId, int signal);
    }
}
