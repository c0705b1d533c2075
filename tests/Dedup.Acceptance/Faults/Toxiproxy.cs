using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Dedup.Host.Brokers;
using Shouldly;

namespace Dedup.Acceptance.Faults;

/// <summary>A TCP proxy that makes the network bad on demand, from TOXIPROXY_HOME; ends with the test, or with this process.</summary>
internal sealed class Toxiproxy : IAsyncDisposable
{
    private const string RunScript = """
        set -e
        echo $$ >"$1"; shift
        exec "$@"
        """;

    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(20);

    private readonly string _directory;
    private readonly OrphanGuard _guard;
    private readonly HttpClient _api;
    private Process? _process;

    private Toxiproxy(int port)
    {
        _directory = Directory.CreateTempSubdirectory("dedup-toxiproxy-").FullName;
        _ = Directory.CreateDirectory(Path.Combine(_directory, "pids"));
        _guard = OrphanGuard.ForDirectory(_directory);
        _api = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}/") };
    }

    /// <summary>Starts one with these proxies; skips the calling test when there is no toxiproxy here.</summary>
    public static async Task<Toxiproxy> StartAsync(
        IEnumerable<(string Name, int Listen, int Upstream)> proxies
    )
    {
        string program = Path.Combine(
            Environment.GetEnvironmentVariable("TOXIPROXY_HOME") ?? "",
            "toxiproxy-server"
        );
        Assert.SkipUnless(File.Exists(program), "no toxiproxy-server here: set TOXIPROXY_HOME");
        int port = LoopbackPorts.Pick(1)[0];
        var proxy = new Toxiproxy(port);
        try
        {
            await proxy.StartAsync(program, port, proxies);
            return proxy;
        }
        catch
        {
            await proxy.DisposeAsync();
            throw;
        }
    }

    /// <summary>Down: connections are closed, new ones refused; and up again.</summary>
    public Task EnableAsync(string proxy, bool isUp) =>
        PostAsync($"proxies/{proxy}", new JsonObject { ["enabled"] = isUp });

    /// <summary>Puts a toxic on all connections of a proxy.</summary>
    /// <param name="proxy">Name of the proxy.</param>
    /// <param name="type">latency, timeout, bandwidth, reset_peer, …</param>
    /// <param name="stream">upstream: client to broker; downstream: broker to client.</param>
    /// <param name="attributes">Its attributes; times in ms, rates in KB/s.</param>
    public Task AddAsync(
        string proxy,
        string type,
        string stream,
        params (string Name, int Value)[] attributes
    ) =>
        PostAsync(
            $"proxies/{proxy}/toxics",
            new JsonObject
            {
                ["name"] = $"{type}-{stream}",
                ["type"] = type,
                ["stream"] = stream,
                ["attributes"] = new JsonObject(
                    attributes.Select(static a => new KeyValuePair<string, JsonNode?>(
                        a.Name,
                        a.Value
                    ))
                ),
            }
        );

    /// <summary>Takes off all toxics and opens all proxies.</summary>
    public Task ResetAsync() => PostAsync("reset", []);

    public async ValueTask DisposeAsync()
    {
        _api.Dispose();
        if (_process is { HasExited: false } process)
        {
            process.Kill();
            await process.WaitForExitAsync(CancellationToken.None);
        }

        _process?.Dispose();
        _guard.Dispose();
    }

    private async Task StartAsync(
        string program,
        int port,
        IEnumerable<(string Name, int Listen, int Upstream)> proxies
    )
    {
        string config = Path.Combine(_directory, "proxies.json");
        var list = new JsonArray([
            .. proxies.Select(static p => new JsonObject
            {
                ["name"] = p.Name,
                ["listen"] = $"127.0.0.1:{p.Listen}",
                ["upstream"] = $"127.0.0.1:{p.Upstream}",
                ["enabled"] = true,
            }),
        ]);
        await File.WriteAllTextAsync(config, list.ToJsonString());
        _process = ChildProcess.Start(
            Path.Combine(_directory, "toxiproxy.log"),
            RunScript,
            [
                Path.Combine(_directory, "pids", "toxiproxy"),
                program,
                "-host",
                "127.0.0.1",
                "-port",
                $"{port}",
                "-config",
                config,
            ],
            new Dictionary<string, string>()
        );
        long begun = Stopwatch.GetTimestamp();
        while (!await AnswersAsync())
        {
            if (_process.HasExited || Stopwatch.GetElapsedTime(begun) > StartLimit)
            {
                // Not looked at before: the shell makes it only when it runs.
                string log = Path.Combine(_directory, "toxiproxy.log");
                Assert.Fail(
                    $"toxiproxy does not answer: {(File.Exists(log) ? await File.ReadAllTextAsync(log) : "it has not begun")}"
                );
            }

            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }

    private async Task<bool> AnswersAsync()
    {
        try
        {
            using HttpResponseMessage answer = await _api.GetAsync(
                new Uri("version", UriKind.Relative)
            );
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private async Task PostAsync(string path, JsonObject body)
    {
        using HttpResponseMessage answer = await _api.PostAsJsonAsync(
            new Uri(path, UriKind.Relative),
            body,
            TestContext.Current.CancellationToken
        );
        answer.IsSuccessStatusCode.ShouldBeTrue(
            $"{path}: {await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)}"
        );
    }
}
