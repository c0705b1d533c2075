using Confluent.Kafka;
using Dedup.Bench;
using Dedup.Bench.Benchmarks;
using Dedup.Bench.Copy;
using Dedup.Bench.Identify;
using Dedup.Bench.InProcess;
using Dedup.Bench.Store;
using Dedup.Host.Brokers;

// Not async: children die with the thread that started them (see MeasuredProcess), which has to be the main one.
string name = args.Length == 0 ? "" : args[0];
string[] rest = args.Length == 0 ? [] : args[1..];
try
{
    return name switch
    {
        "main" => MainBench.Run(BenchOptions.Parse(rest)),
        "recipes" => RecipesBench.Run(BenchOptions.Parse(rest)),
        "restore" => RestoreBench.Run(BenchOptions.Parse(rest)),
        "latency" => LatencyBench.Run(BenchOptions.Parse(rest)),
        "rss" => RssBench.Run(BenchOptions.Parse(rest)),
        "store" => StoreBench.Run(rest),
        "identify" => IdentifyBench.Run(rest),
        // Modes of the children of main, restore, and latency.
        "copy" => CopyMode.Run(rest),
        "runtime" => RuntimeMode.Run(rest),
        _ => Usage(),
    };
}
catch (Exception e) when (e is BenchException or LocalKafkaException or KafkaException)
{
    Progress.Say(e.Message);
    return 1;
}

static int Usage()
{
    Console.Error.WriteLine("see bench/run.sh --help");
    return 2;
}
