namespace Dedup.Simulation.Disk;

/// <summary>
/// Stands at the named points of a real store's worker, so that the simulation says when it goes on, and a process can die with
/// a seal half done. The same seed then gives the same run though a second thread does the work.
/// </summary>
internal sealed class WorkerGate
{
    /// <summary>How often the worker is looked at that has reached no point: it says nothing when it is out of work.</summary>
    private const int LookEveryMs = 1;

    private readonly object _lock = new();
    private bool _isAtPoint;
    private bool _mayPass;
    private bool _isOpen;
    private bool _isTorn;

    /// <summary>On the worker's thread, at each point.</summary>
    public void Reached(string point)
    {
        lock (_lock)
        {
            _isAtPoint = true;
            Monitor.PulseAll(_lock);
            while (!_mayPass && !_isOpen && !_isTorn)
            {
                _ = Monitor.Wait(_lock);
            }

            _isAtPoint = false;
            _mayPass = false;
            Monitor.PulseAll(_lock);
            if (_isTorn)
            {
                throw new IOException($"the process died at {point}");
            }
        }
    }

    /// <summary>On the simulation's thread: the worker goes on to its next point, or to the end of its work.</summary>
    public void LetOn(Func<bool> isBusy)
    {
        lock (_lock)
        {
            Settle(isBusy);
            if (_isAtPoint)
            {
                _mayPass = true;
                Monitor.PulseAll(_lock);
                while (_mayPass)
                {
                    _ = Monitor.Wait(_lock);
                }
            }

            Settle(isBusy);
        }
    }

    /// <summary>From now on the worker is not stopped.</summary>
    public void Open()
    {
        lock (_lock)
        {
            _isOpen = true;
            Monitor.PulseAll(_lock);
        }
    }

    /// <summary>The process is dead: what the worker was at ends here.</summary>
    public void Tear()
    {
        lock (_lock)
        {
            _isTorn = true;
            Monitor.PulseAll(_lock);
        }
    }

    private void Settle(Func<bool> isBusy)
    {
        while (!_isAtPoint && isBusy())
        {
            _ = Monitor.Wait(_lock, LookEveryMs);
        }
    }
}
