using System.Runtime.InteropServices;
using Dedup.Bench.InProcess;
using Dedup.Kafka.Native;
using Dedup.Kafka.Transport;
using Dedup.Topology.Pipelines;

namespace Dedup.Bench.Copy;

/// <summary>Hidden mode: the exactly-once copy, until SIGTERM.</summary>
internal static class CopyMode
{
    public static int Run(string[] args)
    {
        PipelineSpec spec = RuntimeParts.Spec(args);
        ClientSettings clients = RuntimeParts.Clients(args);
        Allocator.Tune();
        int lanes = int.Parse(Arguments.Get(args, "--lanes"));
        int commitMs = int.Parse(Arguments.Get(args, "--commit-ms"));
        using var stop = new CancellationTokenSource();
        using PosixSignalRegistration term = PosixSignalRegistration.Create(
            PosixSignal.SIGTERM,
            context =>
            {
                context.Cancel = true;
                stop.Cancel();
            }
        );
        int failed = 0;
        Thread[] threads =
        [
            .. Enumerable
                .Range(0, lanes)
                .Select(lane => new Thread(() =>
                {
                    try
                    {
                        RunLane(clients, spec, lane, commitMs, stop.Token);
                    }
                    catch (Exception e)
                    {
                        Console.Error.WriteLine(e);
                        failed = 1;
                        stop.Cancel();
                    }
                })),
        ];
        Array.ForEach(threads, static t => t.Start());
        Array.ForEach(threads, static t => t.Join());
        return failed;
    }

    private static void RunLane(
        ClientSettings clients,
        PipelineSpec spec,
        int lane,
        int commitMs,
        CancellationToken stop
    )
    {
        string name = $"{spec.Name}-{lane}";
        bool useNative = NativeHandles.Obstacle is null;
        using LogQueries queries = LogQueries.Of(clients);
        using var source = new KafkaRecordSource(
            clients.Member(spec.Group, name, name),
            spec.Input,
            queries,
            useNative,
            log: null
        );
        using var sink = new KafkaTransactionalSink(
            clients.Producer(name),
            spec,
            useNative,
            log: null,
            error: null
        );
        new CopyLane(source, sink, commitMs).Run(stop);
    }
}
