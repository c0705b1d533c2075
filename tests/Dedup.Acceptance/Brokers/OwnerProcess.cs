using System.Diagnostics;
using System.Runtime.CompilerServices;
using Dedup.Host.Brokers;

namespace Dedup.Acceptance.Brokers;

/// <summary>This test program started a second time, as a process that owns a broker and waits to be killed.</summary>
internal static class OwnerProcess
{
    public const string NothingToStart = "none";
    private const string RoleVariable = "DEDUP_TEST_OWNS_A_BROKER";

    public static Process Start()
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!)
        {
            RedirectStandardOutput = true,
            RedirectStandardInput = true,
        };
        start.Environment[RoleVariable] = "1";
        return Process.Start(start)!;
    }

    // Main belongs to xunit.v3's generated entry point; a module initializer runs before it.
#pragma warning disable CA2255 // Meant for libraries' authors, whose callers do not expect it; this is a program.
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void PlayTheRole()
    {
        if (Environment.GetEnvironmentVariable(RoleVariable) is null)
        {
            return;
        }
        Environment.SetEnvironmentVariable(RoleVariable, null);
        // Other threads wait for this initializer before they run any code of this module; blocking here is safe because LocalKafka calls back none.
        LocalKafka? kafka = null;
        try
        {
            kafka = LocalKafka
                .StartAsync(new LocalKafkaOptions { HeapMiB = 256 })
                .GetAwaiter()
                .GetResult();
            Console.Out.WriteLine($"{kafka.Nodes[0].ProcessId} {kafka.DirectoryPath}");
        }
        catch (LocalKafkaException e) when (e.NothingToStart)
        {
            Console.Out.WriteLine(NothingToStart);
        }
        Console.Out.Flush();
        // Returns when the pipe closes, that is when the test is gone: an orphan of an orphan must not stay.
        _ = Console.In.ReadToEnd();
        kafka?.Dispose();
        Environment.Exit(0);
    }
}
