using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Dedup.Host.Brokers;

namespace Dedup.Host.Demo;

/// <summary>What the worker last said of itself.</summary>
internal readonly record struct WorkerStatus(
    long Clean,
    long Duplicates,
    long Quarantined,
    double RecordsPerSecond,
    long? Lag,
    int Partitions,
    int Restoring
)
{
    /// <summary>Records judged since the state was made.</summary>
    public long Judged => Clean + Duplicates + Quarantined;
}

/// <summary><c>dedup run</c> as a child process: the real program, as an operator would run it.</summary>
internal sealed class Worker : IDisposable
{
    private readonly Process _process;
    private readonly string _pidFile;
    private readonly Lock _lock = new();
    private readonly List<string> _problems = [];
    private WorkerStatus _status;

    private Worker(Process process, string pidFile)
    {
        _process = process;
        _pidFile = pidFile;
        process.OutputDataReceived += (_, e) => Hear(e.Data);
        process.ErrorDataReceived += (_, e) => Remember(e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public int ProcessId => _process.Id;

    public bool HasExited => _process.HasExited;

    public int ExitCode => _process.ExitCode;

    public WorkerStatus Status
    {
        get
        {
            lock (_lock)
            {
                return _status;
            }
        }
    }

    /// <summary>Errors that it printed, the last few.</summary>
    public string Problems
    {
        get
        {
            lock (_lock)
            {
                return string.Join("; ", _problems.TakeLast(3));
            }
        }
    }

    /// <summary>Starts one.</summary>
    /// <param name="config">Configuration file, in a directory that an orphan guard watches.</param>
    /// <param name="isMock">Whether the broker is librdkafka's mock.</param>
    /// <param name="before">What the one before it said last: counts go on from there.</param>
    public static Worker Start(string config, bool isMock, WorkerStatus before)
    {
        string program =
            Environment.ProcessPath
            ?? throw new InvalidOperationException("the program's own path is unknown");
        var start = new ProcessStartInfo(program)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            UseShellExecute = false,
        };
        ChildProcess.Quiet(start);
        if (Path.GetFileNameWithoutExtension(program) == "dotnet")
        {
            start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "dedup.dll"));
        }

        foreach (
            string argument in (string[])
                ["run", "--config", config, "--log", "json", "--status", "100ms"]
        )
        {
            start.ArgumentList.Add(argument);
        }

        if (isMock)
        {
            start.ArgumentList.Add("--mock-broker");
        }

        Process process =
            Process.Start(start) ?? throw new InvalidOperationException("the worker did not start");
        process.StandardInput.Close();
        string pids = Path.Combine(Path.GetDirectoryName(config)!, "pids");
        _ = Directory.CreateDirectory(pids);
        string pidFile = Path.Combine(pids, process.Id.ToString(CultureInfo.InvariantCulture));
        File.WriteAllText(pidFile, process.Id.ToString(CultureInfo.InvariantCulture));
        return new Worker(process, pidFile) { _status = before };
    }

    /// <summary>SIGKILL, as the kernel or a power cut would.</summary>
    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
        File.Delete(_pidFile);
    }

    /// <summary>SIGTERM, and waits; kills after <paramref name="patience"/>. Returns the exit code.</summary>
    public int Stop(TimeSpan patience)
    {
        if (!_process.HasExited)
        {
            Brokers.ChildProcess.Signal(_process, Brokers.ChildProcess.SignalTerminate);
            if (!_process.WaitForExit(patience))
            {
                _process.Kill();
                _process.WaitForExit();
            }
        }

        File.Delete(_pidFile);
        return _process.ExitCode;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            Kill();
        }

        _process.Dispose();
    }

    private void Hear(string? line)
    {
        if (line is null)
        {
            return;
        }

        try
        {
            using var document = JsonDocument.Parse(line);
            JsonElement e = document.RootElement;
            if (e.GetProperty("event").GetString() == "status")
            {
                Take(e);
            }
            else if (e.GetProperty("level").GetString() == "error")
            {
                Remember(e.GetProperty("message").GetString());
            }
        }
        catch (Exception e)
            when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            Remember(line);
        }
    }

    private void Take(JsonElement e)
    {
        JsonElement lag = e.GetProperty("lag");
        var status = new WorkerStatus(
            e.GetProperty("clean").GetInt64(),
            e.GetProperty("duplicates").GetInt64(),
            e.GetProperty("quarantined").GetInt64(),
            e.GetProperty("recordsPerSecond").GetDouble(),
            lag.ValueKind == JsonValueKind.Number ? lag.GetInt64() : null,
            e.GetProperty("partitions").GetInt32(),
            e.GetProperty("restoring").GetInt32()
        );
        lock (_lock)
        {
            // While partitions are being taken over, their counts are not known yet: the last ones stay.
            _status =
                status.Judged >= _status.Judged
                    ? status
                    : _status with
                    {
                        RecordsPerSecond = 0,
                        Restoring = status.Restoring,
                    };
        }
    }

    private void Remember(string? line)
    {
        if (!string.IsNullOrWhiteSpace(line))
        {
            lock (_lock)
            {
                _problems.Add(line);
                if (_problems.Count > 20)
                {
                    _problems.RemoveAt(0);
                }
            }
        }
    }
}
