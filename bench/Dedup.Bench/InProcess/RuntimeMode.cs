using System.Globalization;
using System.Runtime.InteropServices;
using Dedup.Kafka.Running;

namespace Dedup.Bench.InProcess;

/// <summary>
/// Hidden mode: the runtime in this process, until SIGTERM. With <c>--records N</c> it ends by itself after N and prints the
/// managed bytes that it allocated for each record of the last three quarters.
/// </summary>
internal static class RuntimeMode
{
    /// <summary>Begins the line that says the figure.</summary>
    public const string AllocationPrefix = "allocated-per-record ";

    /// <summary>Begins a line that names a type.</summary>
    public const string TypePrefix = "allocated-type ";

    // The first quarter pays for compilation, tables, and buffers that live as long as the process.
    private const double SteadyFrom = 0.25;
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(100);

    public static int Run(string[] args)
    {
        long records = long.Parse(Arguments.Find(args, "--records") ?? "0");
        using var stop = new CancellationTokenSource();
        using PosixSignalRegistration term = PosixSignalRegistration.Create(
            PosixSignal.SIGTERM,
            context =>
            {
                context.Cancel = true;
                stop.Cancel();
            }
        );
        using var parts = new RuntimeParts(
            args,
            static e => Console.Error.WriteLine($"{e.Level} {e.Name} {e.Lane} {e.Text}")
        );
        using AllocationTypes? types = Arguments.Find(args, "--types") is null ? null : new();
        Task<RuntimeEnd> run = Task.Run(() => parts.Runtime.RunAsync(stop.Token));
        if (records > 0)
        {
            MeasureAllocation(parts.Runtime, records, run, types);
            stop.Cancel();
        }

        return run.GetAwaiter().GetResult() == RuntimeEnd.Stopped ? 0 : 1;
    }

    private static void MeasureAllocation(
        Runtime runtime,
        long records,
        Task run,
        AllocationTypes? types
    )
    {
        long fromRecords = 0;
        long fromBytes = 0;
        while (!run.IsCompleted)
        {
            Thread.Sleep(LookEvery);
            long now = 0;
            foreach (LaneSnapshot lane in runtime.Snapshot())
            {
                now += lane.Records;
            }

            if (fromRecords == 0 && now >= records * SteadyFrom)
            {
                types?.Clear();
                fromRecords = now;
                fromBytes = GC.GetTotalAllocatedBytes(precise: false);
            }

            if (now >= records)
            {
                long bytes = GC.GetTotalAllocatedBytes(precise: false) - fromBytes;
                double each = now > fromRecords ? (double)bytes / (now - fromRecords) : double.NaN;
                Console.Out.WriteLine(
                    $"{AllocationPrefix}{each.ToString("R", CultureInfo.InvariantCulture)} {now - fromRecords}"
                );
                foreach (string line in types?.Top(20) ?? [])
                {
                    Console.Error.WriteLine($"{TypePrefix}{line}");
                }

                return;
            }
        }
    }
}
