using Dedup.Bench.Measuring;

namespace Dedup.Bench.Contenders;

/// <summary>The runtime in a child mode of this program, without the command line of the product.</summary>
internal sealed class InProcessProgram(Job job) : Contender(job)
{
    public override string Name => "runtime";

    public override string Group => $"dedup-{Pipeline}";

    private string Pipeline => $"{Job.Tag}-main";

    public override void Prepare()
    {
        Job.Cluster.Create(Job.Partitions, isCompacted: false, Output, $"{Job.Tag}-quarantine");
        Job.Cluster.Create(Job.Partitions, isCompacted: true, $"dedup-{Pipeline}-changelog");
    }

    public override MeasuredProcess Start() => Self.Start(Job.PathOf("runtime.log"), Arguments());

    /// <summary>What <see cref="InProcess.RuntimeMode"/> takes.</summary>
    public IReadOnlyList<string> Arguments() =>
        [
            "runtime",
            "--bootstrap",
            Job.Cluster.Bootstrap,
            "--input",
            Job.Input,
            "--clean",
            Output,
            "--quarantine",
            $"{Job.Tag}-quarantine",
            "--name",
            Pipeline,
            "--state",
            Job.PathOf("state"),
            "--lanes",
            $"{Job.Lanes}",
            "--commit-ms",
            $"{Job.CommitMs}",
        ];
}
