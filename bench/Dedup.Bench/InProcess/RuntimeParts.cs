using Dedup.Kafka.Running;
using Dedup.Kafka.Transport;
using Dedup.RocksDb;
using Dedup.Topology.Identify;
using Dedup.Topology.Identify.Parsing;
using Dedup.Topology.Pipelines;
using Dedup.Topology.Windows;

namespace Dedup.Bench.InProcess;

/// <summary>The runtime as the product composes it, from the arguments of a hidden mode.</summary>
internal sealed class RuntimeParts : IDisposable
{
    // What the product makes of the default of state.memory, 512 MiB, with two lanes (Dedup.Host/Running/Composition.cs).
    private const long StoreBytes = 384L << 20;
    private const int PrefetchKilobytes = 16 * 1024;
    private const int SendKilobytes = 24 * 1024;
    private const long DayMs = 24 * 3600 * 1000L;
    private readonly StoreBudget _budget = new(StoreBytes);

    public RuntimeParts(string[] args, Action<RuntimeEvent> log)
    {
        PipelineSpec spec = Spec(args);
        var stores = new RocksStoreFactory(
            Path.Combine(Arguments.Get(args, "--state"), spec.Name),
            _budget
        );
        Runtime = new Runtime(
            new RuntimeOptions
            {
                Clients = Clients(args),
                Pipelines = [spec],
                Stores = _ => stores,
                InstanceId = "bench",
                Lanes = int.Parse(Arguments.Get(args, "--lanes")),
                Lane = new() { CommitIntervalMs = int.Parse(Arguments.Get(args, "--commit-ms")) },
                Log = log,
            }
        );
    }

    public Runtime Runtime { get; }

    /// <summary>Memory of all stores.</summary>
    public long StoreMemoryBytes => _budget.MemoryBytes;

    /// <summary>The clients' settings, with the buffers that the product gives them.</summary>
    public static ClientSettings Clients(string[] args) =>
        new([new("bootstrap.servers", Arguments.Get(args, "--bootstrap"))])
        {
            PrefetchKilobytes = PrefetchKilobytes,
            SendKilobytes = SendKilobytes,
        };

    /// <summary>The pipeline that the arguments name: the key is the ID, the window is a day.</summary>
    public static PipelineSpec Spec(string[] args)
    {
        Recipe recipe =
            RecipeParser.Parse("key").Recipe ?? throw new BenchException("the recipe is wrong");
        return new PipelineSpec
        {
            Name = Arguments.Get(args, "--name"),
            Input = Arguments.Get(args, "--input"),
            Clean = Arguments.Get(args, "--clean"),
            Quarantine = Arguments.Find(args, "--quarantine") ?? "none",
            Recipe = recipe,
            Windows = [new WindowClass(0, "", DayMs, DayMs)],
        };
    }

    public void Dispose()
    {
        Runtime.Dispose();
        _budget.Dispose();
    }
}
