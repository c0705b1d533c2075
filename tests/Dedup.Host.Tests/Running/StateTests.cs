using System.Diagnostics;
using Dedup.Host.Configuration;
using Dedup.Host.Guards;
using Dedup.Host.Running;
using Dedup.Host.Tests.Configuration;
using Dedup.Host.Tests.Guards;
using Dedup.Topology.Pipelines;

namespace Dedup.Host.Tests.Running;

public sealed class StateTests : IDisposable
{
    private readonly string _directory = Directory
        .CreateTempSubdirectory("dedup-state-test-")
        .FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void The_instance_id_is_kept()
    {
        string first;
        using (InstanceLock held = Take().ShouldNotBeNull())
        {
            first = held.InstanceId;
            first.Length.ShouldBe(8);
        }

        using InstanceLock again = Take().ShouldNotBeNull();
        again.InstanceId.ShouldBe(first);
    }

    [Fact]
    public void A_directory_that_another_process_holds_is_refused_with_its_pid()
    {
        _ = Directory.CreateDirectory(_directory);
        File.WriteAllText(Path.Combine(_directory, "lock.pid"), "4711\n");
        using Process other = HoldLock();
        var findings = new FindingList();
        InstanceLock.Take(_directory, "dedup.yaml:4", findings).ShouldBeNull();
        findings.All.ShouldSay(
            "dedup.yaml:4",
            $"state directory {_directory} is used by another process, PID 4711",
            "stop that one"
        );
        other.Kill(entireProcessTree: true);
        other.WaitForExit();
        // The kernel lets go of the lock when its holder dies, however it dies.
        // flock's children hold it as well, and die a moment later.
        InstanceLock? held = null;
        SpinWait
            .SpinUntil(() => (held = Take()) is not null, TimeSpan.FromSeconds(10))
            .ShouldBeTrue();
        held!.Dispose();
    }

    [Fact]
    public void A_directory_that_cannot_be_made_is_refused()
    {
        string file = Path.Combine(_directory, "file");
        File.WriteAllText(file, "");
        var findings = new FindingList();
        InstanceLock.Take(Path.Combine(file, "state"), "--state", findings).ShouldBeNull();
        findings.All.ShouldSay("--state", "cannot be written to", "--state");
    }

    [Fact]
    public void State_of_the_same_pipeline_is_taken_and_of_another_refused()
    {
        DedupConfig config = Facts.Config with { State = new StateSettings(_directory, 1 << 30) };
        PipelineSpec spec = config.Pipelines[0];
        Check(config, Facts.Good).ShouldBeEmpty();
        PipelineState.Claim(config, spec, Facts.Good);
        Check(config, Facts.Good).ShouldBeEmpty();
        Check(config, Facts.Good with { ClusterId = "other" })
            .ShouldSay("dedup.yaml", "is of another cluster: c, not other", "--accept-loss orders");
        Check(config, Facts.With("orders", static t => t with { Id = "new" }))
            .ShouldSay(
                "dedup.yaml",
                "'orders' was made anew (id id-orders, now new)",
                "--accept-loss orders"
            );
        Check(config, Facts.With("orders", static t => t with { Partitions = 8 }))
            .ShouldSay("dedup.yaml", "number of partitions: 4, now 8", "--accept-loss orders");
        DedupConfig otherRecipe = config with
        {
            Pipelines =
            [
                spec with
                {
                    Recipe = Load.Pipeline(
                        "partitioning: by-input\nscope: { tenant: { header: t } }"
                    ).Recipe,
                },
            ],
        };
        Check(otherRecipe, Facts.Good)
            .ShouldSay(
                "dedup.yaml",
                "is of another recipe: key, not key @",
                "--accept-loss orders"
            );
    }

    [Fact]
    public void Accepted_state_of_something_else_is_set_aside_never_deleted()
    {
        DedupConfig config = Facts.Config with { State = new StateSettings(_directory, 1 << 30) };
        PipelineSpec spec = config.Pipelines[0] with { AcceptLoss = true };
        PipelineState.Claim(config, spec, Facts.Good);
        string state = PipelineState.DirectoryOf(_directory, "orders");
        File.WriteAllText(Path.Combine(state, "evidence"), "x");
        ClusterFacts other = Facts.Good with { ClusterId = "other" };
        Check(config with { Pipelines = [spec] }, other).ShouldBeEmpty();
        PipelineState.Claim(config, spec, other);
        File.Exists(Path.Combine(state, "evidence")).ShouldBeFalse();
        File.Exists(Path.Combine(state + ".aside-1", "evidence")).ShouldBeTrue();
    }

    private static IReadOnlyList<Finding> Check(DedupConfig config, ClusterFacts facts)
    {
        var findings = new FindingList();
        PipelineState.Check(config, config.Pipelines[0], facts, findings);
        return findings.All;
    }

    private InstanceLock? Take() => InstanceLock.Take(_directory, "w", new FindingList());

    private Process HoldLock()
    {
        string path = Path.Combine(_directory, "lock");
        File.WriteAllText(path, "");
        var start = new ProcessStartInfo("flock") { RedirectStandardOutput = true };
        foreach (
            string argument in (string[])["--exclusive", path, "sh", "-c", "echo held; sleep 60"]
        )
        {
            start.ArgumentList.Add(argument);
        }

        Process process = Process.Start(start)!;
        process.StandardOutput.ReadLine().ShouldBe("held");
        return process;
    }
}
