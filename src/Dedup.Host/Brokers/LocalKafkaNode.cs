using System.Diagnostics;
using System.Globalization;

namespace Dedup.Host.Brokers;

/// <summary>One broker process of a <see cref="LocalKafka"/>: can be killed, stopped, frozen, and started again on the same ports and data.</summary>
public sealed class LocalKafkaNode
{
    // A clean stop hands leadership over and flushes: 0.5 to 3 s here. After that the process is killed.
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan KillTimeout = TimeSpan.FromSeconds(10);

    // The PID is on disk before the broker exists (see OrphanGuard); a failed write ends the child.
    private const string RunScript = """
        set -e
        echo $$ >"$1"
        exec "$2" "$3"
        """;

    private readonly LocalKafka _cluster;
    private readonly NodePorts _ports;
    private readonly string _directory;
    private Process? _process;

    internal LocalKafkaNode(LocalKafka cluster, int id, NodePorts ports, string directory)
    {
        _cluster = cluster;
        _ports = ports;
        _directory = directory;
        Id = id;
    }

    /// <summary>node.id, from 1.</summary>
    public int Id { get; }

    /// <summary>Port of the plain listener.</summary>
    public int Port => _ports.Plain;

    /// <summary>What the broker wrote to stdout and stderr, over all its starts.</summary>
    public string LogFile => Path.Combine(_directory, "server.log");

    /// <summary>The node's data (log.dirs).</summary>
    public string DataDirectory => Path.Combine(_directory, "data");

    /// <summary>The JVM's process id; 0 while the node is down.</summary>
    public int ProcessId => IsRunning ? _process!.Id : 0;

    /// <summary>Whether the process is there; a frozen one is.</summary>
    public bool IsRunning => _process is { HasExited: false };

    /// <summary>The real port of an extra listener (what a proxy forwards to).</summary>
    public int PortOf(string listener) => _ports.Extra[_cluster.ListenerIndex(listener)];

    internal string PropertiesFile => Path.Combine(_directory, "server.properties");

    internal void Start()
    {
        if (IsRunning)
        {
            throw new InvalidOperationException(
                $"node {Id} is already running (pid {_process!.Id})"
            );
        }
        _process?.Dispose();
        string pidFile = Path.Combine(
            _cluster.DirectoryPath,
            "pids",
            Id.ToString(CultureInfo.InvariantCulture)
        );
        string server = Path.Combine(_cluster.KafkaHome, "bin", "kafka-server-start.sh");
        _process = ChildProcess.Start(
            LogFile,
            RunScript,
            [pidFile, server, PropertiesFile],
            _cluster.JvmEnvironment(_directory)
        );
    }

    /// <summary>SIGKILL: the process is gone when this returns.</summary>
    public void Kill()
    {
        if (_process is { HasExited: false } process)
        {
            process.Kill();
            _ = process.WaitForExit(KillTimeout);
        }
    }

    /// <summary>A clean stop (SIGTERM), with SIGKILL when it takes longer than 20 s.</summary>
    public async Task StopAsync(CancellationToken cancellation = default)
    {
        if (_process is not { HasExited: false } process)
        {
            return;
        }
        _ = ChildProcess.Signal(process, ChildProcess.SignalTerminate);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(StopTimeout);
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            Kill();
            cancellation.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Starts the node again on its ports and data (a running one is killed first) and waits until it answers.</summary>
    public async Task RestartAsync(CancellationToken cancellation = default)
    {
        Kill();
        Start();
        await _cluster.WaitUntilAnsweringAsync([this], cancellation);
    }

    /// <summary>SIGSTOP: the connections stay open and nothing answers.</summary>
    public void Freeze() =>
        _ = _process is { } process && ChildProcess.Signal(process, ChildProcess.SignalStop);

    /// <summary>SIGCONT after <see cref="Freeze"/>.</summary>
    public void Thaw() =>
        _ = _process is { } process && ChildProcess.Signal(process, ChildProcess.SignalContinue);
}
