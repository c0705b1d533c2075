using System.Diagnostics;
using System.Runtime.Versioning;
using Shouldly;

namespace Dedup.Host.Tests.Deploy;

/// <summary>./dedup around a program that says which malloc it was given.</summary>
[SupportedOSPlatform("linux")]
public sealed class LauncherTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("launcher").FullName;

    public LauncherTests()
    {
        File.Copy(Repository.PathOf("dedup"), PathOf("dedup"));
        string program = PathOf("src/Dedup.Host/bin/Release/net10.0/dedup");
        _ = Directory.CreateDirectory(Path.GetDirectoryName(program)!);
        _ = Directory.CreateDirectory(PathOf(".dedup-setup"));
        File.WriteAllText(
            program,
            "#!/usr/bin/env bash\necho \"${LD_PRELOAD:-none} ${MALLOC_CONF:-none} $*\"\n"
        );
        File.SetUnixFileMode(
            program,
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        );
        foreach (
            string file in (string[])
                [
                    "Directory.Build.props",
                    "global.json",
                    "nuget.config",
                    ".editorconfig",
                    ".dedup-setup/built",
                ]
        )
        {
            File.WriteAllText(PathOf(file), "");
        }
    }

    [Fact]
    public void The_program_gets_jemalloc_where_that_is_wanted_and_its_arguments()
    {
        Run([("DEDUP_MALLOC", "jemalloc")])
            .ShouldMatch("^libjemalloc.so.2 narenas:[0-9]+ run --config f.yaml$");
        Run([("DEDUP_MALLOC", "jemalloc"), ("MALLOC_CONF", "narenas:7")])
            .ShouldBe("libjemalloc.so.2 narenas:7 run --config f.yaml");
    }

    [Fact]
    public void Else_it_gets_the_systems() => Run([]).ShouldBe("none none run --config f.yaml");

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private string Run((string Name, string Value)[] environment)
    {
        // As after a build: newer than all sources.
        File.SetLastWriteTimeUtc(PathOf(".dedup-setup/built"), DateTime.UtcNow.AddMinutes(1));
        var start = new ProcessStartInfo(PathOf("dedup"))
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            ArgumentList = { "run", "--config", "f.yaml" },
        };
        foreach (string name in (string[])["LD_PRELOAD", "MALLOC_CONF", "DEDUP_MALLOC"])
        {
            _ = start.Environment.Remove(name);
        }

        foreach ((string name, string value) in environment)
        {
            start.Environment[name] = value;
        }

        using Process process = Process.Start(start).ShouldNotBeNull();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd().Trim();
        process.WaitForExit();
        // The loader complains where there is no jemalloc, and goes on.
        errors.Result.ShouldSatisfyAllConditions(e =>
            (
                e.Length == 0 || e.Contains("libjemalloc.so.2", StringComparison.Ordinal)
            ).ShouldBeTrue(e)
        );
        process.ExitCode.ShouldBe(0);
        return output;
    }

    private string PathOf(string name) => Path.Combine(_root, name);
}
