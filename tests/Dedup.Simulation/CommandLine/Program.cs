using Xunit.MicrosoftTestingPlatform;
using Xunit.Runner.InProc.SystemConsole;

namespace Dedup.Simulation.CommandLine;

/// <summary>One executable, two uses: the simulator's command line, and the tests of this project.</summary>
internal static class Program
{
    private static int Main(string[] args)
    {
        if (args.Length > 0 && args[0] == "simulate")
        {
            return SimulateCommand.Run(args[1..], Console.Out, Console.Error);
        }

        // What xunit.v3 would have generated.
        return args.Any(static arg => arg is "-automated" or "@@")
            ? ConsoleRunner.Run(args).GetAwaiter().GetResult()
            : TestPlatformTestFramework
                .RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions)
                .GetAwaiter()
                .GetResult();
    }
}
