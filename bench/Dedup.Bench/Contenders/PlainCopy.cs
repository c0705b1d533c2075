using Dedup.Bench.Measuring;
using Dedup.Bench.Workloads;

namespace Dedup.Bench.Contenders;

/// <summary>The floor: everything copied exactly once by the product's own transport, nothing judged or remembered.</summary>
internal sealed class PlainCopy(Job job) : Contender(job)
{
    public override string Name => "copy";

    public override string Group => $"dedup-{Job.Tag}-copy";

    public override void Prepare() =>
        Job.Cluster.Create(Job.Partitions, isCompacted: false, Output);

    public override MeasuredProcess Start() =>
        Self.Start(
            Job.PathOf("copy.log"),
            "copy",
            "--bootstrap",
            Job.Cluster.Bootstrap,
            "--input",
            Job.Input,
            "--clean",
            Output,
            "--name",
            $"{Job.Tag}-copy",
            "--lanes",
            $"{Job.Lanes}",
            "--commit-ms",
            $"{Job.CommitMs}"
        );

    /// <summary>A copy has every record of the input, repetitions too.</summary>
    public override string Judge(OutputCounts output, LoadedInput input) =>
        output.Records == input.Records && output is { Lost: 0, Foreign: 0, Misplaced: 0 }
            ? "exact"
            : $"WRONG: {output.Records} records of {input.Records}, {output.Lost} IDs lost, {output.Foreign} foreign";
}
