using Dedup.RocksDb.Native;

namespace Dedup.RocksDb.Seal;

/// <summary>Something that the worker does for a store. Disposed of only when it fails or ends early: it lets go of what it holds.</summary>
internal interface IBackgroundWork : IDisposable
{
    /// <summary>Does a piece of it; true when there is more, which then waits behind what others have asked for.</summary>
    bool Run(WorkerScratch scratch);
}

/// <summary>Memory that every piece of background work uses in turn.</summary>
internal sealed class WorkerScratch : IDisposable
{
    /// <summary>Keys on their way to or from a file: 512 KB.</summary>
    public ulong[] Keys { get; } = GC.AllocateUninitializedArray<ulong>(1 << 16);

    /// <summary>The sorter.</summary>
    public KeySorter Sorter { get; } = new();

    /// <inheritdoc/>
    public void Dispose() => Sorter.Dispose();
}

/// <summary>
/// The one thread of the process that seals, drops, and makes filters, in the order asked for. One is enough: a seal takes
/// a tenth of the time in which a lane fills a table; and whatever concerns a bucket never runs at the same time.
/// </summary>
internal sealed class StoreWorker : IDisposable
{
    private readonly Lock _start = new();
    private readonly object _lock = new();
    private readonly Queue<(Storage Storage, IBackgroundWork Work)> _queue = new();
    private readonly WorkerScratch _scratch = new();
    private Thread? _thread;
    private bool _isStopping;

    /// <summary>Bytes of memory that the worker itself holds.</summary>
    public long MemoryBytes => _scratch.Sorter.MemoryBytes;

    /// <summary>Appends work for a store. Not bounded by number but by kind: a store has one seal, one build for a bucket.</summary>
    public void Enqueue(Storage storage, IBackgroundWork work)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isStopping, this);
            storage.Pending++;
            _queue.Enqueue((storage, work));
            Monitor.PulseAll(_lock);
        }

        EnsureStarted();
    }

    /// <summary>Waits until a condition holds that some work makes true, or the store has no work left.</summary>
    public void WaitFor(Storage storage, Func<bool> condition)
    {
        lock (_lock)
        {
            while (storage.Pending > 0 && !condition())
            {
                _ = Monitor.Wait(_lock);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock)
        {
            _isStopping = true;
            Monitor.PulseAll(_lock);
        }

        _thread?.Join();
        _scratch.Dispose();
    }

    private void EnsureStarted()
    {
        lock (_start)
        {
            if (_thread is null)
            {
                _thread = new Thread(Work) { IsBackground = true, Name = "dedup-store" };
                _thread.Start();
            }
        }
    }

    private void Work()
    {
        while (true)
        {
            (Storage Storage, IBackgroundWork Work) item;
            lock (_lock)
            {
                while (!_queue.TryDequeue(out item))
                {
                    if (_isStopping)
                    {
                        return;
                    }

                    _ = Monitor.Wait(_lock);
                }
            }

            bool more = RunOne(item.Storage, item.Work);
            lock (_lock)
            {
                if (more)
                {
                    _queue.Enqueue(item);
                }
                else
                {
                    item.Storage.Pending--;
                }

                Monitor.PulseAll(_lock);
            }
        }
    }

    // Whatever goes wrong belongs to the store, and its lane says it; the thread serves other stores too and must live on.
    private bool RunOne(Storage storage, IBackgroundWork work)
    {
        try
        {
            if (storage.Failure is null)
            {
                return work.Run(_scratch);
            }
        }
        catch (Exception e)
        {
            storage.Fail(e);
        }

        work.Dispose();
        return false;
    }
}
