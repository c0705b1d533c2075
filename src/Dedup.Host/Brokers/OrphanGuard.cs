using System.Diagnostics;

namespace Dedup.Host.Brokers;

/// <summary>
/// A bash process beside this one that cleans up when this one is gone, however it went: SIGKILL leaves no other way.
/// It reads a pipe whose only writing end is here; the kernel closes it with this process, and no PID is polled or mistaken.
/// </summary>
internal sealed class OrphanGuard : IDisposable
{
    // A child writes its PID into pids/ before it becomes the broker and ends when it cannot, so one that starts while the directory is being
    // removed dies by itself. The command line is compared since a PID may have been given to somebody else meanwhile.
    private const string DirectoryScript = """
        trap '' INT TERM HUP PIPE
        dir=$1
        while read -r _; do :; done
        for file in "$dir"/pids/*; do
          [ -e "$file" ] || continue
          pid=$(cat "$file")
          if tr '\0' '\n' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF -- "$dir"; then kill -9 "$pid" 2>/dev/null; fi
        done
        for _ in $(seq 50); do
          rm -rf -- "$dir" 2>/dev/null
          [ -e "$dir" ] || exit 0
          sleep 0.1
        done
        """;

    private const string CommandScript = """
        trap '' INT TERM HUP PIPE
        while read -r _; do :; done
        "$@"
        """;

    // Removing the directory of a broker with a few GB took 0.5 s; a hung disk must not hang the caller for ever.
    private static readonly TimeSpan EndTimeout = TimeSpan.FromSeconds(15);

    private readonly Process _process;

    private OrphanGuard(string script, params ReadOnlySpan<string> arguments)
    {
        _process = ChildProcess.Start(
            "",
            script,
            [.. arguments],
            new Dictionary<string, string>(),
            pipeInput: true
        );
    }

    /// <summary>Kills the processes named in DIRECTORY/pids and removes the directory, at Dispose or at this process's death.</summary>
    public static OrphanGuard ForDirectory(string directory) => new(DirectoryScript, directory);

    /// <summary>Runs a command at Dispose or at this process's death.</summary>
    public static OrphanGuard ForCommand(params ReadOnlySpan<string> command) =>
        new(CommandScript, command);

    /// <summary>The guard's own process id, for messages and tests.</summary>
    public int ProcessId => _process.Id;

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.StandardInput.Close();
            _ = _process.WaitForExit(EndTimeout);
        }
        _process.Dispose();
    }
}
