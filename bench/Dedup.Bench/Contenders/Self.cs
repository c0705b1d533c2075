using Dedup.Bench.Measuring;

namespace Dedup.Bench.Contenders;

/// <summary>This program as a child, in one of its hidden modes.</summary>
internal static class Self
{
    /// <summary>As ./dedup sets them: the same runtime for both.</summary>
    private static readonly Dictionary<string, string> Environment = new(Malloc.Environment)
    {
        ["DOTNET_gcServer"] = "0",
        ["DOTNET_gcConcurrent"] = "0",
        ["DOTNET_TieredPGO"] = "1",
    };

    /// <summary>Starts it.</summary>
    public static MeasuredProcess Start(string logFile, params IReadOnlyList<string> arguments) =>
        MeasuredProcess.Start(
            logFile,
            Environment,
            [
                System.Environment.ProcessPath
                    ?? throw new BenchException("this program does not know its own path"),
                .. arguments,
            ]
        );
}
