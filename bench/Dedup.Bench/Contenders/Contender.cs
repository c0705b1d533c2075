using Dedup.Bench.Clusters;
using Dedup.Bench.Measuring;
using Dedup.Bench.Workloads;

namespace Dedup.Bench.Contenders;

/// <summary>What every contender gets.</summary>
/// <param name="Cluster">Broker.</param>
/// <param name="Input">Input topic.</param>
/// <param name="Partitions">Its partitions.</param>
/// <param name="Lanes">Threads that read and write.</param>
/// <param name="CommitMs">Commit interval in ms.</param>
/// <param name="Tag">Makes topics, group, and folders of this run its own.</param>
internal sealed record Job(
    BenchCluster Cluster,
    string Input,
    int Partitions,
    int Lanes,
    int CommitMs,
    string Tag
)
{
    /// <summary>A file or folder of this run.</summary>
    public string PathOf(string name) => Path.Combine(Cluster.TemporaryPath, $"{Tag}-{name}");
}

/// <summary>A program that copies first occurrences, or everything, exactly once.</summary>
internal abstract class Contender(Job job)
{
    /// <summary>Name in results.</summary>
    public abstract string Name { get; }

    /// <summary>Consumer group.</summary>
    public abstract string Group { get; }

    /// <summary>
    /// Group and topic of a second hop; null when there is none. It is through when the first is, and it has committed nothing
    /// for a while: its topic's end lies behind control records.
    /// </summary>
    public virtual (string Group, string Topic)? SecondHop => null;

    /// <summary>Output topic.</summary>
    public string Output => $"{Job.Tag}-{Name}-out";

    /// <summary>The run.</summary>
    protected Job Job { get; } = job;

    /// <summary>Makes topics and files; not measured.</summary>
    public abstract void Prepare();

    /// <summary>Starts the program.</summary>
    public abstract MeasuredProcess Start();

    /// <summary>Deletes what the run left on the broker.</summary>
    public void Clean() => Job.Cluster.Delete(Job.Cluster.TopicsWith(Job.Tag));

    /// <summary>"exact", or what is wrong with an output.</summary>
    public virtual string Judge(OutputCounts output, LoadedInput input) =>
        output.IsExact && output.Records == input.Ids
            ? "exact"
            : $"WRONG: {output.Records} records for {input.Ids} IDs, {output.Twice} twice, {output.Lost} lost, {output.Foreign} foreign, {output.Misplaced} partitions differ";
}
