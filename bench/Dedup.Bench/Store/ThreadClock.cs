using System.Runtime.InteropServices;

namespace Dedup.Bench.Store;

/// <summary>CPU time of the calling thread: what a call costs, whatever else the machine does.</summary>
internal static unsafe partial class ThreadClock
{
    private const int ThreadCpuTime = 3; // CLOCK_THREAD_CPUTIME_ID in time.h

    /// <summary>Nanoseconds used so far.</summary>
    public static long Now
    {
        get
        {
            Span<long> time = stackalloc long[2];
            fixed (long* t = time)
            {
                _ = clock_gettime(ThreadCpuTime, t);
            }

            return (time[0] * 1_000_000_000) + time[1];
        }
    }

    [LibraryImport("libc")]
    private static partial int clock_gettime(int clock, long* time);
}
