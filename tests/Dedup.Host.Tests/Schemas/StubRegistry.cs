using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Dedup.Host.Tests.Schemas;

/// <summary>A registry as far as a reader sees one: answers by path, as slowly or wrongly as a test wants.</summary>
internal sealed class StubRegistry : IDisposable
{
    private readonly HttpListener _listener = new();
    private readonly Task _serving;

    public StubRegistry()
    {
        using (var probe = new TcpListener(IPAddress.Loopback, 0))
        {
            probe.Start();
            Address = new Uri(
                $"http://127.0.0.1:{((IPEndPoint)probe.LocalEndpoint).Port}/some/path"
            );
        }

        _listener.Prefixes.Add($"http://127.0.0.1:{Address.Port}/");
        _listener.Start();
        _serving = Serve();
    }

    public Uri Address { get; }

    /// <summary>Paths that were asked for, in order.</summary>
    public ConcurrentQueue<string> Asked { get; } = [];

    /// <summary>Authorization headers that came.</summary>
    public ConcurrentQueue<string?> Logins { get; } = [];

    /// <summary>What stands at a path.</summary>
    public ConcurrentDictionary<string, (int Status, string Body)> Answers { get; } = [];

    /// <summary>Set: answers come. Reset: they wait.</summary>
    public ManualResetEventSlim Open { get; } = new(initialState: true);

    public void Add(string path, string schema, string? type = "JSON", string references = "[]") =>
        Answers[path] = (
            200,
            $$"""{"schema": {{JsonSerializer.Serialize(schema)}}, {{(type is null ? "" : $"\"schemaType\": \"{type}\",")}} "references": {{references}}}"""
        );

    public void Dispose()
    {
        Open.Set();
        _listener.Close();
        _serving.Wait();
    }

    private async Task Serve()
    {
        while (true)
        {
            HttpListenerContext context;
            try
            {
                context = await _listener.GetContextAsync();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                return;
            }

            _ = Task.Run(() => Answer(context));
        }
    }

    private void Answer(HttpListenerContext context)
    {
        string path = context.Request.Url!.AbsolutePath.Replace(
            "/some/path/",
            "",
            StringComparison.Ordinal
        );
        Asked.Enqueue(path);
        Logins.Enqueue(context.Request.Headers["Authorization"]);
        Open.Wait();
        (int status, string body) = Answers.GetValueOrDefault(
            path,
            (404, """{"error_code": 40403, "message": "not found"}""")
        );
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        try
        {
            context.Response.OutputStream.Write(Encoding.UTF8.GetBytes(body));
            context.Response.Close();
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
        {
            // The test is over.
        }
    }
}
