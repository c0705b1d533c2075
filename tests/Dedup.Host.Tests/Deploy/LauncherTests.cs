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

    /// <summary>Any library that can be loaded first will do.</summary>
    private static string SomeLibrary { get; } =
        File.ReadLines("/proc/self/maps")
            .Select(static line => line.Split(' ')[^1])
            .First(static path =>
                Path.GetFileName(path).StartsWith("libc.so", StringComparison.Ordinal)
            );

    [Fact]
    public void The_program_gets_the_malloc_that_the_setup_found_and_its_arguments()
    {
        File.WriteAllText(PathOf(".dedup-setup/malloc"), SomeLibrary + "\n");
        Run([]).ShouldMatch($"^{SomeLibrary} narenas:[0-9]+ run --config f.yaml$");
        Run([("MALLOC_CONF", "narenas:7")]).ShouldStartWith($"{SomeLibrary} narenas:7 ");
    }

    [Fact]
    public void It_gets_the_systems_where_that_is_wanted() =>
        With(SomeLibrary, ("DEDUP_MALLOC", "system")).ShouldStartWith("none none ");

    [Fact]
    public void It_gets_the_systems_where_the_setup_found_none_or_it_has_gone()
    {
        Run([]).ShouldStartWith("none none ");
        With("").ShouldStartWith("none none ");
        With("/nowhere/libjemalloc.so.2").ShouldStartWith("none none ");
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private string With(string malloc, params (string Name, string Value)[] environment)
    {
        File.WriteAllText(PathOf(".dedup-setup/malloc"), malloc + "\n");
        return Run(environment);
    }

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
        errors.Result.ShouldBeEmpty();
        process.ExitCode.ShouldBe(0);
        return output;
    }

    private string PathOf(string name) => Path.Combine(_root, name);
}
