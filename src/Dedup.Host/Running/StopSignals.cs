using System.Runtime.InteropServices;
using Dedup.Host.Commands;

namespace Dedup.Host.Running;

/// <summary>SIGTERM and SIGINT: the first asks for a clean stop, the second ends the process at once.</summary>
internal sealed class StopSignals : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Action<string> _onFirst;
    private readonly PosixSignalRegistration _term;
    private readonly PosixSignalRegistration _interrupt;
    private int _count;

    /// <summary>Listens from now on.</summary>
    /// <param name="onFirst">Called with the signal's name when the first one comes.</param>
    public StopSignals(Action<string> onFirst)
    {
        _onFirst = onFirst;
        _term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Handle);
        _interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Handle);
    }

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Stop => _stop.Token;

    /// <inheritdoc/>
    public void Dispose()
    {
        _term.Dispose();
        _interrupt.Dispose();
        _stop.Dispose();
    }

    private void Handle(PosixSignalContext context)
    {
        context.Cancel = true;
        if (Interlocked.Increment(ref _count) > 1)
        {
            // Not Environment.Exit: that runs handlers that may wait for the very thing that hangs.
            NativeMethods.Exit(ExitCode.Killed);
        }

        _onFirst(context.Signal.ToString());
        _stop.Cancel();
    }

    private static class NativeMethods
    {
        [DllImport("libc", EntryPoint = "_exit", ExactSpelling = true)]
        internal static extern void Exit(int code);
    }
}
