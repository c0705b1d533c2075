using System.Runtime.ExceptionServices;
using Dedup.Topology.Ports;

namespace Dedup.Kafka.Transport;

/// <summary>
/// Calls that may ignore their own time-out, made on a thread of their own, so that the caller can go on without them. One at
/// a time; after one that did not come back there is no other.
/// </summary>
internal sealed class BoundedCalls
{
    private readonly object _lock = new();
    private readonly Thread _thread;

    // Guarded by the lock: what is asked for and not yet taken, and what came of it.
    private Func<TxResult>? _call;
    private Action? _last;
    private TxResult? _result;
    private ExceptionDispatchInfo? _thrown;

    /// <summary>Starts the thread.</summary>
    public BoundedCalls(string name)
    {
        _thread = new Thread(Work) { IsBackground = true, Name = name };
        _thread.Start();
    }

    /// <summary>Whether a call has not come back in time. What it works on must not be touched any more but by <see cref="End"/>.</summary>
    public bool IsHung { get; private set; }

    /// <summary>Whether the call that was begun has come back.</summary>
    public bool HasEnded
    {
        get
        {
            lock (_lock)
            {
                return _result is not null || _thrown is not null;
            }
        }
    }

    /// <summary>Begins a call; <see cref="TryEnd"/> must follow.</summary>
    public void Begin(Func<TxResult> call)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(IsHung || _last is not null, this);
            _call = call;
            _result = null;
            _thrown = null;
            Monitor.PulseAll(_lock);
        }
    }

    /// <summary>What came of the call that was begun; false when it has not come back in time, and then it goes on by itself.</summary>
    public bool TryEnd(int timeoutMs, out TxResult result)
    {
        long until = Environment.TickCount64 + timeoutMs;
        lock (_lock)
        {
            while (_result is null && _thrown is null && !IsHung)
            {
                long left = until - Environment.TickCount64;
                IsHung = left <= 0 || !Monitor.Wait(_lock, (int)left);
            }

            // It may have come back just as the time was over.
            IsHung = _result is null && _thrown is null;
            _thrown?.Throw();
            result = _result ?? default;
            return !IsHung;
        }
    }

    /// <summary>Does a last thing and ends the thread: now, or whenever the call that hangs comes back.</summary>
    public void End(Action last)
    {
        lock (_lock)
        {
            _last = last;
            Monitor.PulseAll(_lock);
        }

        if (!IsHung)
        {
            _thread.Join();
        }
    }

    private void Work()
    {
        while (true)
        {
            Func<TxResult>? call;
            lock (_lock)
            {
                while (_call is null && _last is null)
                {
                    _ = Monitor.Wait(_lock);
                }

                call = _call;
                _call = null;
            }

            if (call is null)
            {
                _last!();
                return;
            }

            Make(call);
        }
    }

    private void Make(Func<TxResult> call)
    {
        TxResult? result = null;
        ExceptionDispatchInfo? thrown = null;
        try
        {
            result = call();
        }
        catch (Exception e)
        {
            thrown = ExceptionDispatchInfo.Capture(e);
        }

        lock (_lock)
        {
            (_result, _thrown) = (result, thrown);
            Monitor.PulseAll(_lock);
        }
    }
}
