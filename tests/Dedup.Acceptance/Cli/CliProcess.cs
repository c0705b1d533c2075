using System.Diagnostics;

namespace Dedup.Acceptance.Cli;

/// <summary>The real program as a child process, as a user would start it.</summary>
internal static class CliProcess
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    public static string Program { get; } = Path.Combine(AppContext.BaseDirectory, "dedup");

    /// <summary>Runs a command to its end.</summary>
    public static (int Code, string Out, string Error) Run(params IEnumerable<string> args)
    {
        using Process process = Start(args);
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(Patience))
        {
            process.Kill();
            throw new TimeoutException(
                $"dedup {string.Join(' ', args)} did not end: {output.Result} {error.Result}"
            );
        }

        return (process.ExitCode, output.Result, error.Result);
    }

    /// <summary>Starts a command.</summary>
    public static Process Start(params IEnumerable<string> args)
    {
        var start = new ProcessStartInfo(Program)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (string arg in args)
        {
            start.ArgumentList.Add(arg);
        }

        return Process.Start(start)!;
    }

    /// <summary>Sends SIGTERM.</summary>
    public static void Terminate(Process process)
    {
        using Process kill = Process.Start("kill", ["-TERM", $"{process.Id}"]);
        kill.WaitForExit();
    }
}
