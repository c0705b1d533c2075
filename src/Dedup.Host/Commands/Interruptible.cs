using System.Runtime.InteropServices;

namespace Dedup.Host.Commands;

/// <summary>Commands that tidy up when SIGINT or SIGTERM comes, however often it comes.</summary>
internal static class Interruptible
{
    /// <summary>Runs one; after a signal it is cancelled, and says what that left.</summary>
    /// <param name="run">The command.</param>
    /// <param name="context">Where it says so.</param>
    /// <param name="said">What an interruption leaves, for "interrupted; …".</param>
    public static async Task<int> RunAsync(
        Func<CancellationToken, Task<int>> run,
        CliContext context,
        string said
    )
    {
        using var stop = new CancellationTokenSource();
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(
            PosixSignal.SIGINT,
            Handle
        );
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(
            PosixSignal.SIGTERM,
            Handle
        );
        try
        {
            return await run(stop.Token);
        }
        catch (OperationCanceledException)
        {
            await context.Error.WriteLineAsync($"interrupted; {said}");
            return ExitCode.Usage;
        }

        void Handle(PosixSignalContext signal)
        {
            signal.Cancel = true;
            stop.Cancel();
        }
    }
}
