using System.Diagnostics;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Dedup.Host.Brokers;

namespace Dedup.Acceptance.Schemas;

/// <summary>A schema registry of its own from SCHEMA_REGISTRY_HOME, in memory, ended with the test.</summary>
internal sealed class RealRegistry : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private readonly Process _process;
    private readonly HttpClient _http = new();

    private RealRegistry(Process process, int port)
    {
        _process = process;
        Address = new Uri($"http://127.0.0.1:{port}/apis/ccompat/v7");
    }

    public Uri Address { get; }

    /// <summary>Starts one and waits until it answers; skips the calling test, with the reason, where there is none.</summary>
    public static async Task<RealRegistry> StartAsync()
    {
        string? home = Environment.GetEnvironmentVariable("SCHEMA_REGISTRY_HOME");
        string script = Path.Combine(home ?? "", "start.sh");
        Assert.SkipWhen(string.IsNullOrEmpty(home), "SCHEMA_REGISTRY_HOME is not set");
        Assert.SkipWhen(!File.Exists(script), $"{home} has no start.sh");
        int port = LoopbackPorts.Pick(1)[0];
        Process process = ChildProcess.Start(
            "",
            "exec sh \"$1\" \"$2\"",
            [script, $"{port}"],
            new Dictionary<string, string>()
        );
        var registry = new RealRegistry(process, port);
        try
        {
            await registry.WaitAsync();
            return registry;
        }
        catch
        {
            registry.Dispose();
            throw;
        }
    }

    /// <summary>Registers a JSON Schema and gives its id.</summary>
    public async Task<int> RegisterAsync(string subject, string schema)
    {
        using var content = new StringContent(
            JsonSerializer.Serialize(new { schemaType = "JSON", schema }),
            Encoding.UTF8,
            "application/vnd.schemaregistry.v1+json"
        );
        using HttpResponseMessage response = await _http.PostAsync(
            new Uri($"{Address}/subjects/{subject}/versions"),
            content,
            TestContext.Current.CancellationToken
        );
        JsonElement answer = await response
            .EnsureSuccessStatusCode()
            .Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
        return answer.GetProperty("id").GetInt32();
    }

    /// <summary>Ends it, as a registry that goes away.</summary>
    public void Kill()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            _process.WaitForExit();
        }
    }

    public void Dispose()
    {
        Kill();
        _process.Dispose();
        _http.Dispose();
    }

    private async Task WaitAsync()
    {
        long begun = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                using HttpResponseMessage response = await _http.GetAsync(
                    new Uri($"{Address}/subjects"),
                    TestContext.Current.CancellationToken
                );
                if (response.IsSuccessStatusCode)
                {
                    return;
                }
            }
            catch (HttpRequestException)
            {
                // Not yet.
            }

            if (_process.HasExited || Stopwatch.GetElapsedTime(begun) > Patience)
            {
                throw new TimeoutException("the schema registry does not answer");
            }

            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
    }
}
