using System.Globalization;

namespace Dedup.Bench.Measuring;

/// <summary>What /proc says of a process and its descendants.</summary>
internal static class ProcessTree
{
    // sysconf(_SC_CLK_TCK) is 100 on every Linux that .NET runs on.
    private const double TicksPerSecond = 100;

    // Positions in /proc/PID/stat behind the name in brackets, from 0: utime, stime, cutime, cstime.
    private const int UserTimeField = 11;
    private const int Times = 4;

    /// <summary>CPU seconds, user and system, of a process, its live descendants, and those that it has waited for; 0 when it is gone.</summary>
    public static double CpuSeconds(int process)
    {
        double seconds = 0;
        if (Read($"/proc/{process}/stat") is { } stat)
        {
            string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            for (int i = UserTimeField; i < UserTimeField + Times; i++)
            {
                seconds += long.Parse(fields[i]) / TicksPerSecond;
            }
        }

        foreach (int child in Children(process))
        {
            seconds += CpuSeconds(child);
        }

        return seconds;
    }

    /// <summary>A size from /proc/PID/status in bytes: VmHWM, VmRSS, RssAnon; 0 when the process is gone.</summary>
    public static long Memory(int process, string name)
    {
        string? line = Read($"/proc/{process}/status")
            ?.Split('\n')
            .FirstOrDefault(l => l.StartsWith(name + ":", StringComparison.Ordinal));
        return line is null
            ? 0
            : long.Parse(
                line.AsSpan(name.Length + 1).Trim().ToString().Split(' ')[0],
                CultureInfo.InvariantCulture
            ) * 1024;
    }

    private static IEnumerable<int> Children(int process)
    {
        string tasks = $"/proc/{process}/task";
        string[] threads;
        try
        {
            threads = Directory.GetDirectories(tasks);
        }
        catch (IOException)
        {
            yield break;
        }

        foreach (string thread in threads)
        {
            string text = Read($"{thread}/children") ?? "";
            foreach (string child in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                yield return int.Parse(child, CultureInfo.InvariantCulture);
            }
        }
    }

    private static string? Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It has ended between the look into its parent and this one.
            return null;
        }
    }
}
